"""The figures of a route as text and markdown show them: which, in which order, and how a change reads.

The forms are the original tool's, byte for byte. They are written out in docs/results.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from mattermost_load_test.timings.comparison import ERROR_RATE, RouteComparison
from mattermost_load_test.timings.stats import Statistics

from .report import RouteReport

_NONE = "-"


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of a route: its name (`name_in_text` where the text calls it otherwise) and how it is shown.

    `change` gives baseline and actual value as two texts, absolute and in percent.
    """

    name: str
    value: Callable[[Statistics], float]
    show: Callable[[float], str]
    change: Callable[[float, float], tuple[str, str]]
    only_verbose: bool = False
    only_judged: bool = False  # shown only where the comparison says something of it: the original has no such figure
    name_in_text: str = ""
    compared: str = ""  # what the comparison with a baseline calls it, empty where that does not test it


@dataclass(frozen=True, slots=True)
class Row:
    """One figure as shown; without a baseline of the route, `baseline` and `delta` are dashes, `percent` is empty."""

    name: str
    name_in_text: str
    actual: str
    baseline: str = _NONE
    delta: str = _NONE
    percent: str = ""
    figure: str = ""  # what the comparison calls it


def shortest(value: float) -> str:
    """Return a number with as many decimals as it needs: ``7``, ``0.5``."""
    text = format(Decimal(repr(float(value))), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def relative(baseline: float, actual: float) -> str:
    """Return the change from `baseline` in percent; without a baseline to be relative to it is a dash."""
    if actual == baseline:
        return "0%"
    return f"{(actual - baseline) / baseline * 100:+.2f}%" if baseline else _NONE


def _hits_change(baseline: float, actual: float) -> tuple[str, str]:
    difference = round(actual - baseline)
    return (f"{difference:+d}" if difference else "0", relative(baseline, actual))


def _rate_change(baseline: float, actual: float) -> tuple[str, str]:
    change = relative(baseline, actual)
    return (change, change)


def _time_change(baseline: float, actual: float) -> tuple[str, str]:
    difference = actual - baseline
    return (f"{difference:+.2f}ms" if difference else "0ms", relative(baseline, actual))


def _count(value: float) -> str:
    return f"{round(value)}"


def _share(value: float) -> str:
    return f"{value * 100:.2f}%"


def _time(value: float) -> str:
    return f"{value:.2f}ms"


def _short_time(value: float) -> str:
    return f"{shortest(value)}ms"


FIGURES = (
    Figure("Hits", lambda route: route.hits, _count, _hits_change, name_in_text="Total Hits"),
    Figure("Error Rate", lambda route: route.error_rate, _share, _rate_change, compared=ERROR_RATE),
    Figure("Mean Response Time", lambda route: route.mean_ms, _time, _time_change),
    Figure("Median Response Time", lambda route: route.median_ms, _time, _time_change, compared="median"),
    Figure("95th Percentile", lambda route: route.p95_ms, _time, _time_change, compared="p95"),
    Figure("99th Percentile", lambda route: route.p99_ms, _time, _time_change, only_judged=True, compared="p99"),
    Figure("90th Percentile", lambda route: route.p90_ms, _time, _time_change, only_verbose=True),
    Figure("Max Response Time", lambda route: route.max_ms, _short_time, _time_change, only_verbose=True),
    Figure("Min Response Time", lambda route: route.min_ms, _short_time, _time_change, only_verbose=True),
    Figure(
        "Inter Quartile Range", lambda route: route.inter_quartile_range_ms, shortest, _time_change, only_verbose=True
    ),
)


def rows(route: RouteReport, verbose: bool, compared: RouteComparison | None = None) -> Iterator[Row]:
    """Yield the figures of `route` in their order, all of them when `verbose`; `compared` is what is said of them."""
    for figure in FIGURES:
        if figure.only_verbose and not verbose:
            continue
        if figure.only_judged and (compared is None or compared.difference(figure.compared) is None):
            continue
        actual = figure.value(route.actual)
        row = Row(figure.name, figure.name_in_text or figure.name, figure.show(actual), figure=figure.compared)
        if route.baseline is not None:
            before = figure.value(route.baseline)
            delta, percent = figure.change(before, actual)
            row = Row(row.name, row.name_in_text, row.actual, figure.show(before), delta, percent, row.figure)
        yield row


def score_change(score: float, baseline_score: float | None) -> str:
    """Return what stands behind the score: its change from the baseline's, or nothing without one."""
    return "" if baseline_score is None else f" ({score - baseline_score:+.2f}, relative to baseline)"
