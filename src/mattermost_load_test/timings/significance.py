"""Whether two runs differ by more than noise: tests of a percentile and of an error rate, with intervals.

Requests of one run are not independent: a server's bad half minute makes hundreds of slow samples. So the variance of
every share is taken from the differences between `BLOCKS` stretches of a run, never below what independent samples
would give, and compared by Student's t with the degrees of freedom of that few stretches. docs/comparing.md describes
method, assumptions and limits; bench/comparing.py measures false alarms and power.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import chain, pairwise
from math import erfc, exp, inf, lgamma, log, log1p, sqrt

from .stats import RouteTimings, percentile

BLOCKS = 20
CONFIDENCE = 0.95
_EXACT_ERRORS = 2000  # up to so many errors in both runs, Fisher's exact test is computed as well
_T_STEPS = 60  # halvings when a quantile of Student's t is looked for: to the last bit
_BETA_TERMS, _BETA_ERROR = 1000, 1e-15  # the continued fraction converges within some ten terms where it is used


@dataclass(frozen=True, slots=True)
class Span:
    """The time from the first to the last request of a run, in seconds since the epoch; all of them have one."""

    start_s: float
    end_s: float

    def blocks(self, moments_s: Iterable[float]) -> list[int]:
        """Return the stretches of the run that moments fall into, 0 to `BLOCKS` - 1."""
        start_s, last = self.start_s, BLOCKS - 1
        a_second = BLOCKS / (self.end_s - start_s) if self.end_s > start_s else 0.0
        return [min(int((moment_s - start_s) * a_second), last) for moment_s in moments_s]


@dataclass(frozen=True, slots=True)
class Shift:
    """How far a figure lies from the baseline's (`after` - `before`), in its own unit, and how sure that is.

    `low` and `high` bound the difference with 95 % confidence for this figure alone; `p_value` is the probability of
    a difference at least as large between two equal runs, not corrected for the number of comparisons.
    """

    before: float
    after: float
    low: float
    high: float
    p_value: float

    def beside(self, before: float) -> Shift:
        """Return the same shift from another value of the baseline."""
        moved = self.before - before
        return replace(self, before=before, low=self.low + moved, high=self.high + moved)

    def widened(self, low: float, high: float) -> Shift:
        """Return the same shift with an interval that holds this one, too."""
        return replace(self, low=min(self.low, low), high=max(self.high, high))


@dataclass(frozen=True, slots=True)
class Variance:
    """The variance of a share: as the stretches of the run tell it, and as it were if samples were independent.

    `freedom` is the number of stretches less one.
    """

    clustered: float
    independent: float
    freedom: int = BLOCKS - 1

    @property
    def larger(self) -> float:
        """The one to go by."""
        return max(self.clustered, self.independent)


class BlockedSamples:
    """The durations of one route, ascending, as a whole and by stretch of the run.

    Stretches are equal times of `span`, or, without one, equal numbers in the order of the log.
    """

    def __init__(self, timings: RouteTimings, span: Span | None) -> None:
        self.blocks: list[list[float]] = _blocks(timings, span)
        for block in self.blocks:
            block.sort()
        self.ordered = sorted(chain.from_iterable(self.blocks))  # merges the sorted stretches

    @classmethod
    def joined(cls, runs: Sequence[BlockedSamples]) -> BlockedSamples:
        """Return the samples of several runs, each with its own stretches."""
        if len(runs) == 1:
            return runs[0]
        made = cls.__new__(cls)
        made.blocks = [block for run in runs for block in run.blocks]
        made.ordered = sorted(chain.from_iterable(run.ordered for run in runs))
        return made

    def percentile(self, percent: float) -> float:
        """Return a percentile as `stats.percentile` defines it."""
        return percentile(self.ordered, percent)

    def share_below(self, value: float) -> float:
        """Return the share of samples below `value`, those equal to it counted half."""
        return _below(self.ordered, value) / len(self.ordered)

    def variance(self, value: float, share: float) -> Variance:
        """Return the variance of `share_below(value)`, which is `share` if runs are equal."""
        below = [_below(block, value) for block in self.blocks]
        independent = share * (1 - share) / len(self.ordered)
        clustered = clustered_variance(below, list(map(len, self.blocks)))
        return Variance(clustered, independent, len(self.blocks) - 1)

    def bounds(self, percent: float, t: float) -> tuple[float, float]:
        """Return an interval of a percentile, `t` standard errors of its share to both sides (Woodruff 1952)."""
        share = percent / 100
        error = t * sqrt(self.variance(self.percentile(percent), share).larger)
        return _quantile(self.ordered, share - error), _quantile(self.ordered, share + error)


def together(before: BlockedSamples, after: BlockedSamples) -> list[float]:
    """Return the samples of both runs, ascending."""
    return sorted(chain(before.ordered, after.ordered))  # merges the two


def percentile_shift(before: BlockedSamples, after: BlockedSamples, percent: float, both: Sequence[float]) -> Shift:
    """Return how far a percentile moved; `both` are the samples of both runs together.

    The test asks whether both runs have the same share of samples below the percentile of all samples of both (a median
    test, for any percentile); the interval joins those of the two percentiles (MOVER, Zou and Donner 2008).
    """
    old, new = before.percentile(percent), after.percentile(percent)
    common = percentile(both, percent)
    variances = before.variance(common, percent / 100), after.variance(common, percent / 100)
    p_value = t_test(after.share_below(common) - before.share_below(common), *variances)
    t = t_quantile(freedom(*variances))
    return Shift(old, new, *_joined(old, before.bounds(percent, t), new, after.bounds(percent, t)), p_value)


@dataclass(frozen=True, slots=True)
class ErrorCounts:
    """Requests and errors among them, by stretch of the run, or as one where the log does not tell times."""

    hits: Sequence[int]
    errors: Sequence[int]

    @classmethod
    def of(cls, timings: RouteTimings, samples: BlockedSamples, span: Span | None) -> ErrorCounts:
        """Count a route's requests, whose durations are `samples`."""
        if span is None or len(timings.failed_s) != timings.errors:
            return cls([timings.hits], [timings.errors])
        failed = Counter(span.blocks(timings.failed_s))
        errors = [failed[block] for block in range(BLOCKS)]
        return cls([len(good) + bad for good, bad in zip(samples.blocks, errors, strict=True)], errors)

    @classmethod
    def joined(cls, runs: Sequence[ErrorCounts]) -> ErrorCounts:
        """Return the requests of several runs, each with its own stretches."""
        return cls([hits for run in runs for hits in run.hits], [errors for run in runs for errors in run.errors])

    @property
    def rate(self) -> float:
        """The share of requests that failed."""
        return sum(self.errors) / sum(self.hits)

    def variance(self, rate: float) -> Variance:
        """Return the variance of the rate, where `rate` is that of equal runs."""
        clustered, independent = clustered_variance(self.errors, self.hits), rate * (1 - rate) / sum(self.hits)
        return Variance(clustered, independent, max(len(self.hits) - 1, 1))

    def bounds(self, t: float) -> tuple[float, float]:
        """Return Wilson's interval of the rate, over as many independent requests as are worth the real ones."""
        rate, hits = self.rate, sum(self.hits)
        independent = rate * (1 - rate) / hits
        worth = hits * independent / self.variance(rate).larger if independent else hits
        middle = (rate + t * t / (2 * worth)) / (1 + t * t / worth)
        half = t / (1 + t * t / worth) * sqrt(rate * (1 - rate) / worth + t * t / (4 * worth * worth))
        return max(0.0, middle - half), min(1.0, middle + half)


def error_rate_shift(before: ErrorCounts, after: ErrorCounts) -> Shift:
    """Return how far the error rate moved.

    The p-value is the larger of two: that of a test by stretches of the run and, with few errors, Fisher's exact one.
    """
    old, new = before.rate, after.rate
    counts = sum(before.errors), sum(before.hits), sum(after.errors), sum(after.hits)
    common = (counts[0] + counts[2]) / (counts[1] + counts[3])
    variances = before.variance(common), after.variance(common)
    p_value = t_test(new - old, *variances)
    if counts[0] + counts[2] <= _EXACT_ERRORS:
        p_value = max(p_value, fisher_exact(*counts))
    t = t_quantile(freedom(*variances))
    return Shift(old, new, *_joined(old, before.bounds(t), new, after.bounds(t)), p_value)


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values corrected for their number: the chance of any false alarm among all is what one alone would have.

    Holm's step-down method; the order is kept.
    """
    adjusted = [0.0] * len(p_values)
    largest = 0.0
    for rank, index in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        largest = max(largest, min(1.0, p_values[index] * (len(p_values) - rank)))
        adjusted[index] = largest
    return adjusted


def clustered_variance(counts: Sequence[float], sizes: Sequence[int]) -> float:
    """Return the variance of ``sum(counts) / sum(sizes)`` as the differences between clusters tell it; 0 for one."""
    clusters, total = len(sizes), sum(sizes)
    if clusters < 2 or not total:
        return 0.0
    share = sum(counts) / total
    squares = sum((count - share * size) ** 2 for count, size in zip(counts, sizes, strict=True))
    return clusters / (clusters - 1) * squares / total**2


def t_test(difference: float, *variances: Variance) -> float:
    """Return the two-sided p-value of a difference of two shares whose variances these are."""
    error = sqrt(max(sum(one.clustered for one in variances), sum(one.independent for one in variances)))
    if error == 0:
        return 1.0 if difference == 0 else 0.0
    return t_two_sided(difference / error, freedom(*variances))


def freedom(*variances: Variance) -> float:
    """Return the degrees of freedom of two variances, each from its run's stretches (Welch and Satterthwaite).

    Where they are no larger than those of independent samples, which are known and not estimated, they are infinite.
    """
    total = sum(one.clustered for one in variances)
    if total <= sum(one.independent for one in variances):
        return inf
    return total**2 / sum(one.clustered**2 / one.freedom for one in variances)


def t_two_sided(t: float, freedom: float) -> float:
    """Return the probability that Student's t lies at least as far from 0 as `t`; a normal's where `freedom` is inf."""
    if freedom == inf:
        return erfc(abs(t) / sqrt(2))
    return _incomplete_beta(freedom / 2, 0.5, freedom / (freedom + t * t))


@lru_cache(maxsize=4096)
def t_quantile(freedom: float, confidence: float = CONFIDENCE) -> float:
    """Return how far from 0 Student's t lies with `confidence` at most."""
    low, high = 0.0, 1.0
    while t_two_sided(high, freedom) > 1 - confidence:
        high *= 2
    for _ in range(_T_STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if t_two_sided(middle, freedom) > 1 - confidence else (low, middle)
    return high


def fisher_exact(errors: int, hits: int, other_errors: int, other_hits: int) -> float:
    """Return the two-sided p-value of Fisher's exact test of two error counts; time grows with the errors."""
    total, failed = hits + other_hits, errors + other_errors
    lowest, highest = max(0, failed - other_hits), min(failed, hits)

    def log_probability(count: int) -> float:
        return _log_choose(hits, count) + _log_choose(other_hits, failed - count) - _log_choose(total, failed)

    limit = log_probability(errors) + 1e-7  # as likely as what was seen, rounding apart
    likely = (log_probability(count) for count in range(lowest, highest + 1))
    return min(1.0, sum(exp(one) for one in likely if one <= limit))


def _log_choose(count: int, chosen: int) -> float:
    """Return the logarithm of the number of ways to choose."""
    return lgamma(count + 1) - lgamma(chosen + 1) - lgamma(count - chosen + 1)


def _incomplete_beta(a: float, b: float, x: float) -> float:
    """Return the regularized incomplete beta function, by its continued fraction (DLMF 8.17.22)."""
    if x <= 0 or x >= 1:
        return 0.0 if x <= 0 else 1.0
    if x > (a + 1) / (a + b + 2):
        return 1.0 - _incomplete_beta(b, a, 1 - x)
    front = exp(a * log(x) + b * log1p(-x) + lgamma(a + b) - lgamma(a) - lgamma(b)) / a
    d = 1 / (1 - (a + b) * x / (a + 1))
    c, fraction = 1.0, d
    for step in range(2, _BETA_TERMS):
        half = step // 2
        if step % 2:
            term = -(a + half) * (a + b + half) * x / ((a + 2 * half) * (a + 2 * half + 1))
        else:
            term = half * (b - half) * x / ((a + 2 * half - 1) * (a + 2 * half))
        d = 1 / (1 + term * d)
        c = 1 + term / c
        fraction *= c * d
        if abs(c * d - 1) < _BETA_ERROR:
            break
    return front * fraction


def _blocks(timings: RouteTimings, span: Span | None) -> list[list[float]]:
    """Return a route's durations by stretch of the run."""
    durations = timings.durations_ms
    if span is None:
        count = len(durations)
        edges = [count * block // BLOCKS for block in range(BLOCKS + 1)]
        return [durations[start:end].tolist() for start, end in pairwise(edges)]
    blocks: list[list[float]] = [[] for _ in range(BLOCKS)]
    for duration_ms, block in zip(durations, span.blocks(timings.started_s), strict=True):
        blocks[block].append(duration_ms)
    return blocks


def _below(ordered: Sequence[float], value: float) -> float:
    """Return how many of ascending samples lie below `value`, those equal to it counted half."""
    return (bisect_left(ordered, value) + bisect_right(ordered, value)) / 2


def _quantile(ordered: Sequence[float], share: float) -> float:
    """Return the sample below which a share lies; the outermost ones beyond 0 and 1."""
    return ordered[min(max(int(share * len(ordered)), 0), len(ordered) - 1)]


def _joined(
    old: float, old_bounds: tuple[float, float], new: float, new_bounds: tuple[float, float]
) -> tuple[float, float]:
    """Return the interval of ``new - old`` from the intervals of both (MOVER)."""
    difference = new - old
    low = difference - sqrt((new - new_bounds[0]) ** 2 + (old_bounds[1] - old) ** 2)
    high = difference + sqrt((new_bounds[1] - new) ** 2 + (old - old_bounds[0]) ** 2)
    return low, high
