"""Figures of routes, worked out by hand, and merging."""

from __future__ import annotations

import random

import pytest

from mattermost_load_test.timings.stats import (
    RouteTimings,
    Timings,
    inter_quartile_range,
    median,
    percentile,
    score,
)


def route(*durations_ms: float) -> RouteTimings:
    """Return timings with these durations."""
    timings = RouteTimings()
    for duration_ms in durations_ms:
        timings.add(duration_ms)
    return timings


@pytest.mark.parametrize(("samples", "expected"), [([], 0.0), ([4], 4), ([4, 6], 5), ([1, 4, 9], 4), ([1, 4, 6, 9], 5)])
def test_median(samples: list[float], expected: float) -> None:
    """The median is the middle sample, or the mean of the two in the middle."""
    assert median(samples) == expected


@pytest.mark.parametrize(
    ("count", "percent", "expected"),
    [
        (0, 95, 0),
        (1, 95, 0),
        (2, 95, 0),  # too few: 0, as in the original
        (3, 95, 2.5),  # k = 2.85: between the second and the third
        (3, 90, 2.5),
        (10, 90, 9),  # k = 9 is whole: the ninth smallest
        (10, 95, 9.5),
        (20, 95, 19),
        (100, 99, 99),
        (1000, 99.9, 999),
        (180, 95, 171),
        (3, 5, 1),  # k below 1: the smallest
    ],
)
def test_percentiles_of_the_first_whole_numbers(count: int, percent: float, expected: float) -> None:
    """With k = p/100·n the percentile is the k-th sample, or the mean of those around k."""
    assert percentile(range(1, count + 1), percent) == expected


@pytest.mark.parametrize(
    ("samples", "expected"),
    [([], 0), ([5], 0), ([5, 9], 0), ([1, 5, 9], 8), ([1, 3, 5, 9], 5), ([1, 2, 6, 8, 9], 7), ([0.1, 0.5, 0.4], 0.3)],
)
def test_inter_quartile_range(samples: list[float], expected: float) -> None:
    """It is the median of the upper half less that of the lower, without the middle sample of an odd number."""
    assert inter_quartile_range(samples) == expected


def test_a_route_with_two_samples_has_no_percentiles_yet_counts_in_the_score() -> None:
    """Two samples give mean, median and extremes; percentiles and inter-quartile range are 0."""
    figures = route(3, 8).statistics()
    assert (figures.mean_ms, figures.median_ms, figures.min_ms, figures.max_ms) == (5.5, 5.5, 3, 8)
    assert (figures.p90_ms, figures.p95_ms, figures.p99_ms, figures.inter_quartile_range_ms) == (0, 0, 0, 0)
    assert score([figures]) == 5.5


def test_a_route_without_a_good_answer_has_nought_everywhere() -> None:
    """Errors are hits without a duration."""
    timings = RouteTimings()
    timings.add(12.0, "500")
    timings.add(3.0, "timeout")
    timings.add(4.0, "500")
    figures = timings.statistics()
    assert (figures.hits, figures.errors, figures.error_rate, figures.samples) == (3, 3, 1.0, 0)
    assert timings.error_kinds == {"500": 2, "timeout": 1}
    assert (figures.mean_ms, figures.median_ms, figures.max_ms, figures.min_ms, figures.p95_ms) == (0, 0, 0, 0, 0)


def test_an_unused_route_has_an_error_rate_of_nought() -> None:
    """Nothing is divided by the number of hits when there are none."""
    assert RouteTimings().statistics().error_rate == 0.0


def test_the_score_is_the_mean_over_routes() -> None:
    """Each route adds 95th percentile, median and inter-quartile range; without routes the score is 0."""
    few, many = route(4), route(1, 2, 3, 4)
    assert score([few.statistics(), many.statistics()]) == (4 + (3.5 + 2.5 + 2)) / 2
    assert score([]) == 0.0


def test_merging_gives_the_figures_of_all_samples_together() -> None:
    """However samples are divided among instances, merged figures are exact, and the parts stay as they were."""
    rng = random.Random(5)
    whole, parts = Timings(), [Timings() for _ in range(4)]
    for _ in range(5000):
        name, duration_ms = f"GET /{rng.randrange(6)}", round(rng.lognormvariate(2, 1), 3)
        error = "503" if rng.random() < 0.05 else None
        whole.route(name).add(duration_ms, error)
        rng.choice(parts).route(name).add(duration_ms, error)
    merged = Timings()
    for part in parts:
        merged.merge(part)
    assert merged.statistics() == whole.statistics()
    assert (merged.hits, merged.errors) == (whole.hits, whole.errors) == (5000, sum(part.errors for part in parts))
    assert list(merged.statistics()) == sorted(whole.routes)
