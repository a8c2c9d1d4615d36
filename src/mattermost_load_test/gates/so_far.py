"""Gates while a run goes on, on what its agents have logged until now.

Figures come from histograms, off by at most 1 %, so that memory does not grow with the run; what counts in the end is
decided on the exact samples.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from mattermost_load_test.timings.histogram import Histogram
from mattermost_load_test.timings.stats import Statistics, score

from .judging import Facts, GateResult, Outcome, judge
from .language import Gate, Limit

Counts = tuple[int, int, Sequence[float]]
"""What a line of timings holds of a route: hits, errors, and the durations of those that succeeded, in milliseconds."""


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


@dataclass(frozen=True, slots=True)
class AgentHealth:
    """What an agent told of itself last: signs of saturation, actions done and intended."""

    saturated: tuple[str, ...]
    actions: int
    actions_intended: float


class GatesSoFar:
    """Knows which gates are crossed, given what is logged by one agent or by several."""

    def __init__(self, gates: Sequence[Gate]) -> None:
        self._gates = [gate for gate in gates if not _only_grows(gate)]
        self._routes: dict[str, RouteSoFar] = {}
        self._overall = RouteSoFar()
        self._began_s: float | None = None
        self._now_s = 0.0
        self._health: dict[str, AgentHealth] = {}

    @property
    def elapsed_s(self) -> float:
        """How long the run has gone on, by the times in its log; 0 before its first request."""
        return 0.0 if self._began_s is None else max(0.0, self._now_s - self._began_s)

    def add(self, start_s: float, written_s: float, routes: Mapping[str, Counts]) -> None:
        """Count a line of timings: when its first request began, when it was written, what it holds by route."""
        self._now_s = max(self._now_s, written_s)
        self._began_s = start_s if self._began_s is None else min(self._began_s, start_s)
        for name, counts in routes.items():
            self._routes.setdefault(name, RouteSoFar()).add(*counts)
            self._overall.add(*counts)

    def tell(self, agent: str, health: AgentHealth) -> None:
        """Take what an agent told of itself, in place of what it told before."""
        self._health[agent] = health

    def crossed(self) -> list[GateResult]:
        """Return the gates that fail just now; one that cannot be decided yet fails nothing before the end."""
        if self._began_s is None:
            return []
        return [result for result in judge(self._gates, self._facts()) if result.outcome is Outcome.FAILED]

    def _facts(self) -> Facts:
        """Return what gates are decided on."""
        named = {gate.route for gate in self._gates if gate.route is not None}
        with_score = any(isinstance(gate.condition, Limit) and gate.condition.figure == "score" for gate in self._gates)
        told = self._health.values()
        intended = sum(health.actions_intended for health in told)
        return Facts(
            overall=self._overall.statistics,
            routes={name: self._routes[name].statistics() for name in named if name in self._routes},
            score=score(route.statistics() for route in self._routes.values()) if with_score else 0.0,
            duration_s=self.elapsed_s,
            achieved_share=sum(health.actions for health in told) / intended if intended else None,
            saturation=tuple(sign for health in told for sign in health.saturated) if told else None,
        )


def _only_grows(gate: Gate) -> bool:
    """Say whether a gate asks for so many of something that grows: it holds in the beginning of every run."""
    condition = gate.condition
    return isinstance(condition, Limit) and condition.figure in ("hits", "errors") and condition.comparison[0] == "<"
