"""The progress bar of commands that write much: how many, how fast, how long still. Drawn on terminals only."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text


class RateColumn(ProgressColumn):
    """How many are done in a second."""

    def __init__(self, unit: str) -> None:
        super().__init__()
        self._unit = unit

    def render(self, task: Task) -> Text:
        """Return the rate, nothing before there is one."""
        return Text(f"{task.speed:,.0f} {self._unit}/s" if task.speed else "")


class Bar:
    """A bar that is drawn: `say` sets the words before it, `show` how far it is."""

    def __init__(self, progress: Progress, words: str) -> None:
        self._progress = progress
        self._task = progress.add_task(words, total=None)

    def say(self, words: str) -> None:
        """Set the words before the bar."""
        self._progress.update(self._task, description=words)

    def show(self, done: int, total: int) -> None:
        """Show that `done` of `total` are done."""
        self._progress.update(self._task, completed=done, total=total)


@contextmanager
def progress_bar(words: str, unit: str) -> Iterator[Bar]:
    """Draw a bar on stderr, where that is a terminal, and take it away at the end; `unit` is what it counts."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        RateColumn(unit),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not sys.stderr.isatty()) as progress:
        yield Bar(progress, words)
