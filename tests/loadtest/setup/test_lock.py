"""The lock of the set-up, on a real server: one of many gets it, a dead agent's expires, and it leaves no trace."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from mattermost_load_test.errors import OperationError
from mattermost_load_test.loadtest.clock import LoopClock
from mattermost_load_test.loadtest.setup.lock import EXPIRY_S, PREFIX, SetupLock
from mattermost_load_test.logs import Log
from mattermost_load_test.mattermost.opening import open_transport
from mattermost_load_test.mattermost.rest import Client
from mattermost_load_test.mattermost.transport import TransportOptions

NICKNAME = "The Boss"


class Agents:
    """Agents on one server, all as the same admin, each with a lock of its own."""

    def __init__(self, client: Client, server: Any) -> None:
        self.client = client
        self.told: asyncio.Queue[str] = asyncio.Queue()
        self._server = server

    def lock(self, clock: Any) -> SetupLock:
        """Return another agent's lock."""
        return SetupLock(self.client, "boss", clock, Log(), self.told.put_nowait)

    @property
    def nickname(self) -> str:
        """The admin's nickname on the server."""
        return str(self._server.state.users.by_username["boss"].nickname)


@pytest.fixture
async def agents(embedded: Any, add_person: Any) -> AsyncIterator[Agents]:
    """Give a server whose admin has a nickname, and agents on it."""
    await add_person(embedded, "boss")
    async with open_transport(TransportOptions(embedded.url)) as transport:
        client = Client(transport)
        await client.login("boss", "Loadtestpassword1")
        await client.users.set_nickname(NICKNAME)
        yield Agents(client, embedded)


async def test_one_of_many_that_claim_at_once_gets_it(agents: Agents) -> None:
    """Ten agents that find the lock free in the same moment: one has it then, the others know that they do not."""
    clock = LoopClock()
    got = await asyncio.gather(*(agents.lock(clock).claim() for _ in range(10)))
    assert sorted(got) == [False] * 9 + [True]
    assert agents.nickname.startswith(PREFIX)


async def test_who_comes_later_waits_until_the_work_is_done(agents: Agents) -> None:
    """The one that waits says so, and goes on once the lock is given back; the nickname is then what it was."""
    clock = LoopClock()
    first, second = agents.lock(clock), agents.lock(clock)
    assert await first.claim()
    assert not await second.claim()
    done = asyncio.Event()
    working = asyncio.create_task(first.held_while(done.wait))
    waiting = asyncio.create_task(second.until_free())
    assert (await asyncio.wait_for(agents.told.get(), 10)).startswith("waiting for another agent's bulk load")
    assert not waiting.done()
    done.set()
    assert await working
    await asyncio.wait_for(waiting, 10)
    assert agents.nickname == NICKNAME


async def test_a_dead_agents_lock_expires(agents: Agents, impatient_clock: Any) -> None:
    """A mark that stands still for half a minute is a dead agent's: another takes over, and clears up after both."""
    assert await agents.lock(LoopClock()).claim()  # and dies
    heir = agents.lock(impatient_clock)
    before_s = impatient_clock.now_s()
    await heir.until_free()
    assert impatient_clock.now_s() - before_s >= EXPIRY_S
    assert await heir.claim()

    async def work() -> str:
        return "done"

    assert await heir.held_while(work) == "done"
    assert agents.nickname == ""


async def test_a_holder_gives_signs_of_life(agents: Agents, impatient_clock: Any) -> None:
    """However long the work takes, the mark changes all the time, even where somebody wrote over it."""
    lock = agents.lock(impatient_clock)
    assert await lock.claim()
    marks: set[str] = set()

    async def work() -> None:
        await agents.client.users.set_nickname(f"{PREFIX}intruder 1")
        while len(marks) < 5:
            marks.add(agents.nickname)
            await asyncio.sleep(0)

    await lock.held_while(work)
    assert len([mark for mark in marks if "intruder" not in mark]) >= 4


async def test_who_was_taken_for_dead_stops(agents: Agents, impatient_clock: Any) -> None:
    """An agent that stood still for long and finds another at work ends, and says that it may be run again."""
    lock = agents.lock(impatient_clock)
    assert await lock.claim()
    stopped = asyncio.Event()

    async def work() -> None:
        await agents.client.users.set_nickname(f"{PREFIX}heir 1")
        impatient_clock._now_s += 100
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()

    with pytest.raises(OperationError, match="another took over"):
        await lock.held_while(work)
    assert stopped.is_set()
    assert agents.nickname == f"{PREFIX}heir 1"


async def test_what_the_work_raises_comes_out(agents: Agents) -> None:
    """An error of the work is raised as it is, and the lock given back."""
    lock = agents.lock(LoopClock())
    assert await lock.claim()

    async def work() -> None:
        raise OperationError("it cannot be loaded")

    with pytest.raises(OperationError, match="cannot be loaded"):
        await lock.held_while(work)
    assert agents.nickname == NICKNAME
