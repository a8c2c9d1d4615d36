"""Random choices made of draws in [0, 1) alone, the same on every machine and Python version.

Python promises the sequence of `random.Random.random()` for a seed, and of nothing else: `randrange`, `sample` and
`shuffle` have changed before. So every choice here takes a `draw`, which is such a method or anything alike.
"""

from __future__ import annotations

import hashlib
import random
from array import array
from collections.abc import Callable, Sequence
from typing import TypeVar

Draw = Callable[[], float]
"""A source of chance: each call gives a number, uniform in [0, 1)."""

T = TypeVar("T")


def derived_seed(seed: int, *purpose: object) -> int:
    """Return the seed of one purpose, such as ``derived_seed(seed, "members", 3)``, independent of all others."""
    text = "/".join(map(str, (seed, *purpose)))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def derived_draw(seed: int, *purpose: object) -> Draw:
    """Return the draws of one purpose: drawing more or less for one never changes another."""
    return random.Random(derived_seed(seed, *purpose)).random


def below(count: int, draw: Draw) -> int:
    """Return a whole number from 0 to `count` - 1, all alike likely; `count` is at least 1 and at most 2**53."""
    return int(draw() * count)


def choice(items: Sequence[T], draw: Draw) -> T:
    """Return one of the items, all alike likely; there is at least one."""
    return items[below(len(items), draw)]


def shuffle_front(items: array[int], count: int, draw: Draw) -> None:
    """Put `count` items drawn from all of them in front, in random order; the others follow in any order."""
    size = len(items)
    for front in range(min(count, size)):
        other = front + int(draw() * (size - front))
        items[front], items[other] = items[other], items[front]


def distinct_below(count: int, limit: int, draw: Draw) -> list[int]:
    """Return `count` distinct whole numbers below `limit`, every set of them alike likely (Floyd's method).

    Takes memory for `count` numbers, however large `limit` is; `count` is at most `limit`.
    """
    chosen: dict[int, None] = {}
    for top in range(limit - count, limit):
        candidate = int(draw() * (top + 1))
        chosen[top if candidate in chosen else candidate] = None
    return list(chosen)
