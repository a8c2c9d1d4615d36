"""Results as markdown tables, in the original tool's shape; with a baseline each table compares."""

from __future__ import annotations

from .report import Report
from .templates import render_template


def render(report: Report, *, verbose: bool = False) -> str:
    """Return `report` as markdown; `verbose` adds the 90th percentile, the extremes and the inter-quartile range."""
    return render_template("markdown.md.j2", report, verbose=verbose)
