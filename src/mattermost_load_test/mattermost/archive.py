"""The file that a bulk import reads: JSON lines, over REST in a zip with attachments under ``data/``.

Written as it comes, line by line: memory does not grow with the population.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from mattermost_load_test.errors import OutputError

LINES_NAME = "import.jsonl"

_EMOJI = re.compile(rb'\s*\{\s*"type"\s*:\s*"emoji"')
_USER = re.compile(rb'\s*\{\s*"type"\s*:\s*"user"')
_PASSWORD = re.compile(r'("password"\s*:\s*)"(?:[^"\\]|\\.)*"')

SPLIT_MARGIN_BYTES = 256 * 1024
"""What a part may grow by after it was last looked at: the longest line, and what the compression still holds back."""

SHOWN_CHARACTERS = 300
LINES_PER_NOTE = 1000


@dataclass(frozen=True, slots=True)
class Archive:
    """An import file on this machine's disk.

    `lines` counts what is in it, `user_lines` those among them that cost the server a password hash each, and
    `emoji_left_out` the emoji that were not put in: an import looks their images up on the server's own disk, so custom
    emoji are created by `client.emojis.create`.
    """

    path: Path
    size_bytes: int
    lines: int
    user_lines: int
    emoji_left_out: int

    def line(self, number: int) -> str:
        """Return a line, counted from 1, cut to what fits a message and without passwords; empty if there is none."""
        with self.opened() as lines:
            for current, line in enumerate(lines, 1):
                if current == number:
                    return _shown(line)
        return ""

    @contextmanager
    def opened(self) -> Iterator[IO[bytes]]:
        """Give its lines, whether they lie in a zip or plainly."""
        if not zipfile.is_zipfile(self.path):
            with self.path.open("rb") as lines:
                yield lines
            return
        with zipfile.ZipFile(self.path) as archive, archive.open(LINES_NAME) as lines:
            yield lines


def write_archive(
    path: Path,
    lines: Iterable[bytes],
    attachments: Mapping[str, Path] | None = None,
    on_lines: Callable[[int], object] | None = None,
) -> Archive:
    """Write an import file to `path` and return what is in it. Blocks: call it in a thread.

    `attachments` are files by their path below ``data/``. `on_lines` is called now and then with the number of lines
    written; whatever it raises ends the work. Raises `OutputError` when the file cannot be written.
    """
    counted = _Counted(on_lines)
    with _writing(path), zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        with archive.open(LINES_NAME, "w", force_zip64=True) as target:
            target.writelines(counted.of(lines))
        for name, source in (attachments or {}).items():
            archive.write(source, f"data/{name}")
    return counted.archive(path)


def write_plain(path: Path, lines: Iterable[bytes], on_lines: Callable[[int], object] | None = None) -> Archive:
    """Write the lines alone, as the server's own command line reads them; else as `write_archive`."""
    counted = _Counted(on_lines)
    with _writing(path), path.open("wb") as target:
        target.writelines(counted.of(lines))
    return counted.archive(path)


def split_archive(archive: Archive, most_bytes: int) -> Iterator[Archive]:
    """Yield archives of at most `most_bytes` with the lines of one that is larger, each begun by its version line.

    Each lies beside the first, and may be removed before the next one is asked for. Attachments are left out. The limit
    must be well above `SPLIT_MARGIN_BYTES`. Blocks: call it in a thread.
    """
    with archive.opened() as lines:
        version = next(lines)
        line: bytes | None = next(lines, None)
        number = 0
        while line is not None:
            number += 1
            path = archive.path.with_name(f"{archive.path.stem}-{number}{archive.path.suffix}")
            counted = _Counted(None)
            with (
                _writing(path),
                path.open("wb") as file,
                zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as part,
                part.open(LINES_NAME, "w", force_zip64=True) as target,
            ):
                target.writelines(counted.of((version,)))
                while line is not None and file.tell() < most_bytes - SPLIT_MARGIN_BYTES:
                    target.writelines(counted.of((line,)))
                    line = next(lines, None)
            yield counted.archive(path)


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    """Raise `OutputError` where a file cannot be written."""
    try:
        yield
    except OSError as error:
        raise OutputError(
            f"the import file {path} cannot be written ({error.strerror}); "
            "free some space there, or name another place for temporary files by TMPDIR"
        ) from error


class _Counted:
    """Counts the lines that pass, and holds back the emoji."""

    def __init__(self, on_lines: Callable[[int], object] | None) -> None:
        self.lines = self.users = self.emoji = 0
        self._on_lines = on_lines

    def of(self, lines: Iterable[bytes]) -> Iterator[bytes]:
        for line in lines:
            if _EMOJI.match(line):
                self.emoji += 1
                continue
            self.lines += 1
            if _USER.match(line):
                self.users += 1
            if self._on_lines is not None and self.lines % LINES_PER_NOTE == 0:
                self._on_lines(self.lines)
            yield line if line.endswith(b"\n") else line + b"\n"

    def archive(self, path: Path) -> Archive:
        """Return what was written to `path`."""
        return Archive(path, path.stat().st_size, self.lines, self.users, self.emoji)


def _shown(line: bytes) -> str:
    text = _PASSWORD.sub(r'\1"…"', line.decode("utf-8", "replace").strip())
    return text if len(text) <= SHOWN_CHARACTERS else text[:SHOWN_CHARACTERS] + "…"
