"""The command `ltops` with a home and a folder of its own, as tests run it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

OURS = ("MMLOADTEST_", "LTOPS_")
"""How variables begin that tests do not inherit."""


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    stdout: str
    stderr: str

    @property
    def error(self) -> str:
        """The one error message on stderr; nothing else may look like a mishap."""
        assert "Traceback" not in self.stderr, self.stderr
        found = self.stderr.split("Error: ")
        assert len(found) == 2, self.stderr
        return found[1].strip()


class Command:
    """Runs `ltops` in `folder`; `inside` is the beginning of a command that runs it somewhere else than here.

    `deadline_s` is how long a command may take: far longer than any takes.
    """

    deadline_s = 100.0
    inside: Sequence[str] = ()

    def __init__(self, home: Path, folder: Path) -> None:
        self.home = home
        self.folder = folder
        self.environment = {"LTOPS_HOME": str(home)}
        self.started: list[subprocess.Popen[str]] = []

    def start(self, *arguments: str, **pipes: Any) -> subprocess.Popen[str]:
        """Start `ltops` with these arguments."""
        process = subprocess.Popen(
            [*self.inside, sys.executable, "-m", "mattermost_load_test.ltops.cli", *arguments],
            cwd=self.folder,
            env={name: value for name, value in os.environ.items() if not name.startswith(OURS)} | self.environment,
            text=True,
            **({"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | pipes),
        )
        self.started.append(process)
        return process

    def run_apart(self, *arguments: str) -> Ended:
        """Run `ltops` with these arguments to its end, as a process."""
        process = self.start(*arguments)
        stdout, stderr = process.communicate(timeout=self.deadline_s)
        return Ended(process.returncode, stdout, stderr)

    def run(self, *arguments: str) -> Ended:
        """Run `ltops` with these arguments to its end."""
        return self.run_apart(*arguments)

    def good(self, *arguments: str) -> Ended:
        """Run `ltops` with these arguments; it must succeed."""
        ended = self.run(*arguments)
        assert ended.code == 0, f"{arguments}: {ended.code}\n{ended.stdout}\n{ended.stderr}"
        return ended

    def status(self, name: str) -> dict[str, Any]:
        """Return what `status` says of a cluster."""
        (found,) = json.loads(self.good("status", "-c", name, "--json", "--show-secrets").stdout)
        assert isinstance(found, dict)
        return found

    def state(self, name: str) -> dict[str, Any]:
        """Return a cluster's state file."""
        found = json.loads((self.home / name / "clusterinfo.json").read_text())
        assert isinstance(found, dict)
        return found

    def until(self, condition: Callable[[], object], what: str, deadline_s: float | None = None) -> None:
        """Wait until a condition holds."""
        end_s = time.monotonic() + (deadline_s or self.deadline_s)
        while not condition():
            self.check()
            assert time.monotonic() < end_s, f"it did not happen: {what}"
            time.sleep(0.05)

    def check(self) -> None:
        """Raise `AssertionError` where waiting is in vain."""
