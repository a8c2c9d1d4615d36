"""Tests and intervals beside scipy's, on the same samples."""

from __future__ import annotations

import random
from array import array
from collections.abc import Sequence
from itertools import pairwise
from math import inf

import numpy
import pytest
from scipy import stats as reference

from mattermost_load_test.timings.significance import (
    BLOCKS,
    BlockedSamples,
    ErrorCounts,
    Shift,
    Span,
    clustered_variance,
    error_rate_shift,
    fisher_exact,
    holm,
    percentile_shift,
    t_quantile,
    t_two_sided,
    together,
)
from mattermost_load_test.timings.stats import RouteTimings


def route(
    durations_ms: Sequence[float], started_s: Sequence[float] = (), failed_s: Sequence[float] = ()
) -> RouteTimings:
    """Return a route with these samples."""
    timings = RouteTimings()
    hits = len(durations_ms) + len(failed_s)
    timings.add_many(hits, len(failed_s), array("d", durations_ms), {}, started_s, failed_s)
    return timings


def shift_of(before: BlockedSamples, after: BlockedSamples, percent: float) -> Shift:
    """Return how far a percentile moved."""
    return percentile_shift(before, after, percent, together(before, after))


def counts_of(timings: RouteTimings, span: Span) -> ErrorCounts:
    """Return the requests of a route by stretch of the run."""
    return ErrorCounts.of(timings, BlockedSamples(timings, span), span)


def samples(seed: int, count: int, scale: float = 1.0) -> list[float]:
    """Return log-normal durations."""
    random_ = random.Random(seed)
    return [scale * random_.lognormvariate(3.5, 0.6) for _ in range(count)]


@pytest.mark.parametrize("freedom", [2.0, 7.3, 19.0, 38.0, 250.0, inf])
def test_students_t_is_scipys(freedom: float) -> None:
    """Probabilities and quantiles of Student's t agree with scipy over their whole range."""
    for t in (0.0, 0.01, 0.5, 1.0, 2.0, 5.0, 30.0):
        assert t_two_sided(t, freedom) == pytest.approx(2 * reference.t.sf(t, freedom), rel=1e-9)
        assert t_two_sided(-t, freedom) == t_two_sided(t, freedom)
    for confidence in (0.5, 0.95, 0.999):
        assert t_quantile(freedom, confidence) == pytest.approx(
            reference.t.ppf((1 + confidence) / 2, freedom), rel=1e-9
        )


@pytest.mark.parametrize(
    "counts", [(0, 10, 3, 12), (5, 1000, 15, 900), (0, 10_000, 5, 10_000), (3, 7, 3, 7), (700, 5000, 800, 5100)]
)
def test_fishers_test_is_scipys(counts: tuple[int, int, int, int]) -> None:
    """Fisher's exact test agrees with scipy."""
    errors, hits, other_errors, other_hits = counts
    table = [[errors, hits - errors], [other_errors, other_hits - other_errors]]
    assert fisher_exact(*counts) == pytest.approx(reference.fisher_exact(table).pvalue, rel=1e-6)


def test_holms_correction_on_a_known_example() -> None:
    """The step-down method, in the order given, never above 1, never decreasing."""
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.5, 0.9, 0.6]) == [1.0, 1.0, 1.0]
    assert holm([]) == []


def test_holm_finds_at_least_what_bonferroni_finds_and_at_most_what_fdr_finds() -> None:
    """Corrected p-values lie between scipy's Benjamini-Hochberg values and Bonferroni's."""
    random_ = random.Random(1)
    p_values = [random_.random() ** 3 for _ in range(50)]
    bounds = zip(reference.false_discovery_control(p_values), p_values, holm(p_values), strict=True)
    for lowest, p_value, corrected in bounds:
        assert lowest - 1e-12 <= corrected <= min(1.0, 50 * p_value) + 1e-12


def test_the_variance_between_stretches_is_that_of_the_ratio() -> None:
    """With stretches of one size it is the squared standard error of their shares, as scipy computes it."""
    random_ = random.Random(2)
    counts = [random_.randrange(100) for _ in range(BLOCKS)]
    expected = reference.sem(numpy.array(counts) / 100) ** 2
    assert clustered_variance(counts, [100] * BLOCKS) == pytest.approx(expected)
    assert clustered_variance([5], [10]) == 0.0


def test_with_independent_samples_the_median_test_is_moods() -> None:
    """Without more unrest than chance makes, the p-value is near that of scipy's median test on the same samples."""
    for seed in range(20):
        old, new = samples(seed, 2000), samples(seed + 100, 2000, 1.04)
        ours = shift_of(BlockedSamples(route(old), None), BlockedSamples(route(new), None), 50).p_value
        moods = reference.median_test(old, new, correction=False).pvalue
        assert ours == pytest.approx(moods, rel=0.9, abs=0.15)
        assert ours >= moods * 0.8, "unrest is never taken for less than chance makes"


def test_an_interval_of_one_percentile_is_scipys() -> None:
    """Woodruff's interval on independent samples is close to scipy's exact one by order statistics."""
    durations = samples(3, 4000)
    blocked = BlockedSamples(route(durations), None)
    for percent in (50, 95):
        exact = reference.quantile_test(durations, p=percent / 100).confidence_interval(0.95)
        low, high = blocked.bounds(percent, 1.96)
        width = exact.high - exact.low
        assert low == pytest.approx(exact.low, abs=width / 2)
        assert high == pytest.approx(exact.high, abs=width / 2)


def test_intervals_hold_the_true_difference_as_often_as_they_say() -> None:
    """Of 200 intervals of a known slow-down some 95 % hold it; p-values of equal runs are no smaller than chance."""
    true = 33.115451958692 * 0.2  # exp(3.5) is the median
    held = alarms = 0
    for seed in range(200):
        old = BlockedSamples(route(samples(seed, 300)), None)
        slower = shift_of(old, BlockedSamples(route(samples(seed + 1000, 300, 1.2)), None), 50)
        equal = shift_of(old, BlockedSamples(route(samples(seed + 2000, 300)), None), 50)
        held += slower.low <= true <= slower.high
        alarms += equal.p_value <= 0.05
    assert held >= 183
    assert alarms <= 17


def test_unrest_of_a_server_widens_what_is_called_noise() -> None:
    """The same samples in long good and bad stretches say less than when they are mixed."""
    random_ = random.Random(4)
    times = [float(second) for second in range(2000)]
    calm = [random_.lognormvariate(3.5, 0.6) for _ in times]
    restless = sorted(calm[:1000]) + sorted(calm[1000:])  # two long climbs
    new = [duration * 1.1 for duration in calm]
    span = Span(0.0, 1999.0)
    calm_shift = shift_of(BlockedSamples(route(calm, times), span), BlockedSamples(route(new, times), span), 50)
    restless_shift = shift_of(BlockedSamples(route(restless, times), span), BlockedSamples(route(new, times), span), 50)
    assert calm_shift.before == restless_shift.before
    assert restless_shift.p_value > 10 * calm_shift.p_value
    assert restless_shift.high - restless_shift.low > 2 * (calm_shift.high - calm_shift.low)


def test_stretches_are_equal_times_where_times_are_known() -> None:
    """A sample falls into the stretch of its start, in any order; without times the log's order is cut evenly."""
    timings = route([1.0, 2.0, 3.0], [95.0, 5.0, 50.0])
    blocks = BlockedSamples(timings, Span(0.0, 100.0)).blocks
    assert (blocks[19], blocks[1], blocks[10]) == ([1.0], [2.0], [3.0])
    durations = [float(number) for number in range(200)]
    cut = BlockedSamples(route(durations), None).blocks
    assert [len(block) for block in cut] == [10] * BLOCKS
    assert all(low[-1] < high[0] for low, high in pairwise(cut))


def test_runs_that_share_no_duration_differ() -> None:
    """Complete separation, with no unrest to compare with, is a difference; equal constants are none."""
    old, new = BlockedSamples(route([5.0] * 300), None), BlockedSamples(route([9.0] * 300), None)
    apart = shift_of(old, new, 50)
    assert (apart.before, apart.after, apart.low, apart.high) == (5.0, 9.0, 4.0, 4.0)
    assert apart.p_value < 1e-9
    assert shift_of(old, BlockedSamples(route([5.0] * 300), None), 50).p_value == 1.0


def test_error_rates_without_times_are_fishers_or_a_normal_test() -> None:
    """Few errors: never more sure than Fisher's exact test; many: the test of two shares that scipy knows as chi²."""
    few = error_rate_shift(ErrorCounts([10_000], [0]), ErrorCounts([10_000], [5]))
    assert few.p_value >= reference.fisher_exact([[0, 10_000], [5, 9995]]).pvalue * (1 - 1e-9)
    many = error_rate_shift(ErrorCounts([100_000], [2000]), ErrorCounts([100_000], [2150]))
    table = [[2000, 98_000], [2150, 97_850]]
    assert many.p_value == pytest.approx(reference.chi2_contingency(table, correction=False).pvalue, rel=0.4)
    assert many.low < 0.0015 < many.high
    assert (many.before, many.after) == (0.02, 0.0215)


def test_the_interval_of_an_error_rate_is_wilsons() -> None:
    """Wilson's interval agrees with scipy's, also without an error."""
    for errors, hits in ((0, 50), (3, 1000), (40, 90)):
        exact = reference.binomtest(errors, hits).proportion_ci(0.95, "wilson")
        low, high = ErrorCounts([hits], [errors]).bounds(reference.norm.ppf(0.975))
        assert (low, high) == pytest.approx((exact.low, exact.high), abs=1e-9)


def test_errors_that_come_in_bursts_count_for_less() -> None:
    """A hundred errors in one bad minute say less about a server than a hundred spread over its run."""
    times = [float(second) for second in range(2000)]
    span = Span(0.0, 1999.0)
    none = counts_of(route([1.0] * 2000, times), span)
    spread = counts_of(route([1.0] * 2000, times, [float(20 * number) for number in range(100)]), span)
    burst = counts_of(route([1.0] * 2000, times, [1000.0 + number / 2 for number in range(100)]), span)
    assert spread.rate == burst.rate
    assert error_rate_shift(none, spread).p_value < 1e-6
    assert error_rate_shift(none, burst).p_value > 0.05
