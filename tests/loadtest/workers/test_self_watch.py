"""How a worker notices that it cannot keep up."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import pytest

from mattermost_load_test.loadtest.clock import Clock, LoopClock
from mattermost_load_test.loadtest.workers.self_watch import INTERVAL_S, SelfWatch


async def test_a_loop_in_time_has_no_lag(clock: Clock) -> None:
    """Ten times a second the loop is asked for, and is there."""
    watch = SelfWatch(clock)
    watch.begin()
    await clock.advance(10.0)
    watch.end()
    assert watch.lag_s.count == pytest.approx(10.0 / INTERVAL_S, abs=1)
    assert watch.lag_s.percentile(100) == 0.0
    assert clock.pending == 0


async def test_a_standstill_counts_for_every_moment_missed() -> None:
    """A loop that is held up for 0.6 s missed six moments, each with its own lag: not one lag among many."""
    watch = SelfWatch(LoopClock())
    watch.begin()
    await until(lambda: watch.lag_s.count > 0)
    seen = watch.lag_s.count
    time.sleep(0.6)  # noqa: ASYNC251 — holding the loop up is the subject
    await until(lambda: watch.lag_s.count > seen)
    watch.end()
    assert watch.lag_s.count - seen >= 5
    assert watch.lag_s.largest >= 0.5
    cpu_s, passed_s = watch.spent()
    assert 0.0 <= cpu_s < passed_s


async def until(true: Callable[[], bool]) -> None:
    """Wait until something is true, with a deadline."""
    async with asyncio.timeout(10):
        while not true():  # noqa: ASYNC110 — a count gives no event
            await asyncio.sleep(0.01)
