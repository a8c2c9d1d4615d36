"""Comparing two runs route by route: what became slower or fails more, by more than noise and by enough to matter.

A figure is called worse (or better) only where its test, corrected for all tests of the comparison, says that the
difference is no noise, and the difference as measured is larger than `Thresholds`. See docs/comparing.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from .over_time import moments
from .significance import BlockedSamples, ErrorCounts, Shift, Span, error_rate_shift, holm, percentile_shift, together
from .stats import RouteTimings, Timings

SIGNIFICANCE = 0.05  # the chance that any of all equal figures is called different
# Percentiles tested, with the samples that each run must have of a route: ten of them beyond the percentile.
PERCENTILES: Mapping[str, tuple[float, int]] = {"median": (50, 20), "p95": (95, 200)}
ERROR_RATE = "error_rate"
FEWEST_REQUESTS = 20  # for a test of the error rate


class Change(StrEnum):
    """What a comparison says of one figure."""

    WORSE = "worse"
    BETTER = "better"
    SAME = "no change that matters"
    UNCLEAR = "unclear"


class Verdict(StrEnum):
    """What a comparison says of a route or a whole run; `UNCLEAR` is a difference that may be noise."""

    SLOWER = "slower"
    MORE_ERRORS = "more errors"
    SLOWER_MORE_ERRORS = "slower, more errors"
    FASTER = "faster"
    FEWER_ERRORS = "fewer errors"
    UNCLEAR = "unclear"
    SAME = "same"
    TOO_FEW = "too few samples"
    NEW = "new"
    VANISHED = "vanished"


WORSE_VERDICTS = frozenset({Verdict.SLOWER, Verdict.MORE_ERRORS, Verdict.SLOWER_MORE_ERRORS})
BETTER_VERDICTS = frozenset({Verdict.FASTER, Verdict.FEWER_ERRORS})


class Outcome(StrEnum):
    """What a comparison says of the whole run."""

    WORSE = "worse"
    BETTER = "better"
    SAME = "no change that matters"
    UNTESTED = "too few samples"


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Differences that matter: of times, both the share of the baseline's and milliseconds; of error rates, a share."""

    share: float = 0.05
    duration_ms: float = 1.0
    error_rate: float = 0.001

    def matters(self, figure: str, shift: Shift) -> bool:
        """Say whether a difference is large enough to be called one."""
        difference = abs(shift.after - shift.before)
        if figure == ERROR_RATE:
            return difference >= self.error_rate
        return difference >= self.duration_ms and difference >= self.share * shift.before


@dataclass(frozen=True, slots=True)
class Difference:
    """One figure of one route in both runs: milliseconds, or a share for the error rate. `p_value` is corrected."""

    figure: str
    shift: Shift
    p_value: float
    change: Change


@dataclass(frozen=True, slots=True)
class RouteComparison:
    """What became of a route; `differences` are those of its figures that could be tested."""

    name: str
    verdict: Verdict
    differences: tuple[Difference, ...] = ()

    def difference(self, figure: str) -> Difference | None:
        """Return the difference of one figure, None where it was not tested."""
        return next((one for one in self.differences if one.figure == figure), None)


@dataclass(frozen=True, slots=True)
class Comparison:
    """What became of a run: `routes` are those of both runs, by name; `tests` is their number, corrected for."""

    routes: Mapping[str, RouteComparison]
    tests: int
    thresholds: Thresholds = field(default_factory=Thresholds)

    @property
    def outcome(self) -> Outcome:
        """The run as a whole: one worse route makes it worse."""
        verdicts = {route.verdict for route in self.routes.values()}
        if verdicts & WORSE_VERDICTS:
            return Outcome.WORSE
        if verdicts & BETTER_VERDICTS:
            return Outcome.BETTER
        return Outcome.SAME if self.tests else Outcome.UNTESTED

    def tested(self, figure: str) -> frozenset[str]:
        """Return the names of the routes of which a figure was tested."""
        return frozenset(name for name, route in self.routes.items() if route.difference(figure))

    def worse(self, figure: str) -> dict[str, Difference]:
        """Return the differences of the routes of which a figure became worse, by name."""
        found = {name: route.difference(figure) for name, route in self.routes.items()}
        return {name: one for name, one in found.items() if one is not None and one.change is Change.WORSE}


def compare(actual: Timings, baseline: Timings, thresholds: Thresholds | None = None) -> Comparison:
    """Compare the samples of a run with those of a baseline."""
    thresholds = thresholds or Thresholds()
    spans = span_of(baseline), span_of(actual)
    names = sorted(actual.routes.keys() | baseline.routes.keys())
    common = [name for name in names if name in actual.routes and name in baseline.routes]
    shifts = {name: dict(_shifts(baseline.routes[name], actual.routes[name], spans)) for name in common}
    differences = _corrected(shifts, thresholds)
    verdicts = {name: _verdict(name, differences.get(name, ()), actual, baseline) for name in names}
    routes = {name: RouteComparison(name, verdicts[name], differences.get(name, ())) for name in names}
    return Comparison(routes, sum(map(len, shifts.values())), thresholds)


def span_of(timings: Timings) -> Span | None:
    """Return the time that the requests of a run span, None where the log does not tell it of all of them."""
    found = moments(timings)
    return Span(*found) if found is not None else None


def _shifts(
    before: RouteTimings, after: RouteTimings, spans: tuple[Span | None, Span | None]
) -> Iterator[tuple[str, Shift]]:
    """Yield how far each figure of a route moved that both runs have enough samples of."""
    old, new = BlockedSamples(before, spans[0]), BlockedSamples(after, spans[1])
    both = together(old, new)
    fewest = min(len(old.ordered), len(new.ordered))
    for figure, (percent, needed) in PERCENTILES.items():
        if fewest >= needed:
            yield figure, percentile_shift(old, new, percent, both)
    if min(before.hits, after.hits) >= FEWEST_REQUESTS:
        counts = ErrorCounts.of(before, old, spans[0]), ErrorCounts.of(after, new, spans[1])
        yield ERROR_RATE, error_rate_shift(*counts)


def _corrected(shifts: Mapping[str, Mapping[str, Shift]], thresholds: Thresholds) -> dict[str, tuple[Difference, ...]]:
    """Return what each shift means once all are corrected for their number."""
    flat = [(name, figure, shift) for name, figures in shifts.items() for figure, shift in figures.items()]
    found: dict[str, list[Difference]] = {}
    for (name, figure, shift), p_value in zip(flat, holm([shift.p_value for _, _, shift in flat]), strict=True):
        change = _change(figure, shift, p_value, thresholds)
        found.setdefault(name, []).append(Difference(figure, shift, p_value, change))
    return {name: tuple(differences) for name, differences in found.items()}


def _change(figure: str, shift: Shift, p_value: float, thresholds: Thresholds) -> Change:
    """Return what a difference is called."""
    if not thresholds.matters(figure, shift):
        return Change.SAME
    if p_value > SIGNIFICANCE:
        return Change.UNCLEAR
    return Change.WORSE if shift.after > shift.before else Change.BETTER


def _verdict(name: str, differences: Sequence[Difference], actual: Timings, baseline: Timings) -> Verdict:
    """Return what a route is called, given its differences; the worst thing that happened to it names it."""
    if name not in baseline.routes:
        return Verdict.NEW
    if name not in actual.routes:
        return Verdict.VANISHED
    times = {one.change for one in differences if one.figure != ERROR_RATE}
    errors = {one.change for one in differences if one.figure == ERROR_RATE}
    if Change.WORSE in times:
        return Verdict.SLOWER_MORE_ERRORS if Change.WORSE in errors else Verdict.SLOWER
    if Change.WORSE in errors:
        return Verdict.MORE_ERRORS
    if Change.BETTER in times:
        return Verdict.FASTER
    if Change.BETTER in errors:
        return Verdict.FEWER_ERRORS
    if not times:
        return Verdict.TOO_FEW
    return Verdict.UNCLEAR if Change.UNCLEAR in times | errors else Verdict.SAME
