"""The archive that a bulk import over REST wants: a zip with one file of JSON lines, and attachments under ``data/``.

Written as it comes, line by line: memory does not grow with the population.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from mattermost_load_test.errors import OutputError

LINES_NAME = "import.jsonl"

_EMOJI = re.compile(rb'\s*\{\s*"type"\s*:\s*"emoji"')
_USER = re.compile(rb'\s*\{\s*"type"\s*:\s*"user"')
_PASSWORD = re.compile(r'("password"\s*:\s*)"(?:[^"\\]|\\.)*"')

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
        with zipfile.ZipFile(self.path) as archive, archive.open(LINES_NAME) as lines:
            for current, line in enumerate(lines, 1):
                if current == number:
                    return _shown(line)
        return ""


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
    try:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            with archive.open(LINES_NAME, "w", force_zip64=True) as target:
                for line in counted.of(lines):
                    target.write(line)
            for name, source in (attachments or {}).items():
                archive.write(source, f"data/{name}")
        size_bytes = path.stat().st_size
    except OSError as error:
        raise OutputError(
            f"the import file {path} cannot be written ({error.strerror}); "
            "free some space there, or name another place for temporary files by TMPDIR"
        ) from error
    return Archive(path, size_bytes, counted.lines, counted.users, counted.emoji)


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


def _shown(line: bytes) -> str:
    text = _PASSWORD.sub(r'\1"…"', line.decode("utf-8", "replace").strip())
    return text if len(text) <= SHOWN_CHARACTERS else text[:SHOWN_CHARACTERS] + "…"
