"""Things that must be over after the same time: one timer for all of them, instead of one for each.

Since each is given the same time, they come due in the order in which they were added.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

T = TypeVar("T")


class Deadlines(Generic[T]):
    """Calls `overdue` with everything that was added and not taken away again within `after_s`; 0 means never."""

    __slots__ = ("_after_s", "_due_s", "_loop", "_overdue", "_timer")

    def __init__(self, after_s: float, overdue: Callable[[T], object]) -> None:
        self._after_s = after_s
        self._overdue = overdue
        self._loop = asyncio.get_running_loop()
        self._due_s: dict[T, float] = {}
        self._timer: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._due_s)

    def add(self, thing: T) -> None:
        """Begin to count the time of something."""
        due_s = self._loop.time() + self._after_s
        self._due_s[thing] = due_s
        if self._timer is None and self._after_s:
            self._timer = self._loop.call_at(due_s, self._look)

    def discard(self, thing: T) -> None:
        """Take something away, if it is there."""
        self._due_s.pop(thing, None)

    def take_last(self) -> T | None:
        """Take away what was added last."""
        return self._due_s.popitem()[0] if self._due_s else None

    def clear(self) -> Iterable[T]:
        """Take everything away and return it."""
        things, self._due_s = self._due_s, {}
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        return things

    def _look(self) -> None:
        """Call for what is due by now, and look again when the next one is."""
        self._timer = None
        now_s = self._loop.time()
        overdue = []
        for thing, due_s in self._due_s.items():
            if due_s > now_s:
                self._timer = self._loop.call_at(due_s, self._look)
                break
            overdue.append(thing)
        for thing in overdue:
            self._due_s.pop(thing, None)
            self._overdue(thing)
