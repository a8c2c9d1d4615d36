"""What was measured, by route: samples kept exactly, and the figures made of them.

All figures are exact over all samples, computed as the original tool computes them, its habits for routes with one or
two samples included (docs/results.md). All times are milliseconds.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import chain
from math import fsum, nan
from statistics import fmean
from typing import Any

# Below this many samples the original gives 0 for percentiles and the inter-quartile range, and counts it in the score.
FEWEST_FOR_PERCENTILES = 3
# Percentages are taken to a thousandth, so that "k is whole" is decided on whole numbers.
_PERCENT_PARTS = 1000
# Of a millisecond: takes the noise of binary fractions off a difference (13.1, not 13.099999999999998), nothing else.
_DIFFERENCE_DECIMALS = 9


@dataclass(frozen=True, slots=True)
class Statistics:
    """The figures of one route. Without a successful answer every time is 0; `error_rate` lies between 0 and 1."""

    hits: int
    errors: int
    error_rate: float
    samples: int
    mean_ms: float
    median_ms: float
    p90_ms: float
    p95_ms: float
    p99_ms: float
    max_ms: float
    min_ms: float
    inter_quartile_range_ms: float

    @property
    def score(self) -> float:
        """What this route adds to the score, before the average over all routes."""
        return self.p95_ms + self.median_ms + self.inter_quartile_range_ms


def mean_of(runs: Sequence[Statistics]) -> Statistics:
    """Return the mean of each figure over several runs of one route, counts rounded; of one run its own."""
    if len(runs) == 1:
        return runs[0]
    means: dict[str, Any] = {
        field.name: fmean(getattr(one, field.name) for one in runs) for field in fields(Statistics)
    }
    means |= {count: round(means[count]) for count in ("hits", "errors", "samples")}
    return Statistics(**means)


def mean_statistics(runs: Sequence[Mapping[str, Statistics]]) -> dict[str, Statistics]:
    """Return the mean figures of every route over the runs that have it, ordered by name."""
    names = sorted({name for run in runs for name in run})
    return {name: mean_of([run[name] for run in runs if name in run]) for name in names}


def median(ordered: Sequence[float]) -> float:
    """Return the middle of ascending samples, the mean of the two middle ones when their number is even, 0 for none."""
    count = len(ordered)
    if not count:
        return 0.0
    middle = count // 2
    return ordered[middle] if count % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def percentile(ordered: Sequence[float], percent: float) -> float:
    """Return a percentile of ascending samples: with k = percent/100·n the k-th, or the mean of the two around k.

    With fewer than three samples it is 0, as in the original.
    """
    count = len(ordered)
    if count < FEWEST_FOR_PERCENTILES:
        return 0.0
    whole, rest = divmod(round(percent * _PERCENT_PARTS) * count, 100 * _PERCENT_PARTS)
    if rest == 0:
        return ordered[max(whole, 1) - 1]
    lower = ordered[max(whole, 1) - 1]
    return (lower + ordered[min(whole, count - 1)]) / 2


def inter_quartile_range(ordered: Sequence[float]) -> float:
    """Return the median of the upper half less that of the lower; an odd number's middle sample is in neither.

    With fewer than three samples it is 0, as in the original.
    """
    count = len(ordered)
    if count < FEWEST_FOR_PERCENTILES:
        return 0.0
    half = count // 2
    return round(median(ordered[count - half :]) - median(ordered[:half]), _DIFFERENCE_DECIMALS)


class RouteTimings:
    """The samples of one route: durations of the answers with status 2xx, and counts of everything else.

    `hits` counts all requests; `errors` those without a 2xx answer, and `error_kinds` the same by status or kind as far
    as the log tells (the original's does not). `started_s` is parallel to `durations_ms`: when each of these requests
    began, in seconds since the epoch, NaN where the log does not tell; `failed_s` is when each error was logged, as far
    as known. All three are compact arrays, eight bytes each value.
    """

    __slots__ = ("durations_ms", "error_kinds", "errors", "failed_s", "hits", "started_s")

    def __init__(self) -> None:
        self.hits = 0
        self.errors = 0
        self.error_kinds: dict[str, int] = {}
        self.durations_ms = array("d")
        self.started_s = array("d")
        self.failed_s = array("d")

    def add(self, duration_ms: float, error: str | None = None) -> None:
        """Count one request: its duration if it succeeded, else the kind of its error."""
        self.hits += 1
        if error is None:
            self.durations_ms.append(duration_ms)
            self.started_s.append(nan)
        else:
            self.errors += 1
            self.error_kinds[error] = self.error_kinds.get(error, 0) + 1

    def add_many(
        self,
        hits: int,
        errors: int,
        durations_ms: Iterable[float],
        error_kinds: Mapping[str, int],
        started_s: Iterable[float] = (),
        failed_s: Iterable[float] = (),
    ) -> None:
        """Count what one line of a log holds for this route; durations without a start get NaN for one."""
        self.hits += hits
        self.errors += errors
        self.durations_ms.extend(durations_ms)
        self.started_s.extend(started_s)
        missing = len(self.durations_ms) - len(self.started_s)
        if missing > 0:
            self.started_s.extend([nan] * missing)
        elif missing < 0:
            del self.started_s[missing:]
        self.failed_s.extend(failed_s)
        for kind, count in error_kinds.items():
            self.error_kinds[kind] = self.error_kinds.get(kind, 0) + count

    def merge(self, other: RouteTimings) -> None:
        """Add all that `other` holds, as if both had been one from the start."""
        self.add_many(other.hits, other.errors, other.durations_ms, other.error_kinds, other.started_s, other.failed_s)

    def statistics(self) -> Statistics:
        """Compute the figures; sorts once, in time n log n."""
        return _statistics(self.hits, self.errors, sorted(self.durations_ms))


def _statistics(hits: int, errors: int, ordered: Sequence[float]) -> Statistics:
    """Compute the figures of so many requests, whose durations are `ordered`, ascending."""
    count = len(ordered)
    return Statistics(
        hits=hits,
        errors=errors,
        error_rate=errors / hits if hits else 0.0,
        samples=count,
        mean_ms=fsum(ordered) / count if count else 0.0,
        median_ms=median(ordered),
        p90_ms=percentile(ordered, 90),
        p95_ms=percentile(ordered, 95),
        p99_ms=percentile(ordered, 99),
        max_ms=ordered[-1] if ordered else 0.0,
        min_ms=ordered[0] if ordered else 0.0,
        inter_quartile_range_ms=inter_quartile_range(ordered),
    )


class Timings:
    """The samples of a run, or of one instance's part in it, by route name."""

    __slots__ = ("routes",)

    def __init__(self) -> None:
        self.routes: dict[str, RouteTimings] = {}

    def route(self, name: str) -> RouteTimings:
        """Return the timings of the route `name`, empty ones if it is new."""
        found = self.routes.get(name)
        if found is None:
            found = self.routes[name] = RouteTimings()
        return found

    def merge(self, other: Timings) -> None:
        """Add all that `other` holds."""
        for name, timings in other.routes.items():
            self.route(name).merge(timings)

    @property
    def hits(self) -> int:
        """The number of requests over all routes."""
        return sum(route.hits for route in self.routes.values())

    @property
    def errors(self) -> int:
        """The number of requests without a 2xx answer over all routes."""
        return sum(route.errors for route in self.routes.values())

    def overall(self) -> Statistics:
        """Compute the figures over the samples of all routes together."""
        durations = chain.from_iterable(route.durations_ms for route in self.routes.values())
        return _statistics(self.hits, self.errors, sorted(durations))

    def statistics(self) -> dict[str, Statistics]:
        """Compute the figures of every route, ordered by name."""
        return {name: self.routes[name].statistics() for name in sorted(self.routes)}


def score(statistics: Iterable[Statistics]) -> float:
    """Return the score of a run: the mean over its routes of 95th percentile + median + inter-quartile range.

    Lower is better; 0 without any route.
    """
    parts = [route.score for route in statistics]
    return fsum(parts) / len(parts) if parts else 0.0
