"""Percentiles in bounded memory."""

from __future__ import annotations

import math
import random

import pytest

from mattermost_load_test.timings.histogram import RELATIVE_ERROR, Histogram


@pytest.mark.parametrize("percent", [0.1, 25, 50, 90, 95, 99, 99.9, 100])
def test_percentiles_are_off_by_one_per_cent_at_most(percent: float) -> None:
    """Over seven orders of magnitude each percentile is within the documented error of the exact one."""
    draw = random.Random(7).random
    values = sorted(10 ** (draw() * 7 - 4) for _ in range(20_000))
    histogram = Histogram()
    for value in values:
        histogram.add(value)
    exact = values[math.ceil(len(values) * percent / 100) - 1]
    assert histogram.percentile(percent) == pytest.approx(exact, rel=RELATIVE_ERROR * 1.000_001)


def test_memory_does_not_grow_with_the_number_of_values() -> None:
    """However many values of whatever size come, the buckets stay below their documented number."""
    draw = random.Random(8).random
    histogram = Histogram()
    for _ in range(50_000):
        histogram.add(10 ** (draw() * 20 - 10))
    assert len(histogram._buckets) <= 1_260
    assert histogram.count == 50_000


def test_zeros_and_emptiness() -> None:
    """Nothing counted is 0; zeros are counted as zeros beside other values."""
    histogram = Histogram()
    assert histogram.percentile(99) == 0.0
    for value in (0.0, 0.0, 0.0, 5.0):
        histogram.add(value)
    assert histogram.percentile(75) == 0.0
    assert histogram.percentile(99) == pytest.approx(5.0, rel=RELATIVE_ERROR)
    assert histogram.largest == 5.0


def test_merging_counts_what_both_counted() -> None:
    """Two halves merged give the percentiles of the whole."""
    whole, low, high = Histogram(), Histogram(), Histogram()
    for value in range(1, 1001):
        whole.add(value)
        (low if value <= 500 else high).add(value)
    low.merge(high)
    assert low.count == 1000
    assert [low.percentile(p) for p in (1, 50, 99)] == [whole.percentile(p) for p in (1, 50, 99)]
    assert low.largest == 1000
