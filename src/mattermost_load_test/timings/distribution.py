"""How durations are spread: counts in classes of equal ratio, the same for every route and run."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

CLASSES_PER_DECADE = 16  # each class spans 15 %
_DECADES = 7  # from 0.01 ms to 100 s; what lies outside is in the outermost classes
_LOWEST_MS = 0.01
EDGES_MS = tuple(_LOWEST_MS * 10 ** (step / CLASSES_PER_DECADE) for step in range(CLASSES_PER_DECADE * _DECADES + 1))


@dataclass(frozen=True, slots=True)
class Distribution:
    """Counts of durations: `counts[i]` lie from `EDGES_MS[first + i]` up to the next edge."""

    first: int
    counts: tuple[int, ...]

    @property
    def total(self) -> int:
        """How many durations were counted."""
        return sum(self.counts)

    def plus(self, other: Distribution) -> Distribution:
        """Return the counts of both together."""
        parts = [part for part in (self, other) if part.counts]
        if len(parts) < 2:
            return parts[0] if parts else self
        first, end = min(part.first for part in parts), max(part.first + len(part.counts) for part in parts)
        return Distribution(first, tuple(self.at(index) + other.at(index) for index in range(first, end)))

    def at(self, index: int) -> int:
        """Return the count of the class that begins at `EDGES_MS[index]`."""
        return self.counts[index - self.first] if self.first <= index < self.first + len(self.counts) else 0


def distribution(durations_ms: Iterable[float]) -> Distribution:
    """Count durations by class; no class is kept below the smallest and beyond the largest of them."""
    last = len(EDGES_MS) - 2
    counts = Counter(min(max(bisect_right(EDGES_MS, duration_ms) - 1, 0), last) for duration_ms in durations_ms)
    if not counts:
        return Distribution(0, ())
    first = min(counts)
    return Distribution(first, tuple(counts[index] for index in range(first, max(counts) + 1)))
