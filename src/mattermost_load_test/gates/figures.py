"""The figures that gates can speak of: where each comes from, its unit, and how many samples it needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum

from mattermost_load_test.timings.stats import Statistics


class Quantity(Enum):
    """What a figure measures."""

    TIME = "time"
    SHARE = "share"
    RATE = "rate"
    NUMBER = "number"

    @property
    def units(self) -> Mapping[str, float]:
        """The units it may be given in, by name, with the factor that makes the figure's own unit of each."""
        return _UNITS[self]

    def show(self, value: float) -> str:
        """Return a value for people, with its unit."""
        return _SHOW[self](value)


_UNITS: Mapping[Quantity, Mapping[str, float]] = {
    Quantity.TIME: {"ms": 1.0, "s": 1000.0},
    Quantity.SHARE: {"%": 0.01},
    Quantity.RATE: {"/s": 1.0},
    Quantity.NUMBER: {"": 1.0},
}
_SHOW: Mapping[Quantity, Callable[[float], str]] = {
    Quantity.TIME: "{:,.2f}ms".format,
    Quantity.SHARE: lambda value: f"{value * 100:,.2f}%",
    Quantity.RATE: "{:,.2f}/s".format,
    Quantity.NUMBER: "{:,.6g}".format,
}


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure of a route or of all requests together; `of_run` is one that only the run as a whole has.

    `fewest` is the number of samples below which it says nothing; `compared` is what the comparison with a baseline
    calls it, empty where that does not test it.
    """

    quantity: Quantity
    value: Callable[[Statistics], float] | None = None
    fewest: int = 1
    compared: str = ""
    of_run: bool = False
    counts_errors: bool = False  # it is made of all requests, not only of those that succeeded


FIGURES: Mapping[str, Figure] = {
    "median": Figure(Quantity.TIME, lambda route: route.median_ms, fewest=3, compared="median"),
    "p50": Figure(Quantity.TIME, lambda route: route.median_ms, fewest=3, compared="median"),
    "p90": Figure(Quantity.TIME, lambda route: route.p90_ms, fewest=10),
    "p95": Figure(Quantity.TIME, lambda route: route.p95_ms, fewest=20, compared="p95"),
    "p99": Figure(Quantity.TIME, lambda route: route.p99_ms, fewest=100, compared="p99"),
    "mean": Figure(Quantity.TIME, lambda route: route.mean_ms),
    "max": Figure(Quantity.TIME, lambda route: route.max_ms),
    "min": Figure(Quantity.TIME, lambda route: route.min_ms),
    "error_rate": Figure(Quantity.SHARE, lambda route: route.error_rate, compared="error_rate", counts_errors=True),
    "errors": Figure(Quantity.NUMBER, lambda route: route.errors, counts_errors=True),
    "hits": Figure(Quantity.NUMBER, lambda route: route.hits, counts_errors=True),
    "throughput": Figure(Quantity.RATE, lambda route: route.hits, counts_errors=True),  # per second of the run
    "score": Figure(Quantity.NUMBER, of_run=True),
}
"""By the name that gates use. A percentile needs 100 / (100 - p) samples: fewer than that, and it is the maximum."""
