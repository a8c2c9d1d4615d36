"""What the commands of `ltparse` have in common: standard input, and progress bars on long reads."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

import click
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from mattermost_load_test.ltparse.selection import STANDARD_INPUT, Watch

LONG_READ_BYTES = 32 * 1024 * 1024  # what is smaller is read before a bar could be looked at


def standard_input(paths: Sequence[str], *, meant: bool) -> BinaryIO:
    """Return the standard input, which is one of `paths` or not, `meant` or only the default.

    Raises a usage error where it is needed and cannot be had: closed, a terminal nobody asked for, or wanted twice.
    """
    if paths.count(STANDARD_INPUT) > 1:
        raise click.UsageError("standard input can be read only once: name the other log as a file")
    if STANDARD_INPUT not in paths:
        return BytesIO()
    if sys.stdin is None or (sys.stdin.isatty() and not meant):
        raise click.UsageError("no results given: name a log with --file, or pipe one in")
    return sys.stdin.buffer


@contextmanager
def progress_bars() -> Iterator[Watch]:
    """Give what puts a progress bar on the reading of long files, where standard error is a terminal."""
    if sys.stderr is None or not sys.stderr.isatty():
        yield lambda path, stream: stream
        return
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(file=sys.stderr), transient=True) as progress:

        def watched(path: Path, stream: BinaryIO) -> BinaryIO:
            size_bytes = path.stat().st_size
            if size_bytes < LONG_READ_BYTES:
                return stream
            return progress.wrap_file(stream, total=size_bytes, description=path.name)

        yield watched
