"""The formats that results can be shown in: a new one is a module with a `render` and a line here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from mattermost_load_test.errors import UsageError

from . import csv_report, html, json_report, junit, markdown, series_report, text
from .report import Report


class Render(Protocol):
    """Turns a report into a document of one format, its last line ended."""

    def __call__(self, report: Report, *, verbose: bool = False) -> str:
        """Return `report` as a document; `verbose` asks for all figures."""
        ...


@dataclass(frozen=True, slots=True)
class Format:
    """A format: how it is made, the endings of files that hold it, and what has to be computed for it.

    `compares` asks for the comparison where there is a baseline, `pictures` for what pictures are drawn from.
    """

    render: Render
    endings: tuple[str, ...]
    compares: bool = True
    pictures: bool = False


FORMATS: Mapping[str, Format] = {
    "text": Format(text.render, (".txt",), compares=False),
    "markdown": Format(markdown.render, (".md", ".markdown"), compares=False),
    "json": Format(json_report.render, (".json",)),
    "csv": Format(csv_report.render, (".csv",)),
    "series": Format(series_report.render, (".series.csv",), compares=False, pictures=True),
    "junit": Format(junit.render, (".xml",)),
    "html": Format(html.render, (".html", ".htm"), pictures=True),
}


def format_of(path: Path) -> str:
    """Return the name of the format that a file of this name holds; raises `UsageError` for an unknown ending."""
    matching = [
        (ending, name) for name, form in FORMATS.items() for ending in form.endings if path.name.endswith(ending)
    ]
    if not matching:
        known = ", ".join(ending for form in FORMATS.values() for ending in form.endings)
        raise UsageError(f"{path}: the ending of its name says no format; name a file that ends with one of {known}")
    return max(matching, key=lambda match: len(match[0]))[1]
