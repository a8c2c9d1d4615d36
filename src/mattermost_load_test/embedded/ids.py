"""Identifiers as Mattermost makes them: 26 characters of a base-32 alphabet of its own."""

from __future__ import annotations

import random
from typing import TypeGuard

ALPHABET = "ybndrfg8ejkmcpqxot1uwisza345h769"
LENGTH = 26

_PAIRS = tuple(first + second for first in ALPHABET for second in ALPHABET)


class IdMaker:
    """Makes new identifiers from a source of randomness of its own, so that a seeded server repeats its ids."""

    __slots__ = ("_getrandbits",)

    def __init__(self, source: random.Random) -> None:
        self._getrandbits = source.getrandbits

    def __call__(self) -> str:
        """Return a new identifier of 26 characters."""
        bits = self._getrandbits(130)
        pairs = _PAIRS
        return "".join([pairs[(bits >> shift) & 1023] for shift in range(0, 130, 10)])


class SerialIds:
    """Makes ids that only tell things apart, such as requests: a random beginning, then a number."""

    __slots__ = ("_count", "_start")

    def __init__(self, start: str) -> None:
        self._start = start[: LENGTH - 8]
        self._count = 0

    def __call__(self) -> str:
        """Return the next one."""
        count = self._count = self._count + 1
        pairs = _PAIRS
        high, low = count >> 20, count & 0xFFFFF
        return self._start + pairs[high >> 10 & 1023] + pairs[high & 1023] + pairs[low >> 10] + pairs[low & 1023]


def is_id(text: object) -> TypeGuard[str]:
    """Tell whether the server takes `text` for an identifier: 26 letters and digits, whichever they are."""
    return isinstance(text, str) and len(text) == LENGTH and text.isalnum() and text.isascii()
