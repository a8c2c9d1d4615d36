"""A histogram of durations in bounded memory, for figures that are needed while a run goes on.

Buckets grow by a constant ratio, so every percentile is off by at most one per cent of its value (the scheme of
DDSketch: a bucket spans γ = (1 + α) / (1 − α) with α = 0.01 and is read at its middle). From one microsecond to a day
that is at most 1,260 buckets, whatever the number of values; only those that hold something exist.
"""

from __future__ import annotations

import math

RELATIVE_ERROR = 0.01
_GAMMA = (1 + RELATIVE_ERROR) / (1 - RELATIVE_ERROR)
_LOG_GAMMA = math.log(_GAMMA)
_SMALLEST = 1e-6  # seconds or any other unit: what is less counts as nothing
_LARGEST = 86_400.0


class Histogram:
    """Counts of non-negative values in buckets of equal ratio; knows their count, sum, largest and percentiles."""

    __slots__ = ("_buckets", "_nothing", "count", "largest", "total")

    def __init__(self) -> None:
        self.count = 0
        self.largest = 0.0
        self.total = 0.0
        self._nothing = 0
        self._buckets: dict[int, int] = {}

    def add(self, value: float) -> None:
        """Count `value`; below a millionth it counts as 0, above 86,400 as that."""
        self.count += 1
        self.total += value
        if value > self.largest:
            self.largest = value
        if value < _SMALLEST:
            self._nothing += 1
            return
        bucket = math.ceil(math.log(min(value, _LARGEST)) / _LOG_GAMMA)
        self._buckets[bucket] = self._buckets.get(bucket, 0) + 1

    def merge(self, other: Histogram) -> None:
        """Count everything that `other` counted."""
        self.count += other.count
        self.total += other.total
        self.largest = max(self.largest, other.largest)
        self._nothing += other._nothing
        for bucket, count in other._buckets.items():
            self._buckets[bucket] = self._buckets.get(bucket, 0) + count

    def percentile(self, percent: float) -> float:
        """Return the value that `percent` of all values do not exceed, off by at most 1 %; 0 without values."""
        rank = max(1, math.ceil(self.count * percent / 100.0))
        seen = self._nothing
        if seen >= rank or not self.count:
            return 0.0
        for bucket in sorted(self._buckets):
            seen += self._buckets[bucket]
            if seen >= rank:
                return min(self.largest, _middle(bucket))
        return self.largest

    def count_up_to(self, bound: float) -> int:
        """Return how many values do not exceed `bound`, those within 1 % of it being taken for either."""
        return self._nothing + sum(count for bucket, count in self._buckets.items() if _middle(bucket) <= bound)


def _middle(bucket: int) -> float:
    """Return the value that stands for those of a bucket."""
    return 2.0 * _GAMMA**bucket / (_GAMMA + 1.0)
