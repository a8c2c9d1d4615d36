"""Where lines of the log go: streams, files, the space above a live view; each says which lines it wants."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import orjson

from mattermost_load_test.errors import OutputError

from .lines import Level, LogLine
from .outflow import Outflow


class Sink(Protocol):
    """Where lines go. `vital` says that a run without this sink would lose what it measured."""

    vital: bool

    def write(self, line: LogLine) -> None:
        """Write `line` if it is for this sink; raises `OutputError` when it cannot."""
        ...

    def write_data(self, line: bytes) -> None:
        """Write a finished line of data, given without its end, if this sink takes data; raises likewise."""
        ...

    def close(self) -> None:
        """Let go of what the sink holds open."""
        ...


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which lines a sink takes, and in which form: other lines from `level` on (none without one), as JSON or text."""

    level: Level | None
    as_json: bool
    data: bool

    def rendered(self, line: LogLine) -> bytes | None:
        """Return `line` as it is to be written, without a line end, or nothing when it is not wanted."""
        if self.level is None or line.level < self.level:
            return None
        return line.as_json() if self.as_json else line.as_text().encode(errors="replace")


def cannot_be_written(name: str, error: OSError) -> OutputError:
    """Return the error for a place of the log that takes no more."""
    return OutputError(
        f"{name} cannot be written: {error.strerror}. What was written before is intact; "
        "make room or choose another place (LogSettings.FileLocation), then run again."
    )


class FdSink:
    """Lines to an open file descriptor, each in one write: a stream of this process, or a file of its own.

    `name` is what messages call it. A file that is full is cut back to its last whole line.
    """

    def __init__(self, fd: int, name: str, wanted: Wanted, *, owned: bool = False) -> None:
        self.vital = wanted.data
        self._fd = fd
        self._name = name
        self._wanted = wanted
        self._owned = owned
        self._whole_bytes = os.fstat(fd).st_size if stat.S_ISREG(os.fstat(fd).st_mode) else None

    def write(self, line: LogLine) -> None:
        """Write `line` whole if it is wanted here; raises `OutputError` when it cannot be."""
        rendered = self._wanted.rendered(line)
        if rendered is not None:
            self._write_whole(rendered + b"\n")

    def write_data(self, line: bytes) -> None:
        """Write a line of data whole if data is wanted here; raises `OutputError` when it cannot be."""
        if self._wanted.data:
            self._write_whole(line + b"\n")

    def _write_whole(self, line: bytes) -> None:
        """Write `line`, end included, or nothing of it."""
        try:
            _write_all(self._fd, line)
        except OSError as error:
            self._cut_back()
            raise cannot_be_written(self._name, error) from error
        if self._whole_bytes is not None:
            self._whole_bytes += len(line)

    def _cut_back(self) -> None:
        """Take a half-written line away again, where a file is ours alone."""
        if self._owned and self._whole_bytes is not None:
            with contextlib.suppress(OSError):
                os.ftruncate(self._fd, self._whole_bytes)

    def close(self) -> None:
        """Close the file if it is the sink's own."""
        if self._owned and self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def _write_all(fd: int, data: bytes) -> None:
    """Write all of `data`, however many calls it takes; raises OSError."""
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


class StreamSink:
    """Lines to a stream that may be read slowly; whoever opened the flow sees it to its end. `name` is as above."""

    def __init__(self, flow: Outflow, name: str, wanted: Wanted) -> None:
        self.vital = wanted.data
        self._flow = flow
        self._name = name
        self._wanted = wanted

    def write(self, line: LogLine) -> None:
        """Have `line` written if it is wanted here; raises `OutputError` when the stream has failed."""
        rendered = self._wanted.rendered(line)
        if rendered is not None:
            self._put(rendered)

    def write_data(self, line: bytes) -> None:
        """Have a line of data written if data is wanted here; raises likewise."""
        if self._wanted.data:
            self._put(line)

    def _put(self, line: bytes) -> None:
        """Hand a line on."""
        try:
            self._flow.put(line + b"\n")
        except OSError as error:
            raise cannot_be_written(self._name, error) from error

    def close(self) -> None:
        """Leave the stream as it is; it is not the sink's own."""


class ViewSink:
    """Lines shown through a function that takes text without a line end, such as the space above a live view."""

    vital = False

    def __init__(self, show: Callable[[str], None], wanted: Wanted) -> None:
        self._show = show
        self._wanted = wanted

    def write(self, line: LogLine) -> None:
        """Show `line` if it is wanted here."""
        rendered = self._wanted.rendered(line)
        if rendered is not None:
            self._show(rendered.decode())

    def write_data(self, line: bytes) -> None:
        """Pass by: data is not for people."""

    def close(self) -> None:
        """Nothing is held open."""


def open_file(path: Path, wanted: Wanted) -> FdSink:
    """Open `path` for a new log, keeping an earlier log under its start time; raises `OutputError` when it cannot."""
    try:
        keep_earlier(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise OutputError(
            f"The log file {path} cannot be opened: {error.strerror}. "
            "Name another in LogSettings.FileLocation or make its folder writable."
        ) from error
    return FdSink(fd, f"The log file {path}", wanted, owned=True)


def keep_earlier(path: Path) -> Path | None:
    """Move an earlier log at `path` aside to ``<stem>-<start time>.<suffix>`` and return its path; raises OSError."""
    if not path.is_file() or path.stat().st_size == 0:
        return None
    started = datetime.fromtimestamp(_first_time_s(path), UTC).strftime("%Y%m%dT%H%M%SZ")
    kept = path.with_name(f"{path.stem}-{started}{path.suffix}")
    number = 2
    while kept.exists():
        kept = path.with_name(f"{path.stem}-{started}-{number}{path.suffix}")
        number += 1
    return path.rename(kept)


def _first_time_s(path: Path) -> float:
    """Return the time of a log's first line in seconds since 1970, or of its last change if that line has none."""
    with path.open("rb") as log:
        first = log.readline(65536)
    try:
        return float(orjson.loads(first)["ts"])
    except (ValueError, TypeError, KeyError):
        return path.stat().st_mtime
