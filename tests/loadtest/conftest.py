"""What the agent's tests share: a clock that is moved by hand."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable
from itertools import count

import pytest


class ClockTimer:
    """Something that a `FakeClock` will do."""

    def __init__(self, callback: Callable[[], object]) -> None:
        self.callback: Callable[[], object] | None = callback

    def cancel(self) -> None:
        """See to it that it does not happen."""
        self.callback = None


class FakeClock:
    """A clock that stands still until `advance` moves it; an `impatient` one lets every sleep end at once instead."""

    def __init__(self, now_s: float = 1000.0, *, impatient: bool = False) -> None:
        self.slept_s: list[float] = []
        self._now_s = now_s
        self._impatient = impatient
        self._timers: list[tuple[float, int, ClockTimer]] = []
        self._order = count()

    def now_s(self) -> float:
        """Return the time it stands at."""
        return self._now_s

    def call_at(self, due_s: float, callback: Callable[[], object]) -> ClockTimer:
        """Keep `callback` for when the clock is moved to `due_s`."""
        timer = ClockTimer(callback)
        heapq.heappush(self._timers, (due_s, next(self._order), timer))
        return timer

    async def sleep(self, duration_s: float) -> None:
        """Return once the clock was moved that far, or at once and moving it so if it is impatient."""
        self.slept_s.append(duration_s)
        if self._impatient:
            self._now_s += duration_s
            await asyncio.sleep(0)
            return
        woken = asyncio.get_running_loop().create_future()
        self.call_at(self._now_s + duration_s, lambda: woken.done() or woken.set_result(None))
        await woken

    @property
    def pending(self) -> int:
        """How many timers are set."""
        return sum(timer.callback is not None for _, _, timer in self._timers)

    async def advance(self, duration_s: float) -> None:
        """Move the clock, from timer to timer, letting tasks run in between."""
        until_s = self._now_s + duration_s
        await self.settle()
        while self._timers and self._timers[0][0] <= until_s:
            due_s, _, timer = heapq.heappop(self._timers)
            if timer.callback is None:
                continue
            self._now_s = max(self._now_s, due_s)
            timer.callback()
            await self.settle()
        self._now_s = until_s

    async def settle(self) -> None:
        """Let every task go on as far as it can without time or I/O."""
        for _ in range(20):
            await asyncio.sleep(0)


@pytest.fixture
def clock() -> FakeClock:
    """Give a clock that stands still until it is moved."""
    return FakeClock()


@pytest.fixture
def impatient_clock() -> FakeClock:
    """Give a clock whose sleeps end at once, and are remembered in `slept_s`."""
    return FakeClock(impatient=True)
