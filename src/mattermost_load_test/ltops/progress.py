"""How far a command is, part by part of a cluster: on a terminal a line for each that changes, else a line per event.

Everything shown also goes into the cluster's log, with the commands run, which `-v` shows, too.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from rich.console import Console
from rich.progress import Progress as Bars
from rich.progress import SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.text import Text

from mattermost_load_test.errors import OutputError
from mattermost_load_test.logs import FdSink, Level, Log, Wanted
from mattermost_load_test.ltops.artifacts.addresses import without_secrets

LOG_FILE = "ltops.log"
"""What was done to a cluster, in its folder."""

_LOG_BYTES_MAX = 5_000_000
_DOWNLOAD = "archive"
_TELL_EVERY_S = 0.5


class Progress:
    """Tells of work on the parts of a cluster; from any thread."""

    def __init__(self, console: Console, log: Log, bars: Bars | None, *, verbose: bool) -> None:
        self.log = log
        self._console = console
        self._bars = bars
        self._verbose = verbose
        self._tasks: dict[str, TaskID] = {}
        self._interrupted = False
        self._to_interrupt: list[Callable[[], None]] = []
        self._interrupting = threading.Lock()

    def began(self, subject: str, what: str) -> None:
        """Tell that work on a part begins."""
        self.log.info(f"{subject}: {what}")
        if self._bars is not None:
            self._tasks[subject] = self._bars.add_task(what, subject=subject, total=None)

    def tell(self, subject: str, words: str) -> None:
        """Tell how far it is."""
        self.log.debug(f"{subject}: {words}")
        if self._bars is not None and subject in self._tasks:
            self._bars.update(self._tasks[subject], description=words)
        elif self._verbose:
            self._line(subject, words, "dim")

    def ended(self, subject: str, what: str) -> None:
        """Tell that it is done."""
        self.log.info(f"{subject}: {what}: done")
        self._drop(subject)
        self._line(subject, what, "green")

    def failed(self, subject: str, what: str) -> None:
        """Tell that it failed, and why."""
        self.log.error(f"{subject}: {what}")
        self._drop(subject)
        self._line(subject, what, "red")

    @contextmanager
    def interruptible(self, pass_on: Callable[[], None]) -> Iterator[None]:
        """Have `pass_on` called, once, if the command is interrupted meanwhile, or was before."""
        with self._interrupting:
            self._to_interrupt.append(pass_on)
            if self._interrupted:
                pass_on()
        try:
            yield
        finally:
            with self._interrupting:
                self._to_interrupt.remove(pass_on)

    def interrupt(self) -> None:
        """Pass an interruption on to what works for the command."""
        with self._interrupting:
            self._interrupted = True
            for pass_on in self._to_interrupt:
                pass_on()

    def say(self, text: str) -> None:
        """Tell something about the cluster as a whole."""
        self.log.info(text)
        self._console.print(Text(text), soft_wrap=True, highlight=False)

    def warn(self, text: str) -> None:
        """Tell something that the user should know."""
        self.log.warn(text)
        self._console.print(Text(f"WARNING: {text}", style="yellow"), soft_wrap=True, highlight=False)

    @contextmanager
    def downloading(self, reference: str) -> Iterator[Callable[[int, int | None], None]]:
        """Give what tells how far a download is, in bytes, of all where that is known; a file here is none."""
        download = _Download(self, reference)
        try:
            yield download
        except BaseException:
            download.end(failed=True)
            raise
        download.end(failed=False)

    def command(self, words: str) -> None:
        """Tell which command is run; it must hold no secret."""
        self.log.debug(f"$ {words}")
        if self._verbose:
            self._console.print(Text(f"$ {words}", style="dim"), soft_wrap=True, highlight=False)

    def _drop(self, subject: str) -> None:
        """Take away the line of a part that changes no more."""
        if self._bars is not None and subject in self._tasks:
            self._bars.remove_task(self._tasks.pop(subject))

    def _line(self, subject: str, words: str, style: str) -> None:
        mark = {"green": "✓", "red": "✗"}.get(style, " ")
        text = Text.assemble((f"{mark} ", style), (f"{subject}  ", "bold"), words)
        self._console.print(text, soft_wrap=True, highlight=False)


class _Download:
    """Tells how far a download is, at most twice a second."""

    def __init__(self, progress: Progress, reference: str) -> None:
        self._progress = progress
        self._what = f"download {without_secrets(reference) if '://' in reference else reference}"
        self._here = 0
        self._next_s: float | None = None

    def __call__(self, here: int, total: int | None) -> None:
        """Tell that so many bytes are here."""
        if self._next_s is None:
            self._progress.began(_DOWNLOAD, self._what)
        if self._next_s is None or time.monotonic() >= self._next_s:
            self._next_s = time.monotonic() + _TELL_EVERY_S
            of_all = "" if not total else f" of {_megabytes(total)} ({here / total:.0%})"
            self._progress.tell(_DOWNLOAD, f"{self._what}: {_megabytes(here)}{of_all}")
        self._here = here

    def end(self, *, failed: bool) -> None:
        """Tell that it came to its end, if it began at all."""
        if self._next_s is None:
            return
        if failed:
            self._progress.failed(_DOWNLOAD, f"{self._what}: {_megabytes(self._here)} are here")
        else:
            self._progress.ended(_DOWNLOAD, f"{self._what}, {_megabytes(self._here)}")


def _megabytes(size_bytes: int) -> str:
    return f"{size_bytes / 1e6:,.1f} MB"


@contextmanager
def open_progress(stream: TextIO, directory: Path, *, verbose: bool) -> Iterator[Progress]:
    """Give what tells of progress on `stream` and in the log of the cluster in `directory`."""
    console = Console(file=stream)
    with _cluster_log(directory) as log:
        if not console.is_terminal:
            yield Progress(console, log, None, verbose=verbose)
            return
        columns = (SpinnerColumn(), TextColumn("{task.fields[subject]}"), TextColumn("{task.description}"))
        with Bars(*columns, TimeElapsedColumn(), console=console, transient=True) as bars:
            yield Progress(console, log, bars, verbose=verbose)


@contextmanager
def _cluster_log(directory: Path) -> Iterator[Log]:
    """Open a cluster's log to add to it; beyond 5 MB it begins anew and the last one is kept."""
    path = directory / LOG_FILE
    try:
        if path.exists() and path.stat().st_size > _LOG_BYTES_MAX:
            path.replace(path.with_suffix(".log.1"))
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise OutputError(f"{path} cannot be opened: {error.strerror}") from error
    log = Log([FdSink(fd, str(path), Wanted(Level.DEBUG, as_json=False, data=False), owned=True)])
    try:
        yield log
    finally:
        log.close()
