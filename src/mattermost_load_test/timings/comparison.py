"""Comparing a run with a baseline, or several, by route: what is slower or fails more, beyond noise and by enough.

A figure is called worse (or better) only where its test, corrected for all tests of the comparison, says that the
difference is no noise, and the difference as measured is larger than `Thresholds`. Of several baselines, each a run of
its own, the mean counts, and the test also asks how far runs lie from one another. See docs/comparing.md.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from .over_time import moments
from .run_to_run import RELATIVE, SHARE, Measure, Move, beyond_runs
from .significance import BlockedSamples, ErrorCounts, Shift, Span, error_rate_shift, holm, percentile_shift, together
from .stats import Timings

SIGNIFICANCE = 0.05  # the chance that any of all equal figures is called different
# Percentiles tested, with the samples that each run must have of a route: ten of them beyond the percentile.
PERCENTILES: Mapping[str, tuple[float, int]] = {"median": (50, 20), "p95": (95, 200), "p99": (99, 1000)}
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
    """One figure of one route in both runs: milliseconds, or a share for the error rate. `p_value` is corrected.

    Of several baselines, `shift.before` is the mean.
    """

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
    """What became of a run: `routes` are those of all runs, by name; `tests` is their number, corrected for.

    `baselines` is the number of runs that it was compared with.
    """

    routes: Mapping[str, RouteComparison]
    tests: int
    thresholds: Thresholds = field(default_factory=Thresholds)
    baselines: int = 1

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


def compare(actual: Timings, baselines: Sequence[Timings], thresholds: Thresholds | None = None) -> Comparison:
    """Compare the samples of a run with those of a baseline, or of several runs that are the baseline together."""
    thresholds = thresholds or Thresholds()
    runs = [Run(one, span_of(one)) for one in (actual, *baselines)]
    known = {name for one in baselines for name in one.routes}
    names = sorted(actual.routes.keys() | known)
    tests = {name: dict(_tests(name, runs[0], runs[1:])) for name in names if name in actual.routes and name in known}
    differences = _corrected(tests, thresholds)
    verdicts = {name: _verdict(name, differences.get(name, ()), actual, known) for name in names}
    routes = {name: RouteComparison(name, verdicts[name], differences.get(name, ())) for name in names}
    return Comparison(routes, sum(map(len, tests.values())), thresholds, len(baselines))


def span_of(timings: Timings) -> Span | None:
    """Return the time that the requests of a run span, None where the log does not tell it of all of them."""
    found = moments(timings)
    return Span(*found) if found is not None else None


@dataclass(frozen=True, slots=True)
class Run:
    """The samples of a run, and the time that they span."""

    timings: Timings
    span: Span | None

    def blocked(self, name: str) -> BlockedSamples:
        """Return the durations of one of its routes by stretch of the run."""
        return BlockedSamples(self.timings.routes[name], self.span)

    def errors(self, name: str, samples: BlockedSamples) -> ErrorCounts:
        """Return the requests of one of its routes by stretch of the run; `samples` are their durations."""
        return ErrorCounts.of(self.timings.routes[name], samples, self.span)

    def hits(self, name: str) -> int:
        """Return how many requests a route had."""
        return self.timings.routes[name].hits


@dataclass(frozen=True, slots=True)
class Test:
    """How far one figure of a route moved, as two tests need it: within runs, and beside several baselines."""

    shift: Shift
    move: Move


def _tests(name: str, run: Run, baselines: Sequence[Run]) -> Iterator[tuple[str, Test]]:
    """Yield how far each figure of a route moved that the run and a baseline have enough samples of."""
    before = [(one, one.blocked(name)) for one in baselines if name in one.timings.routes]
    new = run.blocked(name)
    yield from _percentile_tests([samples for _, samples in before], new)
    counted = [(one, samples) for one, samples in before if one.hits(name) >= FEWEST_REQUESTS]
    if counted and run.hits(name) >= FEWEST_REQUESTS:
        errors = [one.errors(name, samples) for one, samples in counted]
        shift = error_rate_shift(ErrorCounts.joined(errors), run.errors(name, new))
        yield ERROR_RATE, _test(shift, [one.rate for one in errors], SHARE)


def _percentile_tests(before: Sequence[BlockedSamples], after: BlockedSamples) -> Iterator[tuple[str, Test]]:
    """Yield how far each percentile moved that `after` and one of `before` have enough samples of."""
    joined: dict[int, tuple[BlockedSamples, list[float]]] = {}  # by the number of baselines with enough samples
    for figure, (percent, needed) in PERCENTILES.items():
        enough = [samples for samples in before if len(samples.ordered) >= needed]
        if not enough or len(after.ordered) < needed:
            continue
        if len(enough) not in joined:
            old = BlockedSamples.joined(enough)
            joined[len(enough)] = old, together(old, after)
        old, both = joined[len(enough)]
        shift = percentile_shift(old, after, percent, both)
        yield figure, _test(shift, [samples.percentile(percent) for samples in enough], RELATIVE)


def _test(shift: Shift, before: Sequence[float], measure: Measure) -> Test:
    """Return a shift as it is from the baselines' mean, where it was from all their samples together."""
    move = Move(before, shift.after, measure)
    return Test(shift.beside(move.mean) if len(before) > 1 else shift, move)


def _corrected(tests: Mapping[str, Mapping[str, Test]], thresholds: Thresholds) -> dict[str, tuple[Difference, ...]]:
    """Return what each shift means once all are corrected for their number."""
    flat = {(name, figure): test for name, figures in tests.items() for figure, test in figures.items()}
    within = holm([test.shift.p_value for test in flat.values()])
    between = beyond_runs({key: test.move for key, test in flat.items()})
    found: dict[str, list[Difference]] = {}
    for ((name, figure), test), corrected in zip(flat.items(), within, strict=True):
        shift, p_value = test.shift, corrected
        if beyond := between.get((name, figure)):
            shift, p_value = shift.widened(beyond.low, beyond.high), max(corrected, beyond.p_value)
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


def _verdict(name: str, differences: Sequence[Difference], actual: Timings, known: Collection[str]) -> Verdict:
    """Return what a route is called, given its differences; the worst thing that happened to it names it.

    `known` are the routes of the baseline.
    """
    if name not in known:
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
