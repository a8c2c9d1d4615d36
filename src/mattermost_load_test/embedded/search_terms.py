"""What a search for posts asks for: words, phrases, hashtags, and filters such as ``in:`` and ``from:``.

The grammar is that of the servers' public source (``model/search_params.go`` of 5.37).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone

FILTERS = frozenset(("from", "channel", "in", "before", "after", "on", "ext"))
"""What can stand before a colon."""

_START = re.compile(r'^(?:(?![#"\s])[\W_])+')
_END = re.compile(r'(?:(?![*"\s])[\W_])+$')
_PIECE = re.compile(r'-?"[^"]*"|[^\s"]+')
HASHTAG = re.compile(r"#[^\W\d_](?:[\w\-.]*[^\W_])\Z")
DAY_MS = 24 * 60 * 60 * 1000


@dataclass(slots=True)
class Terms:
    """What is searched for: words to have and not to have, plain ones apart from hashtags, and filters by name."""

    words: list[str] = field(default_factory=list)
    without: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    without_tags: list[str] = field(default_factory=list)
    filters: dict[str, list[str]] = field(default_factory=dict)
    """Values by filter name, with ``-`` before the name of a filter that excludes."""

    def values(self, *names: str) -> list[str]:
        """Return the values of filters."""
        return [value for name in names for value in self.filters.get(name, ())]

    @property
    def is_phrase(self) -> bool:
        """Whether the words must stand one after the other."""
        return bool(self.words) and self.words[0].startswith('"') and self.words[-1].endswith('"')


def parse(text: str) -> Terms:
    """Take a search apart."""
    found = Terms()
    pieces = iter(_PIECE.findall(text))
    for piece in pieces:
        if not _take_filter(piece, pieces, found):
            _take_word(piece, found)
    return found


def _take_filter(piece: str, following: Iterator[str], found: Terms) -> bool:
    name, colon, value = piece.partition(":")
    minus = name[:1] == "-"
    name = name.removeprefix("-").lower()
    if not colon or name not in FILTERS:
        return False
    value = value or next(following, "")
    if value:
        name = "in" if name == "channel" else name
        found.filters.setdefault(f"-{name}" if minus else name, []).append(value)
    return bool(value)


def _take_word(piece: str, found: Terms) -> None:
    minus = piece.startswith("-")
    word = re.sub(r"^#{2,}", "#", _END.sub("", _START.sub("", piece)))
    if not word:
        return
    if HASHTAG.match(word):
        (found.without_tags if minus else found.tags).append(word)
    else:
        (found.without if minus else found.words).append(word)


@dataclass(frozen=True, slots=True)
class Period:
    """A span of time, in ms since 1970, both ends in it."""

    start: int
    end: int


def periods(terms: Terms, offset_s: int, now_ms: int) -> list[tuple[Period, bool]]:
    """Return the spans that posts must have been made in, or must not have been (False).

    `offset_s` is how far the searcher's clock is ahead of UTC.
    """
    on = _last(terms, "on")
    if on:
        return [(_day(on, offset_s) or Period(0, 0), True)]
    spans = []
    for name, wanted in (("on", True), ("after", True), ("before", True)):
        for sign in ("", "-"):
            value = _last(terms, sign + name)
            if value:
                spans.append((_span(name, value, offset_s, now_ms), wanted != (sign == "-")))
    return spans


def _last(terms: Terms, name: str) -> str:
    values = terms.values(name)
    return values[-1] if values else ""


def _span(name: str, value: str, offset_s: int, now_ms: int) -> Period:
    day = _day(value, offset_s)
    if name == "on":
        return day or Period(0, 0)
    if name == "before":
        return Period(0, day.end - DAY_MS if day else 0)
    today = datetime.fromtimestamp(now_ms / 1000, UTC).date().isoformat()
    day = day or _day(today, offset_s) or Period(0, 0)
    return Period(day.start + DAY_MS, 1 << 62)


def _day(text: str, offset_s: int) -> Period | None:
    """Return the day that a text such as ``2021-7-3`` names, None when it names none."""
    padded = "-".join(part.rjust(2, "0") for part in text.split("-"))
    try:
        start = datetime.strptime(padded, "%Y-%m-%d").replace(tzinfo=timezone(timedelta(seconds=offset_s)))
    except ValueError:
        return None
    start_ms = int(start.timestamp() * 1000)
    return Period(start_ms, start_ms + DAY_MS - 1)
