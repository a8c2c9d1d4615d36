"""Sees to it that nothing of a test's cluster outlives the tests, whatever ends them.

Programs of a cluster are `Processes`: the kernel kills them when the tests' process ends. What is no process is
removed by the keeper, a process of its own that waits for its standard input to end, as it does when the tests' process
ends in any way. An ordinary end takes the same path.
"""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from kubernetes.client import ApiException
from urllib3.exceptions import HTTPError

CGROUPS = Path("/sys/fs/cgroup")
REMOVAL_TIMEOUT_S = 60.0

START_TIMEOUT_S = 90.0
"""How long a part of a cluster may take to start: several times what it takes on a busy machine of two cores."""

PREFIX = "mlt-kubernetes-"


@contextlib.contextmanager
def kept_folder() -> Iterator[Path]:
    """Give a folder for a cluster; it and control groups of its name are gone when the tests have ended in any way."""
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir="/tmp"))
    command = [sys.executable, "-m", "tests.kubernetes.keeping", str(folder)]
    root = Path(__file__).parents[2]
    keeper = subprocess.Popen(command, cwd=root, stdin=subprocess.PIPE, start_new_session=True)
    try:
        yield folder
    finally:
        assert keeper.stdin is not None
        keeper.stdin.close()
        assert keeper.wait(2 * REMOVAL_TIMEOUT_S) == 0, f"left over: {folder}, or control groups of that name"


class Processes:
    """Programs of a cluster, started one after the other; what each prints goes to ``NAME.log`` in its folder."""

    def __init__(self, folder: Path, enter: Sequence[str] = ()) -> None:
        """`enter` is the command that starts another one where the programs run."""
        self.folder = folder
        self.enter = enter
        self._started: list[subprocess.Popen[bytes]] = []

    def run(self, name: str, *command: str) -> subprocess.Popen[bytes]:
        """Start a program, which is killed when the thread that starts it ends."""
        with (self.folder / f"{name}.log").open("ab") as output:
            process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", *self.enter, *command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        self._started.append(process)
        return process

    def until(self, condition: Callable[[], Any], what: str, timeout_s: float = START_TIMEOUT_S) -> Any:
        """Wait until something holds, and return it; an API server's error does not count, nor that it is away."""
        end_s = time.monotonic() + timeout_s
        error: Exception | None = None
        while True:
            try:
                if found := condition():
                    return found
            except (ApiException, HTTPError) as caught:
                error = caught
            for process in self._started:
                assert process.poll() is None, f"{process.args} ended with {process.returncode}:\n{self.said()}"
            assert time.monotonic() < end_s, f"it did not happen: {what} ({error})\n{self.said()}"
            time.sleep(0.1)

    def said(self) -> str:
        """Return the end of what each program has said, for the message of a failure."""
        logs = sorted(self.folder.glob("*.log"))
        return "\n".join(f"--- {path.name}\n{path.read_text(errors='replace')[-3000:]}" for path in logs)

    def kill(self) -> None:
        """End the programs at once: nothing of what they keep is wanted any more."""
        for process in self._started:
            process.kill()
        for process in self._started:
            process.wait()


def remove(folder: Path) -> None:
    """Remove a cluster's folder and its control groups, as soon as its processes are gone."""
    end_s = time.monotonic() + REMOVAL_TIMEOUT_S
    while left := [*CGROUPS.glob(f"*/{folder.name}"), *CGROUPS.glob(folder.name)]:
        for top in left:
            for path in (*sorted(top.rglob("*/"), reverse=True), top):  # children before their parents
                with contextlib.suppress(OSError):  # a process in it is still ending
                    path.rmdir()
        if time.monotonic() > end_s:
            raise TimeoutError(f"control groups with processes in them: {left}")
        time.sleep(0.1)
    while folder.exists():
        shutil.rmtree(folder, ignore_errors=time.monotonic() < end_s)  # a process that is ending may still write


if __name__ == "__main__":
    sys.stdin.buffer.read()
    remove(Path(sys.argv[1]))
