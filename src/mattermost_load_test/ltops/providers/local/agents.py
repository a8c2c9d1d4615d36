"""The agents of a local cluster: one program of its supervisord each, in a folder of its own per job."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from mattermost_load_test.errors import OperationError, ServerUnreachableError
from mattermost_load_test.ltops.digests import sha256_of
from mattermost_load_test.ltops.providers.base import (
    CONFIGURATION_FILE,
    OUTPUT_FILE,
    AgentState,
    Digest,
    Job,
)
from mattermost_load_test.ltops.providers.local.layout import HOST, folder, made, write_private
from mattermost_load_test.ltops.supervision import MARK, Program, Supervisor

LOADTEST = (sys.executable, "-m", "mattermost_load_test.loadtest.cli")
"""This installation's agent."""

METRICS_VARIABLE = "MMLOADTEST_RESULTSCONFIGURATION_METRICSADDRESS"
READ_BYTES = 1 << 20
STOP_S = 60
_QUIET = 'exec "$@" >/dev/null'  # stdout would be the log once more


class LocalAgents:
    """See `Agents`: processes on this machine, each running `loadtest`, a command.

    `ports` are those of their metrics, by their names; empty for none.
    """

    starts_again: ClassVar[bool] = False
    come_with_a_job: ClassVar[bool] = False

    def __init__(
        self,
        directory: Path,
        supervisor: Supervisor,
        count: int,
        ports: Mapping[str, int],
        loadtest: Sequence[str] = LOADTEST,
    ) -> None:
        self._directory = directory
        self._supervisor = supervisor
        self._count = count
        self._ports = ports
        self._loadtest = loadtest

    def clock_offsets_ms(self) -> Sequence[float]:
        """Return noughts: there is one clock."""
        return [0.0] * self._count

    def start(self, job: Job) -> None:
        """Start a job; raises `OperationError`, `OutputError`."""
        for index in range(self._count):
            self._supervisor.drop(_name(index))
            self._forget_earlier(index)
        for index in range(job.count):
            path = made(self._folder(job.id, index))
            write_private(path / CONFIGURATION_FILE, job.configurations[index % len(job.configurations)])
            command = [*self._loadtest, *job.arguments(str(index))]
            self._supervisor.replace(
                Program(
                    _name(index),
                    ["/bin/sh", "-c", _QUIET, "loadtest", *command],
                    path,
                    path / OUTPUT_FILE,
                    {MARK: str(self._directory), **self._metrics(_name(index))},
                    stop_s=STOP_S,
                )
            )

    def states(self, job_id: str, count: int) -> Sequence[AgentState]:
        """Return how each agent of a job is."""
        try:
            programs = self._supervisor.states()
        except OperationError as error:
            if self._supervisor.lives():
                raise ServerUnreachableError(str(error)) from error
            return [AgentState("lost", reason=str(error))] * count
        found = []
        for index in range(count):
            program = programs.get(_name(index))
            if program is None or not self._folder(job_id, index).is_dir():
                found.append(AgentState("lost", reason="its process is gone"))
            elif program.running:
                found.append(AgentState("running"))
            elif program.exit_code < 0:
                found.append(AgentState("lost", reason="its process was killed"))
            else:
                found.append(AgentState("ended", program.exit_code))
        return found

    def read(self, job_id: str, index: int, file: str, offset: int) -> bytes:
        """Return a piece of a file from `offset` on."""
        try:
            with (self._folder(job_id, index) / file).open("rb") as stream:
                stream.seek(offset)
                return stream.read(READ_BYTES)
        except FileNotFoundError:
            return b""

    def digest(self, job_id: str, index: int, file: str) -> Digest | None:
        """Return a file's size and checksum."""
        path = self._folder(job_id, index) / file
        if not path.is_file():
            return None
        return Digest(path.stat().st_size, sha256_of(path))

    def home(self, job_id: str, index: int) -> str:
        """Return nothing: files stay where they are."""
        return ""

    def stop(self, job_id: str, count: int) -> None:
        """Send each agent SIGTERM, which ends it as Ctrl-C does."""
        for index in range(count):
            self._supervisor.stop_program(_name(index))

    def release(self, job_id: str) -> None:
        """Do nothing: the next job removes what the one before it left."""

    def _metrics(self, name: str) -> dict[str, str]:
        """Return the variable that tells an agent where to serve its metrics."""
        return {METRICS_VARIABLE: f"{HOST}:{self._ports[name]}"} if name in self._ports else {}

    def _forget_earlier(self, index: int) -> None:
        """Remove an agent's folders of earlier jobs, whose results were fetched."""
        home = folder(self._directory, _name(index))
        for path in home.iterdir() if home.is_dir() else ():
            if path.is_dir() and (path / CONFIGURATION_FILE).is_file():
                shutil.rmtree(path, ignore_errors=True)

    def _folder(self, job_id: str, index: int) -> Path:
        return folder(self._directory, f"{_name(index)}/{job_id}")


def _name(index: int) -> str:
    return f"loadtest-{index}"
