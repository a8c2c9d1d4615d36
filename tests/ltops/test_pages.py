"""The pages for people: every command in them is run as it stands; the help has examples; shells complete."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from mattermost_load_test.ltops.cli import COMMANDS, cli

DOCS = Path(__file__).parents[2] / "docs"
PROGRAMS = Path(sys.executable).parent
PAGES = ("first-run.md", "own-server.md", "comparing-builds.md", "reading-results.md")
DEADLINE_S = 500

Ops = Any
"""An `Ops` of the conftest beside."""

MakeArchive = Any
"""Its `MakeArchive`."""

QUICK = {
    "USERENTITIESCONFIGURATION_TESTLENGTHMINUTES": "0.05",
    "USERENTITIESCONFIGURATION_NUMACTIVEENTITIES": "10",
    "USERENTITIESCONFIGURATION_ACTIONRATEMILLISECONDS": "300",
    "USERENTITIESCONFIGURATION_NUMPROCESSES": "1",
    "USERENTITIESCONFIGURATION_MAXLATENESSMILLISECONDS": "60000",
    "LOADTESTENVIROMENTCONFIG_NUMPOSTS": "0",
}
"""What makes the runs of the pages short; the commands are left as they are."""


def commands_of(page: str) -> str:
    """Return the shell commands of a page, as one script."""
    return "\n".join(re.findall(r"```sh\n(.*?)```", (DOCS / page).read_text(), re.DOTALL))


@pytest.mark.slow
@pytest.mark.timeout(DEADLINE_S + 60)
@pytest.mark.parametrize("page", PAGES)
def test_commands_of_a_page(ops: Ops, page: str, make_archive: MakeArchive) -> None:
    """A user who types what the page says has what it says; nothing is left."""
    script = commands_of(page)
    for name in re.findall(r"-m (\S+)", script):
        make_archive(ops.folder / name, name)
    home = ops.home / "home"
    home.mkdir()
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MMLOADTEST_", "LTOPS_"))}
    environment |= {f"MMLOADTEST_{name}": value for name, value in QUICK.items()}
    environment |= {"HOME": str(home), "PATH": f"{PROGRAMS}:{environment['PATH']}"}
    (ops.folder / "loadtestconfig.json").unlink()
    ran = subprocess.run(
        ["bash", "-euc", script],
        cwd=ops.folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        stdin=subprocess.DEVNULL,
    )
    shutil.rmtree(home / ".mattermost-load-test-ops" / ".downloads", ignore_errors=True)
    left = list((home / ".mattermost-load-test-ops").iterdir())
    for path in left:
        subprocess.run([PROGRAMS / "ltops", "delete", path.name, "--yes"], env=environment, capture_output=True)
    assert ran.returncode == 0, f"{ran.stdout}\n{ran.stderr}"
    assert left == []
    shutil.rmtree(home)


def test_every_command_is_in_the_help() -> None:
    """The command's help lists every command, and a command's help has examples."""
    shown = CliRunner().invoke(cli, ["--help"]).output
    for name in COMMANDS:
        assert name in shown
        if name not in ("help", "destroy"):
            assert "Examples:" in CliRunner().invoke(cli, [name, "--help"]).output
            assert CliRunner().invoke(cli, ["help", name]).output == CliRunner().invoke(cli, [name, "--help"]).output


COMPLETIONS = {
    "bash": {"COMP_WORDS": "ltops deploy -c de", "COMP_CWORD": "3"},
    "zsh": {"COMP_WORDS": "ltops deploy -c de", "COMP_CWORD": "3"},
    "fish": {"COMP_WORDS": "ltops deploy -c de", "COMP_CWORD": "de"},
}


@pytest.mark.parametrize("shell", COMPLETIONS)
def test_shell_completion(ops: Ops, shell: str) -> None:
    """Each shell gets a script, which the page shows how to load, and is told the clusters' names."""
    if shell == "bash" and subprocess.run(["bash", "-c", "complete -p; true"]).returncode:
        pytest.skip("this bash was built without completion")
    assert f"_LTOPS_COMPLETE={shell}_source" in (DOCS / "ltops.md").read_text()
    environment = os.environ | {"_LTOPS_COMPLETE": f"{shell}_source", "LTOPS_HOME": str(ops.home)}
    script = subprocess.run([PROGRAMS / "ltops"], env=environment, capture_output=True, text=True, check=True).stdout
    assert "_LTOPS_COMPLETE" in script
    if shutil.which(shell):
        subprocess.run([shell, "-n"], input=script, text=True, check=True)
    (ops.home / "demo").mkdir()
    environment |= {"_LTOPS_COMPLETE": f"{shell}_complete"} | COMPLETIONS[shell]
    told = subprocess.run([PROGRAMS / "ltops"], env=environment, capture_output=True, text=True, check=True).stdout
    assert "demo" in told
    (ops.home / "demo").rmdir()
