"""What a kind of cluster does: the protocol that `ltops` speaks to local, AWS and Kubernetes clusters alike.

A provider describes work as stages of steps (`steps.py`), so that every command can be shown first, run again, and
taken up where it stopped. Agents are started detached and looked at from outside: their states, what their files hold.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal, Protocol

from pydantic import SecretStr

from mattermost_load_test.errors import UsageError
from mattermost_load_test.ltops.cluster import Instance
from mattermost_load_test.ltops.progress import Progress
from mattermost_load_test.ltops.steps import Stage
from mattermost_load_test.ltops.store import Cluster

CONFIGURATION_FILE = "loadtestconfig.json"
LOG_FILE = "loadtest.log"
REPORT_FILE = "results.txt"
OUTPUT_FILE = "output.txt"
RUN_FILES = (LOG_FILE, REPORT_FILE, OUTPUT_FILE)
"""What an agent leaves in the folder of a job: its structured log, its report, what it wrote on stderr."""


@dataclass(frozen=True, slots=True)
class DeployOrder:
    """What `deploy` was asked for; None where nothing was said, which leaves what is there as it is."""

    mattermost: str | None = None
    license: Path | None = None
    loadtests: str | None = None
    users: int | None = None
    data_source: SecretStr | None = None
    values: Path | None = None
    agent_image: str | None = None
    force: bool = False
    host_timeout_s: float | None = None

    def refuse(self, kind: str, **options: object) -> None:
        """Raise `UsageError` for the first of these options that was given: `flag="--values"` by field's name."""
        for field, flag in options.items():
            if getattr(self, field) not in (None, False):
                raise UsageError(f"{flag} means nothing for a cluster of type {kind}")


@dataclass(frozen=True, slots=True)
class Job:
    """One command of `loadtest` to be run, detached, on the first `count` agents.

    `arguments` gives the command line for an agent's index, which is a text since some kinds of cluster only know it
    where the agent runs (``$JOB_COMPLETION_INDEX``). `configurations` are what they find as `loadtestconfig.json` in
    their folder, secrets included: agent n has the n-th, counted round.
    """

    id: str
    count: int
    configurations: Sequence[bytes]
    arguments: Callable[[str], Sequence[str]]


@dataclass(frozen=True, slots=True)
class AgentState:
    """How an agent is in a job. `exit_code` is set once it has ended; `reason` says why it waits or was lost.

    `losses` are one sentence each of what it wrote and nobody will read any more.
    """

    phase: Literal["waiting", "running", "ended", "lost"]
    exit_code: int | None = None
    reason: str = ""
    losses: Sequence[str] = ()

    @property
    def over(self) -> bool:
        """Whether nothing more is to come."""
        return self.phase in ("ended", "lost")


@dataclass(frozen=True, slots=True)
class Digest:
    """The size and SHA-256 (in hexadecimal) of a file."""

    size_bytes: int
    sha256: str


class Agents(Protocol):
    """The agents of a cluster. Each call raises `ServerError` when they cannot be reached."""

    starts_again: ClassVar[bool]
    """Whether an agent that dies is started again, for which its run must have a begin that is known beforehand."""

    come_with_a_job: ClassVar[bool]
    """Whether an agent is nowhere before it has a job: its clock can be asked while it runs."""

    def clock_offsets_ms(self) -> Sequence[float]:
        """Return by how much each agent's clock is ahead of ours."""
        ...

    def start(self, job: Job) -> None:
        """Start a job; what runs of an earlier one is ended."""
        ...

    def states(self, job_id: str, count: int) -> Sequence[AgentState]:
        """Return how each agent of a job is."""
        ...

    def read(self, job_id: str, index: int, file: str, offset: int) -> bytes:
        """Return what a file of `RUN_FILES` holds from `offset` on: empty at its end, or while it is not there."""
        ...

    def digest(self, job_id: str, index: int, file: str) -> Digest | None:
        """Return what a file can be compared by, None if there is none."""
        ...

    def home(self, job_id: str, index: int) -> str:
        """Return what tells where an agent's files are now from where they were: empty where they never move."""
        ...

    def stop(self, job_id: str, count: int) -> None:
        """Ask the agents of a job to end in good order, as Ctrl-C does; it does not wait for that."""
        ...

    def release(self, job_id: str) -> None:
        """Let go of what the agents of a job keep for being fetched: it is here."""
        ...


class Provider(Protocol):
    """A kind of cluster."""

    summary: ClassVar[str]
    """What it is, for help texts."""

    def check_options(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return the options of a new cluster, defaults filled in; raises `UsageError` for what it does not take."""
        ...

    def create(self, cluster: Cluster, progress: Progress) -> Iterable[Stage]:
        """Yield the stages that make the cluster; they fill in its state."""
        ...

    def deploy(self, cluster: Cluster, order: DeployOrder, progress: Progress) -> Iterable[Stage]:
        """Yield the stages that put servers and agents into place; raises `UsageError` for an order it cannot take."""
        ...

    def allow(self, cluster: Cluster, networks: Sequence[str], progress: Progress, *, add: bool) -> Iterable[Stage]:
        """Yield the stages that let these networks reach the cluster from now on, this machine where none is named.

        Others are let in no more, unless `add` says so. Raises `UsageError` for a kind that lets nobody in itself.
        """
        ...

    def left_in(self, directory: Path) -> bool:
        """Say whether the folder of a cluster shows that it is of this kind, whatever became of its state file."""
        ...

    def delete(self, directory: Path, cluster: Cluster | None, progress: Progress) -> Iterable[Stage]:
        """Yield the stages that remove everything but the cluster's folder; without a state, by what the folder tells.

        A step that cannot remove something raises `OperationError` with what that is.
        """
        ...

    def faults(self, cluster: Cluster) -> Mapping[str, str]:
        """Return what is wrong, by instance's name; an instance that is well is not in it."""
        ...

    def refresh(self, cluster: Cluster) -> None:
        """Bring addresses in the state up to date that change, or are given late; raises `ServerError`."""
        ...

    def agents(self, cluster: Cluster) -> Agents:
        """Return the cluster's agents."""
        ...

    def site(self, cluster: Cluster) -> AbstractContextManager[str]:
        """Give the URL by which this machine reaches the site while the context lasts; raises `ServerError`."""
        ...

    def database_client(self, cluster: Cluster) -> tuple[Instance, Sequence[str]] | None:
        """Return on which instance which command opens the database; None: it is opened here, by the data source."""
        ...

    def attach(self, cluster: Cluster, instance: Instance, command: Sequence[str]) -> int:
        """Run a command on an instance, a shell if it is empty, on this process's terminal; return its exit code."""
        ...

    def collect(self, cluster: Cluster, instance: Instance, into: Path) -> None:
        """Put an instance's logs and configurations, these without secrets, into a folder that is there."""
        ...

    def reach(self, cluster: Cluster, address: str, port: int = 0) -> AbstractContextManager[str]:
        """Give where, while the context lasts, this machine reaches what the instances know as `address`.

        Both are ``host:port``: the same, or the end of a tunnel, which listens on loopback, on `port` unless that is 0.
        Raises `ServerError` when there is no way there, `PortInUseError` when `port` is taken.
        """
        ...
