"""What parent and workers tell each other."""

from __future__ import annotations

from dataclasses import dataclass

from mattermost_load_test.loadtest.logins.token_cache import UserSession
from mattermost_load_test.loadtest.measuring.measures import Measures
from mattermost_load_test.logs import LogLine


@dataclass(frozen=True, slots=True)
class Begin:
    """To a worker: let the entities act until `ends_s` of the machine's monotonic clock."""

    ends_s: float


@dataclass(frozen=True, slots=True)
class Stop:
    """To a worker: begin nothing more, and end what is under way within `drain_s` seconds."""

    drain_s: float


@dataclass(frozen=True, slots=True)
class Ready:
    """From a worker: its entities are there and can begin."""


@dataclass(frozen=True, slots=True)
class DataLine:
    """From a worker: a finished line of timings for the log."""

    line: bytes


@dataclass(frozen=True, slots=True)
class Said:
    """From a worker: a line of the log for people."""

    line: LogLine


@dataclass(frozen=True, slots=True)
class Measured:
    """From a worker: what it has done so far; `final` is the last of its life, after everything else it sends."""

    measures: Measures
    final: bool = False


@dataclass(frozen=True, slots=True)
class SessionRenewed:
    """From a worker: a user logged in anew, and its earlier token is dead."""

    user: int
    session: UserSession


@dataclass(frozen=True, slots=True)
class Failed:
    """From a worker: it cannot go on, and ends; `reason` says why."""

    reason: str


Message = Begin | Stop | Ready | DataLine | Said | Measured | SessionRenewed | Failed
