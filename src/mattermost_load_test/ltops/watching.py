"""What an agent's log tells of it while the run lasts: its phase, its requests, in bounded memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import orjson
from pydantic import ValidationError

from mattermost_load_test.gates import AgentHealth, GatesSoFar
from mattermost_load_test.reporting.agents_view import AgentRow
from mattermost_load_test.timings.health import HEALTH_TAG
from mattermost_load_test.timings.reading import HealthLine, TimingsLine
from mattermost_load_test.timings.records import TIMINGS_TAG
from mattermost_load_test.timings.stats import FEWEST_FOR_PERCENTILES, percentile

WINDOW_S = 15.0
"""Rates and percentiles are those of the last seconds: an agent writes its samples within five."""

_DURATIONS_MAX = 10_000
_PIECE_BYTES = 1 << 20
_PHASES = {
    "Running test": "setting up",
    "Logging in the entities": "logging in",
    "Waiting for the start": "waiting for the start",
    "Entities begin to act": "running",
    "Stopping the entities": "stopping",
}


class AgentWatch:
    """Follows the log of one agent, fed piece by piece. `clock` tells seconds that only go forward.

    `gates` are told what is in the log, too.
    """

    def __init__(self, name: str, clock: Callable[[], float], gates: GatesSoFar | None = None) -> None:
        self.phase = "starting"
        self.begun_s: float | None = None
        """When its users began to act, in seconds since the epoch by its own clock."""
        self._name = name
        self._clock = clock
        self._gates = gates
        self._rest = b""
        self._entities = 0
        self._requests = 0
        self._errors = 0
        self._recent: deque[tuple[float, int, Sequence[float]]] = deque()

    def catch_up(self, log: Path) -> None:
        """Take what was copied of the log before, if anything; it counts as long past."""
        if log.is_file():
            with log.open("rb") as stream:
                while piece := stream.read(_PIECE_BYTES):
                    self.feed(piece)
            self._recent.clear()

    def feed(self, piece: bytes) -> None:
        """Take the next piece of the log, cut anywhere."""
        *lines, self._rest = (self._rest + piece).split(b"\n")
        for line in lines:
            self._take(line)

    def durations_ms(self) -> list[float]:
        """Return the durations of the last seconds, at most some thousands of them."""
        self._forget()
        return [duration for _, _, durations in self._recent for duration in durations][-_DURATIONS_MAX:]

    def row(self) -> AgentRow:
        """Return the agent as it is shown."""
        durations = self.durations_ms()
        rate = sum(hits for _, hits, _ in self._recent) / WINDOW_S
        return AgentRow(self._name, self.phase, self._entities, self._requests, rate, self._errors, *middle(durations))

    def _take(self, line: bytes) -> None:
        try:
            fields = orjson.loads(line)
        except ValueError:
            return
        if not isinstance(fields, dict):
            return
        if fields.get("tag") == TIMINGS_TAG:
            self._count(fields)
        elif fields.get("tag") == HEALTH_TAG:
            self._tell_health(fields)
        elif fields.get("msg") in _PHASES:
            self.phase = _PHASES[fields["msg"]]
            self._entities = fields.get("entities", self._entities)
            if self.phase == "running":
                self.begun_s = fields.get("ts")

    def _count(self, fields: dict[str, object]) -> None:
        try:
            line = TimingsLine.model_validate(fields)
        except ValidationError:
            return
        routes = (line.timings.routes or {}).values()
        self._tell_timings(line)
        hits = sum(route.hits for route in routes)
        self._requests += hits
        self._errors += sum(route.errors for route in routes)
        durations = [duration for route in routes for duration in route.durations_ms or ()]
        self._recent.append((self._clock(), hits, durations))
        self._forget()

    def _tell_timings(self, line: TimingsLine) -> None:
        """Tell the gates, if there are any, of a line of timings."""
        if self._gates is None or line.start_s is None or line.written_s is None:
            return
        routes = (line.timings.routes or {}).items()
        counts = {name: (route.hits, route.errors, route.durations_ms or ()) for name, route in routes}
        self._gates.add(line.start_s, line.written_s, counts)

    def _tell_health(self, fields: dict[str, object]) -> None:
        """Tell the gates, if there are any, how the agent keeps up."""
        if self._gates is None:
            return
        try:
            line = HealthLine.model_validate(fields)
        except ValidationError:
            return
        signs = tuple(f"{self._name}: {sign}" for sign in line.saturated)
        self._gates.tell(self._name, AgentHealth(signs, line.actions, line.actions_intended))

    def _forget(self) -> None:
        """Let go of what is older than the window."""
        while self._recent and self._recent[0][0] < self._clock() - WINDOW_S:
            self._recent.popleft()


def total(watches: Iterable[AgentWatch]) -> AgentRow:
    """Return the sum of all agents, as it is shown; percentiles are over the samples of all."""
    watches = list(watches)
    rows = [watch.row() for watch in watches]
    durations = [duration for watch in watches for duration in watch.durations_ms()]
    phases = dict.fromkeys(row.phase for row in rows)
    return AgentRow(
        "all",
        ", ".join(phases) if len(phases) < 3 else f"{len(phases)} phases",
        sum(row.entities for row in rows),
        sum(row.requests for row in rows),
        sum(row.requests_per_s for row in rows),
        sum(row.errors for row in rows),
        *middle(durations),
    )


def middle(durations_ms: Sequence[float]) -> tuple[float | None, float | None]:
    """Return median and 95th percentile, None with too few samples."""
    if len(durations_ms) < FEWEST_FOR_PERCENTILES:
        return None, None
    ordered = sorted(durations_ms)
    return percentile(ordered, 50), percentile(ordered, 95)


def moment(elapsed_s: float | None, length_s: float) -> str:
    """Return in words how far a run is: users act since `elapsed_s`, negative before, None where it is not known."""
    if elapsed_s is None:
        return "preparing"
    if elapsed_s < 0:
        return f"begins in {_clock(-elapsed_s)}"
    return f"{_clock(min(elapsed_s, length_s))} of {_clock(length_s)}"


def _clock(duration_s: float) -> str:
    minutes, seconds = divmod(round(duration_s), 60)
    return f"{minutes}:{seconds:02}"
