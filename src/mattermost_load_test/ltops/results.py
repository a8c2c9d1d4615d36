"""The results of runs in a cluster's folder: the current run's in ``results/``, earlier ones below by start time.

A file grows while its agent writes it; fetched again from where it stops, it is whole after any break of the
connection, and at the end its size and checksum are compared with those where the agent is.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from mattermost_load_test.errors import OperationError, OutputError
from mattermost_load_test.ltops.cluster import Instance, RunRecord
from mattermost_load_test.ltops.digests import sha256_of
from mattermost_load_test.ltops.providers.base import LOG_FILE, OUTPUT_FILE, REPORT_FILE, Agents, Digest

CONFIGURATION_COPY = "loadtestconfig.json"
SUMMARY = "summary.txt"
"""The report of the run as it was shown at its end."""

_NAMES = {LOG_FILE: "loadtest-out-{}.txt", REPORT_FILE: "report-{}.txt", OUTPUT_FILE: "output-{}.txt"}
_FETCHES = 3


def result_name(file: str, instance: Instance) -> str:
    """Return what a file of an agent is called in the results: ``loadtest-out-<address or pod>.txt``."""
    return _NAMES[file].format(instance.address.replace(":", "-"))


def begin_results(folder: Path, run: RunRecord, earlier: RunRecord | None) -> None:
    """Make the folder of a new run's results; what it holds of the run before moves into a folder of its own.

    Raises `OutputError`.
    """
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        files = [path for path in folder.iterdir() if path.is_file()]
        if files:
            kept = folder / (earlier.id if earlier else f"before-{run.id}")
            kept.mkdir(mode=0o700, exist_ok=True)
            for path in files:
                path.replace(kept / path.name)
    except OSError as error:
        raise OutputError(f"{error.filename or folder} cannot be written: {error.strerror}") from error


def keep(path: Path, text: str) -> None:
    """Write a text beside the results; raises `OutputError`."""
    try:
        path.write_text(text)
        path.chmod(0o600)
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror}") from error


def earlier_copies(path: Path) -> list[Path]:
    """Return the copies of an agent's file that were set aside, the oldest first."""
    return sorted(path.parent.glob(f"{path.stem}-earlier-*{path.suffix}"))


def _free_name(path: Path) -> Path:
    """Return what a copy is called that is set aside."""
    return path.with_name(f"{path.stem}-earlier-{len(earlier_copies(path)) + 1}{path.suffix}")


class Copy:
    """The local copy of a file that an agent writes: `fetch` adds what is new, `complete` makes it whole."""

    def __init__(self, agents: Agents, job_id: str, index: int, file: str, path: Path) -> None:
        self.path = path
        self._agents = agents
        self._job_id = job_id
        self._index = index
        self._file = file
        self._home = ""

    def fetch(self) -> bytes:
        """Return the next piece, which is in the copy then; empty when there is none yet. Raises `OutputError`."""
        self._follow()
        piece = self._agents.read(self._job_id, self._index, self._file, self._size())
        if piece:
            try:
                with self.path.open("ab") as copy:
                    copy.write(piece)
            except OSError as error:
                raise OutputError(
                    f"{self.path} cannot be written: {error.strerror}; the test goes on: make room, then "
                    "`ltops loadtest --attach` fetches the rest"
                ) from error
        return piece

    def complete(self) -> None:
        """Fetch the rest and compare it; raises `OperationError` when the copy differs from the original."""
        for _ in range(_FETCHES):
            while self.fetch():
                pass
            original = self._agents.digest(self._job_id, self._index, self._file)
            if original is None or original == self._digest():
                return
            self.path.unlink(missing_ok=True)
        raise OperationError(f"{self.path} differs from what agent {self._index} wrote, after {_FETCHES} attempts")

    def _follow(self) -> None:
        """Set the copy of a log aside when its agent writes elsewhere since its pod was lost: another copy begins.

        Where it wrote is kept beside the copy, for whoever follows the run after us.
        """
        home = self._agents.home(self._job_id, self._index) if self._file == LOG_FILE else ""
        if home in ("", self._home):
            return
        known = self.path.with_name(f".{self.path.name}.home")
        try:
            if self._size() and known.is_file() and known.read_text() != home:
                self.path.rename(_free_name(self.path))
            known.write_text(home)
        except OSError as error:
            raise OutputError(f"{error.filename or known} cannot be written: {error.strerror}") from error
        self._home = home

    def _size(self) -> int:
        return self.path.stat().st_size if self.path.is_file() else 0

    def _digest(self) -> Digest:
        if not self.path.is_file():
            return Digest(0, hashlib.sha256().hexdigest())
        return Digest(self._size(), sha256_of(self.path))
