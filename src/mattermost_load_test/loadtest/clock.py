"""The time that entities live by, as a parameter: the event loop's in a run, one moved by hand in tests.

Times are seconds of a clock that never goes back, from an arbitrary origin; only their differences mean something.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol


class Timer(Protocol):
    """Something that was asked to happen later."""

    def cancel(self) -> None:
        """See to it that it does not happen."""
        ...


class Clock(Protocol):
    """What entities need of time. One timer in it is all that an entity costs while it waits for its next action."""

    def now_s(self) -> float:
        """Return the time now."""
        ...

    def call_at(self, due_s: float, callback: Callable[[], object]) -> Timer:
        """Call `callback` once it is `due_s`, from the event loop."""
        ...

    async def sleep(self, duration_s: float) -> None:
        """Return after `duration_s` seconds."""
        ...


class LoopClock:
    """The clock of the running event loop; make it where the loop runs."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()

    def now_s(self) -> float:
        """Return the loop's time."""
        return self._loop.time()

    def call_at(self, due_s: float, callback: Callable[[], object]) -> Timer:
        """Have the loop call `callback` at `due_s`."""
        return self._loop.call_at(due_s, callback)

    async def sleep(self, duration_s: float) -> None:
        """Sleep in the loop's time."""
        await asyncio.sleep(duration_s)
