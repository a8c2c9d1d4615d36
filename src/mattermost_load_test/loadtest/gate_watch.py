"""Gates while a run goes on: which are crossed just now, and which of them end it.

It takes the lines of data as they go into the log. Figures come from histograms, off by at most 1 %, so that memory
does not grow with the run; what counts in the end is decided on the exact samples (`outcome`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from mattermost_load_test.errors import GateFailedError
from mattermost_load_test.gates import Facts, Gate, GateResult, Limit, Outcome, judge
from mattermost_load_test.loadtest.histogram import Histogram
from mattermost_load_test.logs import LogLine
from mattermost_load_test.timings.health import HEALTH_TAG
from mattermost_load_test.timings.records import TIMINGS_TAG
from mattermost_load_test.timings.stats import Statistics, score

ABORT_FROM_S = 10.0  # into the run: one error among the first three requests is no reason to end it
_MARKS = (b'"tag":"timings"', b'"tag":"health"')  # lines without one of these are not looked at


@dataclass(frozen=True, slots=True)
class RunGates:
    """The gates of a run: those that fail it, and those that also end it as soon as they are crossed."""

    fail_on: tuple[Gate, ...] = ()
    abort_on: tuple[Gate, ...] = ()

    @property
    def all(self) -> tuple[Gate, ...]:
        """All gates, which are decided once more at the end."""
        return (*self.fail_on, *self.abort_on)


@dataclass(slots=True)
class RouteSoFar:
    """What was measured on a route until now, in bounded memory."""

    hits: int = 0
    errors: int = 0
    total_ms: float = 0.0
    smallest_ms: float = 0.0
    durations_ms: Histogram = field(default_factory=Histogram)

    def add(self, hits: int, errors: int, durations_ms: Sequence[float]) -> None:
        """Count what a line holds."""
        if durations_ms:
            least = min(durations_ms)
            self.smallest_ms = min(self.smallest_ms, least) if self.durations_ms.count else least
        self.hits += hits
        self.errors += errors
        for duration_ms in durations_ms:
            self.total_ms += duration_ms
            self.durations_ms.add(duration_ms)

    def statistics(self) -> Statistics:
        """Return the figures so far."""
        seen = self.durations_ms
        quarter, median, three_quarters, p90, p95, p99 = map(seen.percentile, (25, 50, 75, 90, 95, 99))
        return Statistics(
            hits=self.hits,
            errors=self.errors,
            error_rate=self.errors / self.hits if self.hits else 0.0,
            samples=seen.count,
            mean_ms=self.total_ms / seen.count if seen.count else 0.0,
            median_ms=median,
            p90_ms=p90,
            p95_ms=p95,
            p99_ms=p99,
            max_ms=seen.largest,
            min_ms=self.smallest_ms,
            inter_quartile_range_ms=three_quarters - quarter,
        )


class GateWatch:
    """A sink of the log that knows which gates are crossed; `end` is called when one is that ends the run."""

    vital = False

    def __init__(self, gates: RunGates, end: Callable[[GateFailedError], object]) -> None:
        self._gates = gates
        self._end = end
        self._routes: dict[str, RouteSoFar] = {}
        self._overall = RouteSoFar()
        self._began_s: float | None = None
        self._now_s = 0.0
        self._saturation: tuple[str, ...] | None = None
        self._achieved_share: float | None = None
        self._told: set[str] = set()

    def write(self, line: LogLine) -> None:
        """Pass by: only data is looked at."""

    def write_data(self, line: bytes) -> None:
        """Count what a line of data holds."""
        if not any(mark in line for mark in _MARKS):
            return
        fields = orjson.loads(line)
        if fields["tag"] == TIMINGS_TAG:
            self._count(fields)
        elif fields["tag"] == HEALTH_TAG:
            self._saturation = tuple(fields["saturated"])
            intended = fields["actions_intended"]
            self._achieved_share = fields["actions"] / intended if intended else None

    def close(self) -> None:
        """Keep what was counted."""

    def _count(self, fields: dict[str, Any]) -> None:
        """Count a line of timings."""
        self._now_s = fields["ts"]
        self._began_s = fields["start"] if self._began_s is None else min(self._began_s, fields["start"])
        for name, entry in fields["timings"]["Routes"].items():
            counted = (entry["NumHits"], entry["NumErrors"], entry["Duration"])
            self._routes.setdefault(name, RouteSoFar()).add(*counted)
            self._overall.add(*counted)

    def crossed(self, tell: Callable[[str], object]) -> tuple[str, ...]:
        """Return the gates that fail just now, each with its figure; tell each once, and end the run if one says so.

        A gate that cannot be decided yet fails nothing before the end.
        """
        if self._began_s is None:
            return ()
        failed = [result for result in self._judged() if result.outcome is Outcome.FAILED]
        for result in failed:
            if result.gate.text not in self._told:
                self._told.add(result.gate.text)
                tell(f"gate crossed: {result.gate.text}: {result.reason}")
        self._end_if_wanted(failed, self._now_s - self._began_s)
        return tuple(f"{result.gate.text}: {result.reason}" for result in failed)

    def _judged(self) -> Sequence[GateResult]:
        """Decide the gates that mean something before the end."""
        gates = [gate for gate in self._gates.all if not _only_grows(gate)]
        named = {gate.route for gate in gates if gate.route is not None}
        with_score = any(isinstance(gate.condition, Limit) and gate.condition.figure == "score" for gate in gates)
        facts = Facts(
            overall=self._overall.statistics,
            routes={name: self._routes[name].statistics() for name in named if name in self._routes},
            score=score(route.statistics() for route in self._routes.values()) if with_score else 0.0,
            duration_s=self._now_s - (self._began_s or 0.0),
            achieved_share=self._achieved_share,
            saturation=self._saturation,
        )
        return judge(gates, facts)

    def _end_if_wanted(self, failed: Sequence[GateResult], elapsed_s: float) -> None:
        """End the run if one of the gates that do is crossed."""
        if elapsed_s < ABORT_FROM_S:
            return
        ending = next((result for result in failed if result.gate in self._gates.abort_on), None)
        if ending is not None:
            self._end(GateFailedError(f"the run was ended early, as a gate was crossed: {ending}"))


def _only_grows(gate: Gate) -> bool:
    """Say whether a gate asks for so many of something that grows: it holds in the beginning of every run."""
    condition = gate.condition
    return isinstance(condition, Limit) and condition.figure in ("hits", "errors") and condition.comparison[0] == "<"
