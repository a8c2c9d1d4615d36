"""The charts of a run over time: response times, requests, errors, and what the agents tell of themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from mattermost_load_test.reporting.pictures import Pictures, RunPictures
from mattermost_load_test.timings.over_time import Interval, OverTime

from .charts import Chart, Frame, Line, Phase, line_chart

Value = Callable[[Interval], float | None]
Points = list[tuple[float, float | None]]

PERCENTILES: dict[str, Value] = {
    "p50": lambda interval: interval.p50_ms,
    "p95": lambda interval: interval.p95_ms,
    "p99": lambda interval: interval.p99_ms,
}


def charts(pictures: Pictures) -> list[Chart]:
    """Return the charts over time; none where the log tells no times.

    Time runs from the first request of the run, that is when users begin to act; logins lie before.
    """
    if pictures.actual.over_time is None:
        return []
    frame = _frame(pictures)
    return [
        line_chart("Response times", "ms", list(_percentiles(pictures)), frame),
        line_chart("Requests", "per second", list(_rates(pictures, "requests", _requests)), frame),
        line_chart("Errors", "per second", list(_rates(pictures, "errors", _errors)), frame),
    ]


def _requests(interval: Interval) -> float:
    return interval.requests_per_s


def _errors(interval: Interval) -> float:
    return interval.errors_per_s


def _runs(pictures: Pictures) -> Iterator[tuple[RunPictures, str, bool]]:
    """Yield each run, what is added to the names of its lines, and whether these are dashed."""
    yield pictures.actual, "", False
    if pictures.baseline is not None and pictures.baseline.over_time is not None:
        yield pictures.baseline, " (baseline)", True


def _percentiles(pictures: Pictures) -> Iterator[Line]:
    """Yield the lines of response times."""
    for run, suffix, dashed in _runs(pictures):
        for name, value in PERCENTILES.items():
            yield Line(f"{name}{suffix}", name, _points(run.over_time, value), dashed)


def _rates(pictures: Pictures, name: str, value: Value) -> Iterator[Line]:
    """Yield the lines of a rate, the login phase before the run included."""
    for run, suffix, dashed in _runs(pictures):
        before = _points(run.login, value, _login_offset_s(run))
        yield Line(f"{name}/s{suffix}", name, [*before, *_points(run.over_time, value)], dashed)


def _points(over_time: OverTime | None, value: Value, offset_s: float = 0.0) -> Points:
    """Return one figure of every interval at the interval's beginning."""
    intervals = over_time.intervals if over_time is not None else ()
    return [(round(interval.offset_s + offset_s, 3), value(interval)) for interval in intervals]


def _login_offset_s(run: RunPictures) -> float:
    """Return when the login phase began, in seconds since the run did: a negative number."""
    if run.login is None or run.over_time is None:
        return 0.0
    return run.login.started_s - run.over_time.started_s


def _frame(pictures: Pictures) -> Frame:
    """Return the axis of time, wide enough for both runs, and the phases of the one shown."""
    runs = [run for run, _, _ in _runs(pictures)]
    first_s = min(_login_offset_s(run) for run in runs)
    last_s = max(run.over_time.length_s for run in runs if run.over_time is not None)
    return Frame(first_s, last_s, tuple(_phases(pictures.actual)))


def _phases(run: RunPictures) -> Iterator[Phase]:
    """Yield the phases of a run."""
    if run.login is not None:
        offset_s = _login_offset_s(run)
        yield Phase("login", offset_s, min(offset_s + run.login.length_s, 0.0))
    if run.over_time is not None:
        yield Phase("run", 0.0, run.over_time.length_s)
