"""What can be given to `ltops` that is wrong: each one message, an exit code, and nothing half made left unknown."""

from __future__ import annotations

import io
import json
import os
import socket
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

Ops = Any
"""An `Ops` of the conftest beside."""


@pytest.mark.parametrize(
    "command",
    [
        ("deploy",),
        ("loadtest",),
        ("status",),
        ("ssh", "app"),
        ("db",),
        ("collect",),
        ("delete",),
        ("loadtest", "--stop"),
    ],
)
def test_an_unknown_cluster(ops: Ops, command: tuple[str, ...]) -> None:
    """Every command says that there is no such cluster, and makes none."""
    ended = ops.run(*command, "-c", "nowhere")
    assert ended.code == 2
    assert "there is no cluster nowhere" in ended.error
    assert list(ops.home.iterdir()) == []


@pytest.mark.parametrize("name", ["..", ".", "a/b", "a b", "Demo", "1st", "end-", "ä", "x" * 41, ""])
def test_a_name_that_no_cluster_may_have(ops: Ops, name: str) -> None:
    """The rule is told, and nothing is made anywhere."""
    ended = ops.run("create", "-c", name, "--type", "local")
    assert ended.code == 2
    assert "cannot be a cluster's name" in ended.error
    assert list(ops.home.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--app-count", "0"), "--server-url"),
        (("--app-count", "-1"), "--app-count"),
        (("--app-count", "101"), "--app-count"),
        (("--loadtest-count", "0"), "--loadtest-count"),
        (("--server-url", "chat.example.com"), "--server-url must be a URL"),
        (("--server-url", "http://localhost", "--app-count", "2"), "exclude each other"),
        (("--server-url", "http://localhost", "--port", "8065"), "exclude each other"),
    ],
)
def test_options_that_a_local_cluster_does_not_take(ops: Ops, arguments: tuple[str, ...], words: str) -> None:
    """The option is named, and nothing is made."""
    ended = ops.run("create", "-c", "demo", "--type", "local", *arguments)
    assert ended.code == 2
    assert words in ended.error
    assert list(ops.home.iterdir()) == []


@pytest.fixture
def made(ops: Ops) -> Ops:
    """Give the command with a cluster `demo` that nothing is deployed on."""
    ops.good("create", "-c", "demo", "--type", "local")
    return ops


def test_a_cluster_that_exists(made: Ops) -> None:
    """It is not made again, nor changed."""
    before = made.state("demo")
    ended = made.run("create", "-c", "demo", "--type", "local")
    assert ended.code == 2
    assert "the cluster demo exists" in ended.error
    assert made.state("demo") == before


@pytest.mark.parametrize("command", [("loadtest",), ("db",), ("ssh", "app"), ("loadtest", "--attach")])
def test_nothing_deployed_yet(made: Ops, command: tuple[str, ...]) -> None:
    """What has to be done first is said."""
    ended = made.run(*command, "-c", "demo")
    assert ended.code == 2
    assert "deploy" in ended.error or "no database" in ended.error or "no run" in ended.error


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"<html>Not found</html>", "a page of HTML"), (None, "holds no Mattermost")],
    ids=["a page", "another archive"],
)
def test_an_archive_without_a_mattermost(made: Ops, content: bytes | None, words: str) -> None:
    """It is looked into before anything is done: the cluster is as it was."""
    path = made.folder / "mattermost.tar.gz"
    path.write_bytes(content or archive_of("readme/README.md"))
    ended = made.run("deploy", "-c", "demo", "-m", str(path))
    assert ended.code == 2
    assert words in ended.error
    assert made.state("demo")["phase"] == "created"


@pytest.mark.parametrize(
    ("member", "words"),
    [
        ("mattermost-load-test/bin/loadtest", "is a bundle of mattermost-load-test in Go"),
        ("mattermost/bin/mattermost", "is no bundle of the agent"),
    ],
)
def test_a_bundle_of_something_else(made: Ops, member: str, words: str) -> None:
    """The Go tool's bundle is refused by name, and what is none is told as that."""
    path = made.folder / "mattermost-load-test.tar.gz"
    path.write_bytes(archive_of(member))
    ended = made.run("deploy", "-c", "demo", "-t", str(path))
    assert ended.code == 2
    assert words in ended.error
    assert made.state("demo")["phase"] == "created"


def archive_of(name: str) -> bytes:
    """Return an archive that holds one file."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        archive.addfile(tarfile.TarInfo(name))
    return packed.getvalue()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("-t", "bundle.tar.gz"), "bundle.tar.gz"),
        (("-l", "loadtestconfig.json"), "no Mattermost licence"),
        (("--data-source", "postgres://a:b@c/d"), "--data-source means nothing"),
        (("--users", "0"), "--users"),
    ],
)
def test_what_a_deployment_cannot_use(made: Ops, arguments: tuple[str, ...], words: str) -> None:
    """The option is named and nothing is begun."""
    ended = made.run("deploy", "-c", "demo", *arguments)
    assert ended.code == 2
    assert words in ended.error
    assert made.state("demo")["phase"] == "created"


@contextmanager
def taken_port() -> Iterator[int]:
    """Listen on a free port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def test_a_port_that_is_taken_already(ops: Ops) -> None:
    """A cluster that wants it is not made."""
    with taken_port() as port:
        ended = ops.run("create", "-c", "demo", "--type", "local", "--port", str(port))
        assert ended.code == 2
        assert f"port {port}" in ended.error
        ops.good("delete", "-c", "demo")
        assert list(ops.home.iterdir()) == []


def test_a_port_that_was_taken_meanwhile(made: Ops) -> None:
    """The deployment stops and says which; once the port is free the same command goes on."""
    port = made.state("demo")["details"]["ports"]["site"]
    with socket.create_server(("127.0.0.1", port)):
        ended = made.run("deploy", "-c", "demo")
        assert ended.code == 2
        assert f"port {port}" in ended.error
        assert "goes on from here" in ended.error
        assert made.status("demo")["phase"] == "deploying"
    made.good("deploy", "-c", "demo")


def test_a_full_disk(ops: Ops) -> None:
    """The state before stays; once there is room the same command goes on."""
    if os.geteuid() != 0:
        pytest.skip("a small disk can only be made by root")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=96k", "ltops-test", str(ops.home)], check=True)
    try:
        filler = ops.home / ".filler"
        with pytest.raises(OSError, match="No space left"):
            filler.write_bytes(bytes(1 << 20))
        ended = ops.run("create", "-c", "demo", "--type", "local")
        assert ended.code == 1
        assert "No space left" in ended.error
        filler.unlink()
        subprocess.run(["mount", "-o", "remount,size=10m", str(ops.home)], check=True)
        ops.good("create", "-c", "demo", "--type", "local")
        ops.good("delete", "-c", "demo")
    finally:
        subprocess.run(["umount", "-l", str(ops.home)], check=True)


GO_STATE = {"Name": "old", "Type": "terraform", "AppInstanceType": "m4.xlarge"}
"""A state file as the Go tool's began."""


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('{"version": 1, "name": "demo", "kin', "is broken"),
        ("", "is broken"),
        ('{"version": 1, "name": "demo"}', "is broken (kind"),
        ('{"version": 99}', "newer ltops"),
        (json.dumps(GO_STATE), "the Go tool of 2018"),
        ("[]", "the Go tool of 2018"),
    ],
    ids=["cut off", "empty", "incomplete", "newer", "of the Go tool", "another's"],
)
def test_a_state_file_that_cannot_be_used(made: Ops, content: str, words: str) -> None:
    """It is refused with a clear word, left as it is, and does not hide other clusters."""
    path = made.home / "demo" / "clusterinfo.json"
    good = path.read_text()
    path.write_text(content)
    ended = made.run("deploy", "-c", "demo")
    assert ended.code == 2
    assert words in ended.error
    made.good("create", "-c", "other", "--type", "local")
    shown = made.good("status").stdout
    assert words in shown
    assert "other  local, created" in shown
    assert path.read_text() == content
    path.write_text(good)


def test_a_cluster_with_a_broken_state_file_is_deleted(made: Ops) -> None:
    """What the folder tells is enough to end its processes."""
    (made.home / "demo" / "clusterinfo.json").write_text('{"version": 1, "na')
    assert made.processes()
    made.good("delete", "-c", "demo")
    assert made.processes() == []
    assert list(made.home.iterdir()) == []


def test_a_newer_state_file_is_not_deleted(made: Ops) -> None:
    """What a newer version made, this one does not take apart; nor what the Go tool made."""
    path = made.home / "demo" / "clusterinfo.json"
    good = path.read_text()
    for content in ('{"version": 99}', json.dumps(GO_STATE)):
        path.write_text(content)
        ended = made.run("delete", "-c", "demo", "--yes")
        assert ended.code == 2
        assert path.read_text() == content
    path.write_text(good)


def test_a_cluster_that_another_command_works_on(made: Ops) -> None:
    """The second is told who holds it, and does nothing; status and ssh need not wait."""
    with FileLock(made.home / "demo" / "lock"):
        (made.home / "demo" / "lock").write_text("`ltops deploy -c demo`, process 4711")
        for command in (("deploy", "-c", "demo"), ("delete", "-c", "demo", "--yes")):
            ended = made.run(*command)
            assert ended.code == 1
            assert "process 4711" in ended.error
        made.good("status", "-c", "demo")
        made.good("ssh", "loadtest", "-c", "demo", "--", "true")
    made.good("deploy", "-c", "demo", "--dry-run")


@pytest.mark.parametrize(
    "arguments",
    [
        ("loadtest", "-c", "demo", "--force-bulk-load", "--skip-bulk-load"),
        ("loadtest", "-c", "demo", "--attach", "--stop"),
        ("loadtest", "nothing", "-c", "demo"),
        ("ssh", "cellar", "-c", "demo"),
        ("ssh", "loadtest", "-c", "demo", "-i", "5"),
        ("delete",),
        ("delete", "demo", "-c", "demo"),
        ("create", "-c", "new", "--type", "cloudy"),
        ("help", "nothing"),
    ],
)
def test_wrong_use(made: Ops, arguments: tuple[str, ...]) -> None:
    """Exit code 2 and a message; the help of a command that was given nothing at all is no mishap."""
    ended = made.run(*arguments)
    if arguments == ("delete",):
        assert (ended.code, "Usage" in ended.stdout) == (0, True)
        return
    assert ended.code == 2
    assert ended.error


def test_settings_that_are_wrong(made: Ops, tmp_path: Path) -> None:
    """Every problem of file, environment and --set stands in one message, before anything is begun."""
    made.good("deploy", "-c", "demo")
    made.environment["MMLOADTEST_USERENTITIESCONFIGURATION_ACTIONRATEMILLISECONDS"] = "soon"
    ended = made.run(
        "loadtest", "-c", "demo", "--set", "LoadtestEnviromentConfig.NumUser=5", "--set", "LogSettings.x=1"
    )
    assert ended.code == 2
    assert "--set LoadtestEnviromentConfig.NumUser: LoadtestEnviromentConfig.NumUser is no key" in ended.error
    assert "environment variable MMLOADTEST_USERENTITIESCONFIGURATION_ACTIONRATEMILLISECONDS" in ended.error
    del made.environment["MMLOADTEST_USERENTITIESCONFIGURATION_ACTIONRATEMILLISECONDS"]
    ended = made.run("loadtest", "-c", "demo", "--set", "NumUsers=5")
    assert (ended.code, "SECTION.KEY=VALUE" in ended.error) == (2, True)
    ended = made.run("loadtest", "-c", "demo", "--set", "UserEntitiesConfiguration.NumActiveEntities=21")
    assert (ended.code, "there are 20" in ended.error) == (2, True)
    assert made.state("demo")["run"] is None


def test_a_working_folder_that_was_removed(ops: Ops) -> None:
    """What looks for a configuration in a folder that is gone is told to leave it."""
    gone = ops.folder / "gone"
    gone.mkdir()
    ops.inside = ("sh", "-c", 'cd "$1" && rmdir "$1" && shift && exec "$@"', "sh", str(gone))
    ended = ops.run_apart("loadtest", "-c", "demo")
    assert ended.code == 2
    assert ended.error == "the current folder was removed: change to one that is there"
