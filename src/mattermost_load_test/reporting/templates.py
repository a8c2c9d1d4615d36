"""The jinja2 templates that lie beside the report formats."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from .figures import rows, score_change
from .report import Report


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
    return environment.get_template(name).render(report=report, verbose=verbose, rows=rows, score_change=score_change)
