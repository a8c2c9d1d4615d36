"""Durations counted in the fixed buckets that Prometheus wants, for what is told to it."""

from __future__ import annotations

from bisect import bisect_left
from itertools import accumulate

from mattermost_load_test.timings.records import Sample

BOUNDS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
"""Upper bounds in seconds: Prometheus' own, with finer ones below and the request time-out's default above."""

NO_ANSWER = "none"
Key = tuple[str, str]
"""A route and the class of its answers' status: ``2xx`` … ``5xx``, or ``none`` where there was no HTTP answer."""


class Buckets:
    """How many durations fell into each bucket, and their sum."""

    __slots__ = ("counts", "sum_s")

    def __init__(self) -> None:
        self.counts = [0] * (len(BOUNDS_S) + 1)
        self.sum_s = 0.0

    def add(self, duration_s: float) -> None:
        """Count one more."""
        self.counts[bisect_left(BOUNDS_S, duration_s)] += 1
        self.sum_s += duration_s

    def merge(self, other: Buckets) -> None:
        """Count everything that `other` counted."""
        self.counts = [mine + theirs for mine, theirs in zip(self.counts, other.counts, strict=True)]
        self.sum_s += other.sum_s

    def cumulated(self) -> list[tuple[str, float]]:
        """Return for each bound, the last of which is ``+Inf``, how many durations did not exceed it."""
        return list(zip([*map(str, BOUNDS_S), "+Inf"], accumulate(map(float, self.counts)), strict=True))


def key_of(sample: Sample) -> Key:
    """Return under what a sample is counted."""
    if sample.error is None:
        return sample.route, "2xx"
    return sample.route, f"{sample.error[0]}xx" if sample.error.isdecimal() else NO_ANSWER
