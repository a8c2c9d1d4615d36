"""The formats that results can be shown in: a new one is a module with a `render` and a line here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from . import json_report, markdown, text
from .report import Report


class Render(Protocol):
    """Turns a report into a document of one format, its last line ended."""

    def __call__(self, report: Report, *, verbose: bool = False) -> str:
        """Return `report` as a document; `verbose` asks for all figures."""
        ...


FORMATS: Mapping[str, Render] = {
    "text": text.render,
    "markdown": markdown.render,
    "json": json_report.render,
}
