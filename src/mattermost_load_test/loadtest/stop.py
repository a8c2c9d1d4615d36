"""The wish to end a run before its time: Ctrl-C, SIGTERM, or a log that cannot be written any more."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable, Coroutine, Iterator
from types import FrameType
from typing import Any, TypeVar

from mattermost_load_test.errors import InterruptedRunError, LoadTestError

T = TypeVar("T")

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stop:
    """Ends a run: the first `reason` counts and is what the command ends with. Its loop is the one that waits on it."""

    def __init__(self) -> None:
        self.reason: LoadTestError | None = None
        self._wanted = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    def request(self, reason: LoadTestError) -> None:
        """Ask for the end; from anywhere in the loop's thread, signal handlers included."""
        if self.reason is None:
            self.reason = reason
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._wanted.set)

    def requested(self) -> bool:
        """Say whether somebody asked for the end."""
        return self.reason is not None

    def _attach(self) -> None:
        """Remember the loop that waits; a wish from before counts."""
        self._loop = asyncio.get_running_loop()
        if self.reason is not None:
            self._wanted.set()

    async def wait(self, timeout_s: float | None = None) -> bool:
        """Return true as soon as the end is wanted, false after `timeout_s` seconds without that, if given."""
        self._attach()
        try:
            async with asyncio.timeout(timeout_s):
                await self._wanted.wait()
        except TimeoutError:
            return False
        return True

    async def unless(self, work: Coroutine[Any, Any, T]) -> T:
        """Return what `work` returns; cancel it and raise `reason` when the end is wanted first."""
        self._attach()
        task = asyncio.ensure_future(work)
        wanted = asyncio.ensure_future(self._wanted.wait())
        try:
            await asyncio.wait({task, wanted}, return_when=asyncio.FIRST_COMPLETED)
            if self.reason is not None and not task.done():
                raise self.reason
            return await task
        finally:
            await _ended(task, wanted)


async def _ended(*tasks: asyncio.Future[Any]) -> None:
    """Cancel what still runs and wait until it has ended."""
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


@contextlib.contextmanager
def on_signals(stop: Stop, leave: Callable[[], None]) -> Iterator[None]:
    """Ask for the end at the first Ctrl-C or SIGTERM, leave at once at the second; from the main thread.

    The handlers are Python's own, not a loop's: they also work while the loop is busy with something long. `leave` is
    called before the process ends, to put the terminal right; every line of the log is in its file already. Once a
    signal has come the handlers stay, for the process is on its way out.
    """
    received = 0

    def received_one(number: int, frame: FrameType | None) -> None:
        nonlocal received
        received += 1
        if received > 1:
            leave()
            os._exit(InterruptedRunError.exit_code)
        name = "Ctrl-C" if number == signal.SIGINT else signal.Signals(number).name
        stop.request(InterruptedRunError(f"stopped by {name}"))

    before = {number: signal.signal(number, received_one) for number in SIGNALS}
    try:
        yield
    finally:
        if not received:
            for number, handler in before.items():
                signal.signal(number, handler)
