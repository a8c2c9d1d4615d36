"""Ending a run early: the first reason counts, work is cancelled, signals are told apart."""

from __future__ import annotations

import asyncio
import os
import signal

import pytest

from mattermost_load_test.errors import InterruptedRunError, OutputError
from mattermost_load_test.loadtest.stop import SIGNALS, Stop, on_signals


async def test_work_goes_on_while_nobody_wants_the_end() -> None:
    """Without a wish to end, work returns what it returns and raises what it raises."""

    async def work(result: int) -> int:
        await asyncio.sleep(0)
        if result < 0:
            raise ValueError("negative")
        return result

    stop = Stop()
    assert await stop.unless(work(5)) == 5
    with pytest.raises(ValueError, match="negative"):
        await stop.unless(work(-1))
    assert stop.reason is None


async def test_work_is_cancelled_when_the_end_is_wanted() -> None:
    """The work is ended, its clean-up done, and the first reason raised."""
    stop = Stop()
    cleaned = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cleaned.append(True)

    asyncio.get_running_loop().call_soon(stop.request, OutputError("the disk is full"))
    asyncio.get_running_loop().call_soon(stop.request, InterruptedRunError("later"))
    with pytest.raises(OutputError, match="full"):
        await stop.unless(work())
    assert cleaned == [True]


async def test_waiting_ends_with_the_time_or_the_wish() -> None:
    """A wait says whether the end was wanted."""
    stop = Stop()
    assert await stop.wait(0.001) is False
    stop.request(InterruptedRunError("now"))
    assert await stop.wait(60) is True


@pytest.mark.parametrize(
    ("number", "message"), [(signal.SIGINT, "stopped by Ctrl-C"), (signal.SIGTERM, "stopped by SIGTERM")]
)
async def test_a_signal_asks_for_the_end(number: signal.Signals, message: str) -> None:
    """The first signal becomes a reason that says which it was."""
    before = signal.getsignal(number)
    stop = Stop()
    try:
        with on_signals(stop, lambda: None):
            asyncio.get_running_loop().call_soon(os.kill, os.getpid(), number)
            assert await stop.wait(5)
    finally:
        signal.signal(number, before)
    assert isinstance(stop.reason, InterruptedRunError)
    assert str(stop.reason) == message


def test_without_a_signal_the_handlers_are_given_back() -> None:
    """Afterwards signals mean what they did before."""
    before = [signal.getsignal(number) for number in SIGNALS]
    with on_signals(Stop(), lambda: None):
        pass
    assert [signal.getsignal(number) for number in SIGNALS] == before


async def test_a_wish_from_before_counts() -> None:
    """A signal that came before the loop ran ends what begins afterwards."""
    stop = Stop()
    stop.request(InterruptedRunError("early"))
    with pytest.raises(InterruptedRunError, match="early"):
        await stop.unless(asyncio.Event().wait())
