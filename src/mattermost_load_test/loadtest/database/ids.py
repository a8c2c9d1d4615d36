"""Identifiers as the server makes them: 26 letters and digits of an alphabet of its own.

`IdMaker` draws them; `IdSequence` counts them, so that the n-th id of a thing is known without the others, and what a
killed load has written is found again.
"""

from __future__ import annotations

import hashlib
import random

ALPHABET = "ybndrfg8ejkmcpqxot1uwisza345h769"
"""The server's base-32 alphabet (mattermost-facts.md)."""

LENGTH = 26

_PAIRS = tuple(first + second for first in ALPHABET for second in ALPHABET)
_COUNTER_LETTERS = 12
_COUNTER_SHIFTS = range(10 * _COUNTER_LETTERS // 2 - 10, -10, -10)
_PREFIX_BITS = 5 * (LENGTH - _COUNTER_LETTERS)


def _letters(number: int, bits: int) -> str:
    """Return the lowest `bits` of a number, a multiple of ten, as letters."""
    return "".join([_PAIRS[(number >> shift) & 1023] for shift in range(bits - 10, -10, -10)])


class IdMaker:
    """Makes new identifiers from a source of randomness; a seeded one repeats them."""

    __slots__ = ("_getrandbits",)

    def __init__(self, source: random.Random) -> None:
        self._getrandbits = source.getrandbits

    def __call__(self) -> str:
        """Return a new identifier."""
        return _letters(self._getrandbits(5 * LENGTH), 5 * LENGTH)


class IdSequence:
    """Identifiers by number: 14 letters that follow from `names`, and 12 that count.

    Neighbours stand side by side in an index, which is what makes loading millions of them fast.
    """

    __slots__ = ("_prefix",)

    def __init__(self, *names: object) -> None:
        digest = hashlib.blake2b("\0".join(map(str, names)).encode(), digest_size=16).digest()
        self._prefix = _letters(int.from_bytes(digest, "big"), _PREFIX_BITS)

    def __getitem__(self, number: int) -> str:
        pairs = _PAIRS
        return self._prefix + "".join([pairs[(number >> shift) & 1023] for shift in _COUNTER_SHIFTS])
