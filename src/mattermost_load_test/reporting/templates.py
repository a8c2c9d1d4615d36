"""The jinja2 templates that lie beside the report formats."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from mattermost_load_test.timings.comparison import RouteComparison

from .figures import rows, score_change
from .report import Report, RouteReport
from .verdict import change_of, headline


def render_template(name: str, report: Report, *, verbose: bool) -> str:
    """Return the template `name` filled with `report`; it is plain text, nothing is escaped."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # no HTML comes of these
    )
    environment.globals.update(
        rows=rows,
        score_change=score_change,
        headline=headline,
        change_of=change_of,
        comparison_of=_comparison_of,
        cell=_cell,
    )
    return environment.get_template(name).render(report=report, verbose=verbose)


def _comparison_of(report: Report, route: RouteReport) -> RouteComparison | None:
    """Return what is shown of the comparison of a route."""
    if not report.show_verdict or report.comparison is None:
        return None
    return report.comparison.routes.get(route.name)


def _cell(text: str) -> str:
    """Return `text` for a cell of a markdown table."""
    return text.replace("|", "\\|").replace("\n", " ")
