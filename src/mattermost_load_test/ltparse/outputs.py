"""Writing reports to files, in the format that each file's ending names: whole, or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from mattermost_load_test.errors import OutputError, UsageError
from mattermost_load_test.reporting.formats import FORMATS, format_of
from mattermost_load_test.reporting.report import Report


@dataclass(frozen=True, slots=True)
class Output:
    """A file to be written, and the name of its format."""

    path: Path
    format: str


def outputs_of(paths: Sequence[Path], sources: Sequence[str]) -> tuple[Output, ...]:
    """Return what is to be written; raises `UsageError` for an unknown ending, or a file that is one of `sources`."""
    outputs = tuple(Output(path, format_of(path)) for path in paths)
    for path in paths:
        if any(same_file(path, Path(source)) for source in sources):
            raise UsageError(f"{path} is one of the logs to be read: it would be overwritten; name another file")
        try:
            path.parent.stat()
        except FileNotFoundError as error:
            raise OutputError(f"{path} cannot be written: there is no folder {path.parent}") from error
        except OSError as error:
            raise _unwritable(path, error) from error
    return outputs


def write_all(outputs: Sequence[Output], report: Report, *, verbose: bool) -> None:
    """Write a report to every file; raises `OutputError`, once all others are written, where that failed."""
    problems = []
    for output in outputs:
        try:
            write_whole(output.path, FORMATS[output.format].render(report, verbose=verbose).encode())
        except OutputError as error:
            problems.append(str(error))
    if problems:
        raise OutputError("; ".join(problems))


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that it is there whole, or what was there before; raises `OutputError`."""
    with whole_file(path) as stream:
        stream.write(content)


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """Give a stream whose content takes the place of `path` when all is written; raises `OutputError`.

    What raises inside leaves what was there before. A device or a pipe is written to directly.
    """
    try:
        if path.exists() and not path.is_file():
            with path.open("wb") as stream:
                yield stream
            return
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with os.fdopen(descriptor, "wb") as stream:
                yield stream
            Path(name).chmod(0o666 & ~_umask())
            Path(name).replace(path)
        finally:
            Path(name).unlink(missing_ok=True)
    except OSError as error:
        raise _unwritable(path, error) from error


def _unwritable(path: Path, error: OSError) -> OutputError:
    return OutputError(f"{path} cannot be written: {error.strerror}")


def _umask() -> int:
    """Return which permissions new files of this process lack."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


def same_file(path: Path, other: Path) -> bool:
    """Say whether two paths name the same file; why one cannot be looked at is said when it is opened."""
    try:
        return path.samefile(other)
    except OSError:
        return False
