"""Whether a run lies further from several baselines than these lie from one another.

Two tests within runs cannot know that another day, or another host, is faster as a whole; several runs of the same
thing can. docs/comparing.md describes the method and its limits; bench/comparing.py measures false alarms and power.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import asin, expm1, log1p, pi, sin, sqrt
from statistics import fmean, median, variance

from .significance import holm, t_quantile, t_two_sided


@dataclass(frozen=True, slots=True)
class Measure:
    """A scale on which runs differ about alike whatever the size of a figure, and the way back from it."""

    of: Callable[[float], float]
    back: Callable[[float], float]


RELATIVE = Measure(log1p, expm1)  # of milliseconds: in proportion, but about a millisecond and below as they are
SHARE = Measure(lambda rate: asin(sqrt(rate)), lambda value: sin(min(max(value, 0.0), pi / 2)) ** 2)


@dataclass(frozen=True, slots=True)
class Move:
    """A figure of one route in each baseline that has it, and in the run that is compared with them."""

    before: Sequence[float]
    after: float
    measure: Measure

    @property
    def mean(self) -> float:
        """What the run is compared with: the mean of the baselines'."""
        return fmean(self.before)

    @property
    def spread(self) -> float | None:
        """The variance between the baselines on the measure's scale, None for a single one."""
        return variance(map(self.measure.of, self.before)) if len(self.before) > 1 else None

    @property
    def distance(self) -> float:
        """How far the run lies from the baselines' mean, on the measure's scale."""
        return self.measure.of(self.after) - fmean(map(self.measure.of, self.before))

    def bounds(self, half: float) -> tuple[float, float]:
        """Return the interval of ``after - mean`` that is `half` wide to both sides on the measure's scale."""
        middle = self.measure.of(self.mean)
        low, high = (self.measure.back(middle + self.distance + side) for side in (-half, half))
        return low - self.mean, high - self.mean


@dataclass(frozen=True, slots=True)
class Beyond:
    """How sure it is that a run differs by more than runs do: `p_value` is corrected for the number of comparisons.

    `low` and `high` bound ``after - mean`` with 95 % confidence, as far as the runs' variation goes.
    """

    p_value: float
    low: float
    high: float


def beyond_runs(moves: Mapping[tuple[str, str], Move]) -> dict[tuple[str, str], Beyond]:
    """Compare each move, by route and figure, with how the baselines vary; none of figures in a single baseline only.

    The variance of a figure is the larger of the route's own and the median over all routes. A whole run may be faster
    or each route by itself: the p-value is the larger of one that takes all routes for one witness and a corrected one
    that takes each for its own.
    """
    by_figure: dict[str, dict[tuple[str, str], Move]] = {}
    for key, move in moves.items():
        by_figure.setdefault(key[1], {})[key] = move
    found: dict[tuple[str, str], tuple[float, float, tuple[float, float]]] = {}
    for group in by_figure.values():
        spreads = [spread for move in group.values() if (spread := move.spread) is not None]
        if spreads:
            freedom = max(len(move.before) for move in group.values()) - 1
            found |= {key: _judged(move, median(spreads), freedom, len(spreads)) for key, move in group.items()}
    each = holm([apart for _, apart, _ in found.values()])
    return {
        key: Beyond(max(shared, corrected), *bounds)
        for (key, (shared, _, bounds)), corrected in zip(found.items(), each, strict=True)
    }


def _judged(move: Move, usual: float, freedom: int, routes: int) -> tuple[float, float, tuple[float, float]]:
    """Return the p-value if all routes are one witness, that if each is its own, and the interval."""
    error = sqrt(max(move.spread or 0.0, usual) * (1 + 1 / len(move.before)))
    bounds = move.bounds(error * t_quantile(freedom))
    if not error:
        equal = 1.0 if move.distance == 0 else 0.0
        return equal, equal, bounds
    t = move.distance / error
    return t_two_sided(t, freedom), t_two_sided(t, freedom * routes), bounds
