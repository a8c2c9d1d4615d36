"""Tables of figures, in Markdown: read on a terminal, and fit for docs/performance.md as they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich import box
from rich.console import Console
from rich.table import Table as RichTable


@dataclass(frozen=True, slots=True)
class Table:
    """A table: its title, the names of its columns, its rows of as many texts; all but the first are figures."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


def show(table: Table) -> None:
    """Print a table."""
    drawn = RichTable(box=box.MARKDOWN)
    for number, column in enumerate(table.columns):
        drawn.add_column(column, justify="right" if number else "left", no_wrap=True)
    for row in table.rows:
        drawn.add_row(*row)
    print(f"\n**{table.title}**")
    Console(width=200).print(drawn)
