"""The charts of a run over time: response times, requests, errors, and what the agents tell of themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from mattermost_load_test.reporting.pictures import AgentsMoment, Pictures, RunPictures
from mattermost_load_test.timings.over_time import Interval, OverTime

from .charts import Chart, Frame, Line, Phase, line_chart

Value = Callable[[Interval], float | None]
Points = list[tuple[float, float | None]]

_FULL_SHARE = 0.99  # of all user entities: from then on the load is steady

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
        *_agents_charts(pictures, frame),
    ]


def _agents_charts(pictures: Pictures, frame: Frame) -> Iterator[Chart]:
    """Yield the charts of what the agents tell of themselves, where they do."""
    if any(moment.entities is not None for moment in pictures.actual.agents):
        yield line_chart("User entities", "acting", list(_agents_lines(pictures, _ENTITIES)), frame)
    if pictures.actual.agents:
        yield line_chart("The agents' own delay", "ms, p99 so far", list(_agents_lines(pictures, _DELAYS)), frame)


def _agents_lines(pictures: Pictures, figures: Mapping[str, Callable[[AgentsMoment], float | None]]) -> Iterator[Line]:
    """Yield the lines of figures that the agents tell."""
    for run, suffix, dashed in _runs(pictures):
        for name, value in figures.items():
            points = [(moment.offset_s, value(moment)) for moment in run.agents]
            yield Line(f"{name}{suffix}", _COLORS[name], points, dashed)


_ENTITIES: Mapping[str, Callable[[AgentsMoment], float | None]] = {"entities": lambda moment: moment.entities}
_DELAYS: Mapping[str, Callable[[AgentsMoment], float | None]] = {
    "lateness": lambda moment: moment.lateness_p99_ms,
    "loop lag": lambda moment: moment.loop_lag_p99_ms,
}
_COLORS = {"entities": "entities", "lateness": "p95", "loop lag": "p99"}


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
    if run.over_time is None:
        return
    full_s = _full_s(run)
    if full_s is None:
        yield Phase("run", 0.0, run.over_time.length_s)
        return
    yield Phase("ramp", 0.0, full_s)
    yield Phase("steady", full_s, run.over_time.length_s)


def _full_s(run: RunPictures) -> float | None:
    """Return when nearly all user entities acted, None where the agents do not tell."""
    told = [(moment.offset_s, moment.entities) for moment in run.agents if moment.entities is not None]
    most = max((entities for _, entities in told), default=0)
    if not most:
        return None
    first = next(index for index, (_, entities) in enumerate(told) if entities >= _FULL_SHARE * most)
    return told[first][0] if first else 0.0
