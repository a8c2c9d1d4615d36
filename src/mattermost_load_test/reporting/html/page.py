"""What stands on the page of a run: figures on top, charts, tables; computed here, laid out by the template."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from mattermost_load_test.reporting.inspection import duration, moment, played
from mattermost_load_test.reporting.pictures import RunPictures
from mattermost_load_test.reporting.report import InstanceReport, Report, RouteReport
from mattermost_load_test.reporting.settings import flat_settings
from mattermost_load_test.reporting.verdict import change, interval
from mattermost_load_test.timings.comparison import ERROR_RATE, Change, RouteComparison, Verdict
from mattermost_load_test.timings.health import HealthPoint, WorkerHealth

from .charts import Chart, histogram
from .scales import number

MOST_ROUTES = 500  # in the table, those with the most requests
MOST_DISTRIBUTIONS = 60
MOST_INSTANCES = 100
MOST_WORKERS = 16  # of an agent
MOST_ERROR_ROWS = 200
MOST_SETTINGS = 400
MOST_WORDS = 200  # characters of a name or a value


@dataclass(frozen=True, slots=True)
class Card:
    """A figure of the run as a whole; `before` is the baseline's."""

    name: str
    value: str
    before: str = ""


@dataclass(frozen=True, slots=True)
class Cell:
    """A figure of a route: as shown, as JSON has it, the baseline's, the change, its interval and what it means."""

    shown: str
    value: float
    before: str = ""
    change: str = ""
    interval: str = ""
    judged: str = ""


@dataclass(frozen=True, slots=True)
class RouteRow:
    """A route in the table."""

    name: str
    verdict: str
    grade: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Setting:
    """A key of the configuration; `before` is the baseline's value where it is another one."""

    key: str
    value: str
    before: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the table of routes: its name, the figure in the JSON, what the comparison calls it."""

    name: str
    figure: str
    compared: str = ""


COLUMNS = (
    Column("Hits", "hits"),
    Column("Error rate", "error_rate", ERROR_RATE),
    Column("Mean", "mean_ms"),
    Column("Median", "median_ms", "median"),
    Column("p90", "p90_ms"),
    Column("p95", "p95_ms", "p95"),
    Column("p99", "p99_ms", "p99"),
    Column("Max", "max_ms"),
)
_GRADES = {
    Verdict.SLOWER: "bad",
    Verdict.MORE_ERRORS: "bad",
    Verdict.SLOWER_MORE_ERRORS: "bad",
    Verdict.FASTER: "good",
    Verdict.FEWER_ERRORS: "good",
    Verdict.UNCLEAR: "doubtful",
    Verdict.TOO_FEW: "doubtful",
    Verdict.NEW: "doubtful",
    Verdict.VANISHED: "doubtful",
}
_JUDGED = {Change.WORSE: "bad", Change.BETTER: "good", Change.UNCLEAR: "doubtful", Change.SAME: ""}


def cards(report: Report) -> list[Card]:
    """Return the figures of the run as a whole."""
    assert report.pictures is not None  # asked for by the format
    actual, baseline = report.pictures.actual, report.pictures.baseline
    made = [Card("Score", f"{report.score:,.2f}", _before(report.baseline_score, "{:,.2f}"))]
    for name, show in _OVERALL.items():
        made.append(Card(name, show(actual), show(baseline) if baseline is not None else ""))
    return made


def _before(value: float | None, form: str) -> str:
    """Return a figure of the baseline, or nothing."""
    return form.format(value) if value is not None else ""


def _rate(run: RunPictures) -> str:
    """Return the requests each second."""
    return f"{number(run.overall.hits / run.length_s)}/s" if run.length_s else "–"


def _ms(value: float) -> str:
    """Return a duration for people."""
    return f"{number(value)} ms"


_OVERALL: Mapping[str, Callable[[RunPictures], str]] = {
    "Requests": lambda run: f"{run.overall.hits:,}",
    "Throughput": _rate,
    "Errors": lambda run: f"{run.overall.error_rate:.2%}",
    "Median": lambda run: _ms(run.overall.median_ms),
    "p95": lambda run: _ms(run.overall.p95_ms),
    "p99": lambda run: _ms(run.overall.p99_ms),
    "Duration": lambda run: duration(run.length_s) if run.length_s else "–",
}


def route_rows(report: Report) -> list[RouteRow]:
    """Return the routes of the table, by name, those with the most requests if there are too many."""
    compared = report.comparison.routes if report.comparison is not None else {}
    most = sorted(report.routes, key=lambda route: -route.actual.hits)[:MOST_ROUTES]
    rows = [_route_row(route, compared.get(route.name)) for route in sorted(most, key=lambda route: route.name)]
    vanished = [RouteRow(shortened(name), Verdict.VANISHED, "doubtful", ()) for name in report.baseline_only]
    return rows + vanished[: MOST_ROUTES - len(rows)]


def _route_row(route: RouteReport, compared: RouteComparison | None) -> RouteRow:
    """Return a route of the table."""
    verdict = compared.verdict if compared is not None else None
    cells = tuple(_cell(column, route, compared) for column in COLUMNS)
    return RouteRow(shortened(route.name), verdict or "", _GRADES.get(verdict, "") if verdict else "", cells)


def _cell(column: Column, route: RouteReport, compared: RouteComparison | None) -> Cell:
    """Return one figure of a route."""
    value = getattr(route.actual, column.figure)
    before = _shown(column, getattr(route.baseline, column.figure)) if route.baseline is not None else ""
    difference = compared.difference(column.compared) if compared is not None and column.compared else None
    if difference is None:
        return Cell(_shown(column, value), value, before)
    moved, bounds = change(difference), interval(difference)
    return Cell(_shown(column, value), value, before, moved, bounds, _JUDGED[difference.change])


def _shown(column: Column, value: float) -> str:
    """Return a figure of the table for people."""
    if column.figure == "hits":
        return f"{value:,.0f}"
    return f"{value:.2%}" if column.figure == "error_rate" else f"{value:,.1f}"


def distributions(report: Report) -> list[Chart]:
    """Return how durations are spread, for the routes with the most requests, by name."""
    assert report.pictures is not None  # asked for by the format
    actual, baseline = report.pictures.actual, report.pictures.baseline
    most = sorted(report.routes, key=lambda route: -route.actual.samples)[:MOST_DISTRIBUTIONS]
    made = []
    for route in sorted(most, key=lambda route: route.name):
        before = baseline.distributions.get(route.name) if baseline is not None else None
        if route.actual.samples:
            made.append(histogram(shortened(route.name), actual.distributions[route.name], before))
    return made


@dataclass(frozen=True, slots=True)
class ErrorRow:
    """How often requests on a route failed in one way."""

    route: str
    kind: str
    count: int


def error_rows(report: Report) -> list[ErrorRow]:
    """Return the kinds of error, the most frequent first; those of the original's logs have no kind."""
    rows = []
    for route in report.routes:
        kinds = dict(route.error_kinds)
        unknown = route.actual.errors - sum(kinds.values())
        if unknown > 0:
            kinds["of unknown kind"] = unknown
        rows += [ErrorRow(shortened(route.name), shortened(kind), count) for kind, count in kinds.items()]
    return sorted(rows, key=lambda row: -row.count)[:MOST_ERROR_ROWS]


@dataclass(frozen=True, slots=True)
class InstanceRow:
    """An agent of the run."""

    instance_id: str
    source: str
    played: str
    began: str
    length: str
    hits: str
    errors: str
    achieved: str
    kept_up: str
    grade: str
    workers: tuple[WorkerHealth, ...]


def instance_rows(report: Report) -> list[InstanceRow]:
    """Return the agents whose samples are in the figures."""
    return [_instance_row(one) for one in report.instances if one.shown][:MOST_INSTANCES]


def _instance_row(one: InstanceReport) -> InstanceRow:
    """Return an agent as it is shown."""
    timed = one.started_s is not None and one.ended_s is not None
    return InstanceRow(
        shortened(one.instance_id) or "–",
        shortened(one.source),
        shortened(played(one.origin)) if one.origin is not None else "–",
        moment(one.started_s) if one.started_s is not None else "–",
        duration((one.ended_s or 0.0) - (one.started_s or 0.0)) if timed else "–",
        f"{one.hits:,}",
        f"{one.errors:,}",
        _achieved(one.health),
        "not told" if one.saturation is None else "saturated" if one.saturation else "kept up",
        "" if one.saturation is None else "bad" if one.saturation else "good",
        one.health.workers[:MOST_WORKERS] if one.health is not None else (),
    )


def _achieved(health: HealthPoint | None) -> str:
    """Return the actions done of those intended, and those skipped, as far as the agent told."""
    if health is None or health.activity is None:
        return "–"
    done = health.activity
    share = f" ({done.actions / done.actions_intended:.1%})" if done.actions_intended else ""
    return f"{done.actions:,} of {done.actions_intended:,.0f}{share}, {done.skipped:,} skipped"


def setting_rows(settings: Mapping[str, object] | None, before: Mapping[str, object] | None = None) -> list[Setting]:
    """Return the configuration, a row for each key, with the baseline's value where that is another."""
    old = dict(flat_settings(before or {}))
    rows = []
    for key, value in flat_settings(settings or {}):
        other = old.get(key, value)
        rows.append(Setting(shortened(key), shortened(value), shortened(other) if other != value else ""))
    return rows[:MOST_SETTINGS]


def shortened(text: str) -> str:
    """Return `text`, cut where it is too long for a page."""
    return text if len(text) <= MOST_WORDS else f"{text[: MOST_WORDS - 1]}…"


def when(report: Report) -> str:
    """Return when the run was, as far as its log tells."""
    starts = [one.started_s for one in report.instances if one.shown and one.started_s is not None]
    return moment(min(starts)) if starts else "at an unknown time"


def left_out(shown: Sequence[object], all_of_them: int, noun: str) -> str:
    """Return a remark on what is not on the page, or nothing."""
    missing = all_of_them - len(shown)
    return f"{missing:,} more {noun} are in the JSON and CSV only." if missing > 0 else ""
