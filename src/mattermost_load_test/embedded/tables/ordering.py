"""A list of keys that is always sorted: what pages and prefix searches are cut from."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable

Key = tuple[str, str]
"""What is sorted by, and the id it stands for."""

_PAST_ALL = "\U0010ffff"


class Ordered:
    """Sorted pairs of a text and an id: adding and removing cost a memory move, pages cost their length."""

    __slots__ = ("_keys",)

    def __init__(self, keys: Iterable[Key] = ()) -> None:
        self._keys = sorted(keys)

    def __len__(self) -> int:
        return len(self._keys)

    def add(self, text: str, row_id: str) -> None:
        """Put the id under the text."""
        insort(self._keys, (text, row_id))

    def remove(self, text: str, row_id: str) -> None:
        """Take the id from under the text; nothing happens when it is not there."""
        place = bisect_left(self._keys, (text, row_id))
        if place < len(self._keys) and self._keys[place] == (text, row_id):
            del self._keys[place]

    def page(self, start: int, count: int) -> list[str]:
        """Return up to `count` ids from place `start` on."""
        return [row_id for _, row_id in self._keys[start : start + count]]

    def ids(self) -> list[str]:
        """Return all ids in order."""
        return [row_id for _, row_id in self._keys]

    def count_prefix(self, prefix: str) -> int:
        """Count the texts that start with `prefix`."""
        return bisect_left(self._keys, (prefix + _PAST_ALL, "")) - bisect_left(self._keys, (prefix, ""))

    def with_prefix(self, prefix: str) -> list[str]:
        """Return the ids of all texts that start with `prefix`, in order."""
        start = bisect_left(self._keys, (prefix, ""))
        end = bisect_left(self._keys, (prefix + _PAST_ALL, ""))
        return [row_id for _, row_id in self._keys[start:end]]
