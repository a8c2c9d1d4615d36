"""Results as plain text, in the original tool's shape; with a baseline each figure has it in brackets."""

from __future__ import annotations

from .report import Report
from .templates import render_template


def render(report: Report, *, verbose: bool = False) -> str:
    """Return `report` as text; `verbose` adds the 90th percentile, the extremes and the inter-quartile range."""
    return render_template("text.txt.j2", report, verbose=verbose)
