"""The command `ltops` with a home of its own, whose clusters end with the test."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from click.testing import CliRunner
from tests.loadtest.database.servers import Maria, NotInstalledError, running
from tests.ltops.command import OURS, Command, Ended
from tests.small_population import SMALL_POPULATION

from mattermost_load_test.ltops.cli import cli

QUICK = {
    "LoadtestEnviromentConfig": SMALL_POPULATION | {"NumUsers": 20},
    "UserEntitiesConfiguration": {
        "TestLengthMinutes": 0.05,
        "NumActiveEntities": 5,
        "NumProcesses": 1,
        "ActionRateMilliseconds": 200,
        "MaxLatenessMilliseconds": 60_000,
    },
    "ResultsConfiguration": {"PProfDelayMinutes": 0},
}
"""A run of three seconds by a handful of users."""


class Ops(Command):
    """The command `ltops` in a folder with a quick configuration."""

    def __init__(self, home: Path, folder: Path) -> None:
        super().__init__(home, folder)
        self.configure(QUICK)

    def configure(self, configuration: dict[str, Any]) -> None:
        """Write the configuration file of the folder that commands are run in."""
        (self.folder / "loadtestconfig.json").write_text(json.dumps(configuration))

    def run(self, *arguments: str) -> Ended:
        """Run `ltops` with these arguments to its end, in this process: what that is does not show in the outcome."""
        before = {name: None for name in os.environ if name.startswith(OURS)}
        with contextlib.chdir(self.folder):
            ended = CliRunner().invoke(cli, arguments, prog_name="ltops", env={**before, **self.environment})
        if ended.exception is not None and not isinstance(ended.exception, SystemExit):
            raise ended.exception
        return Ended(ended.exit_code, ended.stdout, ended.stderr)

    def collected(self, name: str, archive: Path) -> dict[str, str]:
        """Collect what tells of a cluster into an archive, and return its files' texts by path below its top folder."""
        self.good("collect", "-c", name, "-o", str(archive))
        with tarfile.open(archive) as packed:
            return {
                member.name.partition("/")[2]: packed.extractfile(member).read().decode()  # type: ignore[union-attr]
                for member in packed
                if member.isfile()
            }

    def processes(self) -> list[psutil.Process]:
        """Return every process that has to do with a cluster of this home."""
        found = []
        for process in psutil.process_iter():
            try:
                told = [*process.cmdline(), process.cwd(), *process.environ().values()]
            except (psutil.Error, OSError):  # it has ended meanwhile
                continue
            if process.pid != os.getpid() and any(str(self.home) in text for text in told):
                found.append(process)
        return found

    def end(self) -> None:
        """End what still runs, and remove what is left."""
        for process in self.started:
            if process.poll() is None:
                process.kill()
                process.communicate()
        for path in self.home.iterdir():
            self.run("delete", "-c", path.name, "--yes")
        for process in self.processes():
            process.kill()


Needs = Callable[..., None]
"""Skips a test where a program is missing; on CI that is a failure."""


@pytest.fixture
def needs() -> Needs:
    """Give what skips a test for want of a program, with how to get it."""

    def check(**packages: str) -> None:
        path = f"{os.environ['PATH']}:/usr/sbin"
        lacking = [
            package for name, package in packages.items() if shutil.which(name.replace("_", "-"), path=path) is None
        ]
        if lacking and os.environ.get("CI") == "true":
            pytest.fail(f"CI must have: {' '.join(lacking)}")
        if lacking:
            pytest.skip(f"not on this machine: apt-get install {' '.join(lacking)}")

    return check


@contextlib.contextmanager
def ltops_in(folder: Path) -> Iterator[Ops]:
    """Give the command `ltops`; its home is directly below /tmp, since a socket's path is short."""
    home = Path(tempfile.mkdtemp(prefix="ltops-", dir="/tmp"))
    ops = Ops(home, folder)
    try:
        yield ops
    finally:
        ops.end()
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def ops(tmp_path: Path) -> Iterator[Ops]:
    """Give the command `ltops` without a cluster."""
    with ltops_in(tmp_path) as ops:
        yield ops


SHARED = ("solo", "pair")
"""The fixtures that tests of a module share."""


@pytest.hookimpl(tryfirst=True)  # before xdist looks for groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Have one worker run the tests that share a cluster: else each would make one of its own, and load it."""
    for item in items:
        for name in SHARED:
            if isinstance(item, pytest.Function) and name in item.fixturenames:
                item.add_marker(pytest.mark.xdist_group(f"{item.module.__name__} {name}"))


@pytest.fixture(scope="module")
def solo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ops]:
    """Give the command with a cluster `demo` of one agent, deployed, which the tests of a module share."""
    with ltops_in(tmp_path_factory.mktemp("solo")) as ops:
        ops.good("create", "-c", "demo", "--type", "local")
        ops.good("deploy", "-c", "demo")
        yield ops


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ops]:
    """Give the same with two agents."""
    with ltops_in(tmp_path_factory.mktemp("pair")) as ops:
        ops.good("create", "-c", "demo", "--type", "local", "--loadtest-count", "2")
        ops.good("deploy", "-c", "demo")
        yield ops


@pytest.fixture(scope="session")
def maria() -> Iterator[Maria]:
    """Give a running MariaDB."""
    try:
        with running("mysql") as server:
            assert isinstance(server, Maria)
            yield server
    except NotInstalledError as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(str(error))


STAND_IN = f"""#!{sys.executable}
# {{version}}
import json, os, sys, psycopg
from mattermost_load_test.loadtest.cli import cli
assert sys.argv[1] == "server", sys.argv
settings = json.load(open(sys.argv[sys.argv.index("--config") + 1]))
psycopg.connect(settings["SqlSettings"]["DataSource"]).close()
assert settings["TeamSettings"]["EnableOpenServer"] and settings["EmailSettings"]["SMTPPort"] == "10025"
host, port = settings["ServiceSettings"]["ListenAddress"].split(":")
licensed = []
if os.environ.get("MM_LICENSE"):
    assert open(settings["ServiceSettings"]["LicenseFileLocation"]).read().strip() == os.environ["MM_LICENSE"]
    licensed = ["--licensed", "--port", settings["MetricsSettings"]["ListenAddress"].split(":")[1]]
cli(["server", "--host", host, "--port", port, "--empty", *licensed])
"""


def _archive(path: Path, version: str) -> Path:
    """Write an archive as a release is laid out."""
    files = {
        "bin/mattermost": STAND_IN.replace("{version}", version),
        "config/default.json": json.dumps({"EmailSettings": {"SMTPPort": "10025"}}),
        "config/README.md": "",
        **dict.fromkeys(
            ("i18n/en.json", "templates/a.html", "fonts/a.ttf", "client/root.html", "logs/x", "data/x"), ""
        ),
    }
    with tarfile.open(path, "w:gz") as packed:
        for name, text in files.items():
            member = tarfile.TarInfo(f"mattermost/{name}")
            member.size, member.mode = len(text.encode()), 0o755 if name.startswith("bin/") else 0o644
            packed.addfile(member, io.BytesIO(text.encode()))
    return path


MakeArchive = Callable[[Path, str], Path]
"""Writes an archive with a Mattermost of a version in it."""


@pytest.fixture(scope="session")
def make_archive() -> MakeArchive:
    """Give what makes archives of a stand-in for Mattermost."""
    return _archive
