"""The bulk import: JSON lines into the tables, as the server's importer takes them.

Lines are of the types version, scheme, emoji, team, channel, user, post, direct_channel and direct_post. What is there
already is changed to what its line says, so the same file can be imported again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from mattermost_load_test.embedded.import_people import import_direct_channel, import_user
from mattermost_load_test.embedded.import_places import import_channel, import_emoji, import_scheme, import_team
from mattermost_load_test.embedded.import_posts import import_direct_post, import_post
from mattermost_load_test.embedded.import_values import ImportRefusal, Line
from mattermost_load_test.embedded.state import State

LINE_BYTES_MAX = 16 * 1024 * 1024
"""The longest line that the server's importer reads."""

DEFAULT_EMOJI_IMAGE = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360f8cfc0000003010100c9fe92ef0000000049454e44ae426082"
)
"""A PNG of one pixel: the image of emoji that are imported without one."""

IMPORTS: Mapping[str, Callable[[State, Line], None]] = {
    "scheme": import_scheme,
    "team": import_team,
    "channel": import_channel,
    "user": import_user,
    "direct_channel": import_direct_channel,
    "post": import_post,
    "direct_post": import_direct_post,
}
"""What takes a line of each type, but for emoji."""


@dataclass(frozen=True, slots=True)
class ImportFailure:
    """Why an import ended early: `line_number` counts from 1, 0 when it was no line's fault."""

    line_number: int
    error_id: str
    message: str
    details: str = ""


@dataclass(slots=True)
class ImportResult:
    """What an import came to: how many lines of each type were taken, and the failure that ended it, if one did."""

    counts: dict[str, int] = field(default_factory=dict)
    failure: ImportFailure | None = None


class Importer:
    """An import under way, one line at a time.

    `emoji_image` is the image of all imported emoji; with None their lines fail, as on a server on whose disk the image
    they name does not lie.
    """

    def __init__(self, state: State, emoji_image: bytes | None) -> None:
        self._state = state
        self._emoji_image = emoji_image
        self._line_number = 0
        self.result = ImportResult()

    def take(self, text: bytes) -> bool:
        """Take the next line; False when it ended the import, `result.failure` then says why."""
        self._line_number += 1
        try:
            self._take(text)
        except ImportRefusal as refusal:
            number = self._line_number if refusal.has_line else 0
            self.result.failure = ImportFailure(number, refusal.error_id, refusal.message, refusal.details)
            return False
        return True

    def _take(self, text: bytes) -> None:
        if len(text) > LINE_BYTES_MAX:
            raise ImportRefusal(
                "app.import.bulk_import.file_scan.error", "Error reading import data file.", has_line=False
            )
        line = _decode(text)
        kind = line.get("type", "")
        if self._line_number == 1:
            _check_version(line)
            return
        take = IMPORTS.get(kind) if isinstance(kind, str) else None
        if kind != "emoji" and take is None:
            message = f'Import data line has unknown type "{kind}".'
            raise ImportRefusal("app.import.import_line.unknown_line_type.error", message)
        content = line.get(kind)
        if not isinstance(content, dict):
            message = f'Import data line has type "{kind}" but the {kind} object is null.'
            raise ImportRefusal(f"app.import.import_line.null_{kind}.error", message)
        if take is None:
            import_emoji(self._state, content, self._emoji_image)
        else:
            take(self._state, content)
        self.result.counts[kind] = self.result.counts.get(kind, 0) + 1


def _decode(text: bytes) -> dict[str, Any]:
    try:
        line = orjson.loads(text)
    except ValueError as error:
        details = str(error)
        line = None
    else:
        details = "not an object"
    if not isinstance(line, dict):
        raise ImportRefusal("app.import.bulk_import.json_decode.error", "JSON decode of line failed.", details)
    return line


def _check_version(line: dict[str, Any]) -> None:
    if line.get("type") != "version" or not isinstance(line.get("version"), int):
        raise ImportRefusal(
            "app.import.process_import_data_file_version_line.invalid_version.error",
            "Unable to read the version of the data import file.",
        )
    if line["version"] != 1:
        raise ImportRefusal(
            "app.import.bulk_import.unsupported_version.error",
            "Incorrect or missing version in the data import file. "
            "Make sure version is the first object in your import file and try again.",
        )


def import_lines(state: State, lines: Iterable[bytes]) -> ImportResult:
    """Import lines until they end or one is no good; emoji get a small image of the server's own."""
    importer = Importer(state, DEFAULT_EMOJI_IMAGE)
    for text in lines:
        if not importer.take(text):
            break
    return importer.result
