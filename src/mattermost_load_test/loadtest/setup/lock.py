"""The lock under which one of several agents loads the population while the others wait.

As with the original tool it is the admin's nickname, which every agent can read and write. A server offers no
comparing-and-setting, so a claim is Fischer's: read it free, write one's mark within `CLAIM_S`, look again after
`SETTLE_S`, which is longer; of two who read it free at once, only the later writer finds its own mark then. Who holds
it counts its mark up every `BEAT_S`, and whoever waits takes a mark that has stood still for `EXPIRY_S` for that of a
dead agent: no two clocks are compared.

The nickname is read by the user's name: servers keep users that are asked for by id in a cache of their own.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from typing import TypeVar

from mattermost_load_test.errors import AdminLoginError, OperationError, ServerError
from mattermost_load_test.loadtest.clock import Clock
from mattermost_load_test.loadtest.setup.joining import Tell
from mattermost_load_test.logs import Log
from mattermost_load_test.mattermost.rest import Client

T = TypeVar("T")

CLAIM_S = 1.0
SETTLE_S = 1.2
BEAT_S = 5.0
EXPIRY_S = 30.0
LOOK_S = 2.0  # between two looks of an agent that waits

PREFIX = "loadtest set-up "
"""What a nickname begins with that is a mark."""


class SetupLock:
    """The lock of one agent on the server that `admin` is logged in to, under the admin's `username`."""

    def __init__(self, admin: Client, username: str, clock: Clock, log: Log, tell: Tell) -> None:
        self._admin = admin
        self._username = username
        self._clock = clock
        self._log = log
        self._tell = tell
        self._holder = secrets.token_hex(4)
        self._beats = 0
        self._nickname = ""  # what stood there before
        self._seen = ""
        self._seen_since_s = clock.now_s()
        self._told_dead = ""

    async def claim(self) -> bool:
        """Try to get the lock and say whether this agent has it now."""
        begun_s = self._clock.now_s()
        seen = await self._read()
        if not self._is_free(seen):
            return False
        if not seen.startswith(PREFIX):
            self._nickname = seen
        mark = await self._write()
        in_time = self._clock.now_s() - begun_s <= CLAIM_S
        # Where it took longer, another may have got the lock meanwhile: its next sign of life then replaces this mark.
        await self._clock.sleep(SETTLE_S if in_time else 2 * BEAT_S)
        return await self._read() == mark

    async def until_free(self) -> None:
        """Wait until nobody holds the lock, or its holder has died."""
        told = False
        while not self._is_free(await self._read()):
            if not told:
                self._log.info("Another agent loads the population; waiting for it")
                told = True
            waited_s = self._clock.now_s() - self._seen_since_s
            self._tell(f"waiting for another agent's bulk load, its last sign of life {waited_s:.0f} s ago")
            await self._clock.sleep(LOOK_S)

    async def held_while(self, work: Callable[[], Awaitable[T]]) -> T:
        """Do `work` and hold the lock, which was claimed, until it ends.

        Raises `OperationError` when the lock is lost: this agent stood still for so long that another took it for dead.
        """
        working = asyncio.ensure_future(work())
        beating = asyncio.ensure_future(self._beat())
        try:
            await asyncio.wait((working, beating), return_when=asyncio.FIRST_COMPLETED)
            if not working.done():
                await beating
            return await working
        finally:
            for task in (working, beating):
                task.cancel()
            await asyncio.gather(working, beating, return_exceptions=True)
            await self._release()

    def _is_free(self, seen: str) -> bool:
        """Say whether a nickname is no mark, a mark of one's own, or one that has stood still for too long."""
        if seen != self._seen:
            self._seen, self._seen_since_s = seen, self._clock.now_s()
        if not seen.startswith(PREFIX) or self._is_own(seen):
            return True
        dead = self._clock.now_s() - self._seen_since_s >= EXPIRY_S
        if dead and seen != self._told_dead:
            self._told_dead = seen
            self._log.warn(f"The agent that loaded the population has shown no sign of life for {EXPIRY_S:g} s")
        return dead

    def _is_own(self, seen: str) -> bool:
        """Say whether a nickname is a mark of this agent."""
        return seen.startswith(f"{PREFIX}{self._holder} ")

    async def _beat(self) -> None:
        """Give signs of life until cancelled; raises `OperationError` when another has the lock."""
        last_s = self._clock.now_s()
        while True:
            await self._clock.sleep(BEAT_S)
            try:
                if not self._is_own(await self._read()) and self._clock.now_s() - last_s > EXPIRY_S / 2:
                    raise OperationError(
                        f"this agent stood still for {self._clock.now_s() - last_s:.0f} s, and another took over the "
                        "loading of the population; run it again, which goes on where it stopped"
                    )
                await self._write()
            except AdminLoginError:
                raise
            except ServerError:
                continue  # a server that is away lets nobody else have it, either
            last_s = self._clock.now_s()

    async def _release(self) -> None:
        """Give the lock back, if the server lets one; if not, it expires."""
        try:
            if self._is_own(await self._read()):
                await self._admin.users.set_nickname(self._nickname)
        except ServerError as error:
            self._log.debug("The set-up's lock stays until it expires", error=str(error))

    async def _read(self) -> str:
        """Return the admin's nickname."""
        return (await self._admin.users.by_username(self._username)).nickname

    async def _write(self) -> str:
        """Write this agent's next mark, and return it."""
        self._beats += 1
        mark = f"{PREFIX}{self._holder} {self._beats}"
        await self._admin.users.set_nickname(mark)
        return mark
