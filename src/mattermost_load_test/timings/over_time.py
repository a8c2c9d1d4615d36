"""A run over time: requests, errors and percentiles of equal intervals, exact over the samples of each."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import isnan

from .stats import Timings, median, percentile

MOST_INTERVALS = 120
# Widths that people can read off, in seconds: up to a quarter of an hour apart, then hours and days.
_WIDTHS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400)


@dataclass(frozen=True, slots=True)
class Interval:
    """What happened in a part of a run that began `offset_s` after its first request.

    Percentiles are None without a sample; with few samples they are the nearest there is, as everywhere.
    """

    offset_s: float
    requests_per_s: float
    errors_per_s: float
    samples: int
    p50_ms: float | None = None
    p95_ms: float | None = None
    p99_ms: float | None = None


@dataclass(frozen=True, slots=True)
class OverTime:
    """A run in `intervals` of `width_s`; it began at `started_s`, seconds since the epoch, and took `length_s`."""

    started_s: float
    width_s: float
    length_s: float
    intervals: tuple[Interval, ...]


def moments(timings: Timings) -> tuple[float, float] | None:
    """Return when the first and the last request of a run began, None where the log tells it of none or only some."""
    first, last = [], []
    for route in timings.routes.values():
        if route.started_s:
            low, high = min(route.started_s), max(route.started_s)
            if isnan(low + high) or any(map(isnan, route.started_s)):
                return None
            first.append(low)
            last.append(high)
        if route.failed_s:
            first.append(min(route.failed_s))
            last.append(max(route.failed_s))
    return (min(first), max(last)) if first else None


def width_for(length_s: float) -> float:
    """Return the width of intervals for a run that long: round, and at most `MOST_INTERVALS` of them."""
    for width_s in _WIDTHS_S:
        if length_s < width_s * MOST_INTERVALS:
            return float(width_s)
    return length_s / (MOST_INTERVALS - 1)


def over_time(timings: Timings, width_s: float | None = None) -> OverTime | None:
    """Return a run in intervals of `width_s`, or of one that suits it; None where the log tells no times."""
    span = moments(timings)
    if span is None:
        return None
    start_s, end_s = span
    width_s = width_s or width_for(end_s - start_s)
    count = int((end_s - start_s) / width_s) + 1
    durations = [array("d") for _ in range(count)]
    errors = [0] * count
    for route in timings.routes.values():
        for duration_ms, moment_s in zip(route.durations_ms, route.started_s, strict=True):
            durations[int((moment_s - start_s) / width_s)].append(duration_ms)
        for moment_s in route.failed_s:
            errors[int((moment_s - start_s) / width_s)] += 1
    last_s = max(end_s - start_s - (count - 1) * width_s, 1.0)  # the last interval is not whole
    return OverTime(
        start_s, width_s, end_s - start_s, tuple(_intervals(durations, errors, width_s, min(last_s, width_s)))
    )


def _intervals(
    durations: Iterable[array[float]], errors: list[int], width_s: float, last_s: float
) -> Iterator[Interval]:
    """Yield what happened in each interval, of which the last is only `last_s` long."""
    for index, (samples, failed) in enumerate(zip(durations, errors, strict=True)):
        length_s = last_s if index == len(errors) - 1 else width_s
        ordered = sorted(samples)
        yield Interval(
            offset_s=index * width_s,
            requests_per_s=(len(ordered) + failed) / length_s,
            errors_per_s=failed / length_s,
            samples=len(ordered),
            p50_ms=median(ordered) if ordered else None,
            p95_ms=_of(ordered, 95),
            p99_ms=_of(ordered, 99),
        )


def _of(ordered: list[float], percent: float) -> float | None:
    """Return a percentile, of one or two samples the larger, of none None."""
    if not ordered:
        return None
    return percentile(ordered, percent) or ordered[-1]
