"""Results as CSV: one line per route, the same columns always; gates, if any, come first."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import asdict, fields

from mattermost_load_test.timings.comparison import ERROR_RATE, PERCENTILES, RouteComparison
from mattermost_load_test.timings.stats import Statistics

from .report import Report, RouteReport

_FIGURES = tuple(field.name for field in fields(Statistics))
_COMPARED = (*PERCENTILES, ERROR_RATE)
COLUMNS = (
    "kind",  # gate, route, login (a route of the login phase) or baseline (a route that only the baseline has)
    "name",
    "verdict",
    "reason",
    *_FIGURES,
    *(f"baseline_{figure}" for figure in _FIGURES),
    *(f"{figure}_change_{part}" for figure in _COMPARED for part in ("low", "high", "p_value")),
)


def render(report: Report, *, verbose: bool = False) -> str:
    """Return `report` as CSV with a line of column names; it always holds everything, so `verbose` changes nothing."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(_rows(report))
    return text.getvalue()


def _rows(report: Report) -> Iterator[Mapping[str, object]]:
    """Yield the lines."""
    for result in report.gates:
        yield {"kind": "gate", "name": result.gate.text, "verdict": result.outcome, "reason": result.reason}
    compared = report.comparison.routes if report.comparison is not None else {}
    for route in report.routes:
        yield {"kind": "route", **_route(route), **_comparison(compared.get(route.name))}
    for name in report.baseline_only:
        yield {"kind": "baseline", "name": name, **_comparison(compared.get(name))}
    for route in report.login:
        yield {"kind": "login", **_route(route)}


def _route(route: RouteReport) -> dict[str, object]:
    """Return the columns of a route's figures."""
    before = asdict(route.baseline) if route.baseline is not None else {}
    return {
        "name": route.name,
        **asdict(route.actual),
        **{f"baseline_{figure}": value for figure, value in before.items()},
    }


def _comparison(route: RouteComparison | None) -> dict[str, object]:
    """Return the columns of what a comparison says of a route."""
    if route is None:
        return {}
    parts: dict[str, object] = {}
    for one in route.differences:
        values = {"low": one.shift.low, "high": one.shift.high, "p_value": one.p_value}
        parts |= {f"{one.figure}_change_{part}": value for part, value in values.items()}
    return {"verdict": route.verdict, **parts}
