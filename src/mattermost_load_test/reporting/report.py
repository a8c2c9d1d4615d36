"""What a report says, whatever its format: the figures of every route, beside those of a baseline if there is one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

from mattermost_load_test.gates import GateResult
from mattermost_load_test.timings.comparison import Comparison
from mattermost_load_test.timings.health import HealthPoint
from mattermost_load_test.timings.records import Origin
from mattermost_load_test.timings.stats import Statistics, Timings, mean_statistics, score

from .pictures import Pictures


@dataclass(frozen=True, slots=True)
class RouteReport:
    """The figures of one route. `baseline` is None when there is no baseline, or none of this route.

    Of several baselines it holds the mean of each figure.
    """

    name: str
    actual: Statistics
    error_kinds: Mapping[str, int] = field(default_factory=dict)
    baseline: Statistics | None = None


@dataclass(frozen=True, slots=True)
class InstanceReport:
    """One agent found in the logs; `shown` says whether it is in the figures. Times are seconds since the epoch.

    `health` is the last that it told of itself, `saturation` the signs that it could not keep up, `origin` what it
    played on which version of the server; None if untold.
    """

    instance_id: str
    source: str
    started_s: float | None
    ended_s: float | None
    hits: int
    errors: int
    shown: bool
    saturation: tuple[str, ...] | None = None
    health: HealthPoint | None = None
    origin: Origin | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """The results of a run, ready to be shown: routes ordered by name, and the score over them.

    `baselines` is the number of runs that it is compared with, whose mean figures are the baseline's; without one
    `baseline_score` is None. `baseline_only` names the routes that only the baseline has. `login`
    holds the routes of the login phase, which are in no score. `gates` are those that were asked for, the failed ones
    first; `comparison` says what is more than noise, which text and markdown show if `show_verdict`. `saturation` tells
    which agents could not keep up, and is None where the logs do not tell. `pictures` are there if they were asked for.
    """

    routes: tuple[RouteReport, ...]
    score: float
    baselines: int = 0
    baseline_score: float | None = None
    baseline_only: tuple[str, ...] = ()
    login: tuple[RouteReport, ...] = ()
    instances: tuple[InstanceReport, ...] = ()
    settings: Mapping[str, object] | None = None
    baseline_settings: Mapping[str, object] | None = None
    warnings: tuple[str, ...] = ()
    gates: tuple[GateResult, ...] = ()
    comparison: Comparison | None = None
    show_verdict: bool = False
    saturation: tuple[str, ...] | None = None
    pictures: Pictures | None = None

    @classmethod
    def of(cls, timings: Timings, baselines: Sequence[Timings] = ()) -> Self:
        """Compute the report of `timings`, compared with the mean of `baselines` if there are any."""
        actual = timings.statistics()
        before = mean_statistics([one.statistics() for one in baselines])
        return cls(
            routes=route_reports(timings, actual, before),
            score=score(actual.values()),
            baselines=len(baselines),
            baseline_score=score(before.values()) if baselines else None,
            baseline_only=tuple(name for name in before if name not in actual),
        )

    @property
    def compares(self) -> bool:
        """Whether there is a baseline."""
        return self.baselines > 0

    @property
    def failed_gates(self) -> tuple[GateResult, ...]:
        """The gates that did not pass."""
        return tuple(result for result in self.gates if not result.passed)


def route_reports(
    timings: Timings, statistics: Mapping[str, Statistics], baseline: Mapping[str, Statistics] | None = None
) -> tuple[RouteReport, ...]:
    """Return the report of each route of `timings`, whose figures are `statistics`."""
    return tuple(
        RouteReport(name, figures, dict(timings.routes[name].error_kinds), (baseline or {}).get(name))
        for name, figures in statistics.items()
    )
