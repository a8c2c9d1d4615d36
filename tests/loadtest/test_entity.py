"""The loop of an entity, in a time that is moved by hand."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from itertools import pairwise
from types import SimpleNamespace

import pytest

from mattermost_load_test.errors import ApiError, NothingToActOn, OperationError, RequestTimeoutError
from mattermost_load_test.loadtest.clock import Clock
from mattermost_load_test.loadtest.entity import Entity, EntityContext
from mattermost_load_test.loadtest.failures import FailureLog
from mattermost_load_test.loadtest.measuring.tally import Tally
from mattermost_load_test.loadtest.pacing import Pacing
from mattermost_load_test.loadtest.scenarios import EntityKind
from mattermost_load_test.loadtest.user import User
from mattermost_load_test.logs import Log, LogLine

INTERVAL_S = 10.0


class OpenSocket:
    """A websocket that is open until it is cut."""

    def __init__(self) -> None:
        self.opened = 0
        self.open = 0

    async def run(self) -> None:
        """Be open."""
        self.opened += 1
        self.open += 1
        try:
            await asyncio.Event().wait()
        finally:
            self.open -= 1


class Lines:
    """A sink that keeps the lines."""

    vital = False

    def __init__(self) -> None:
        self.lines: list[LogLine] = []

    def write(self, line: LogLine) -> None:
        """Keep `line`."""
        self.lines.append(line)

    def close(self) -> None:
        """Nothing is held open."""


class Stage:
    """Entities, and everything that they have in common."""

    def __init__(self, clock: Clock, tasks: asyncio.TaskGroup, polling: bool) -> None:
        self.clock = clock
        self.tally = Tally()
        self.log = Lines()
        self.context = EntityContext(clock, self.tally, FailureLog(Log([self.log]), clock), tasks, polling=polling)
        self.entities: list[Entity] = []
        self.world = SimpleNamespace(clock=clock)  # all that these actions know of

    def entity(self, action: Callable[[User], Awaitable[None]], seed: int = 1) -> Entity:
        """Make an entity that does one action every ten seconds, and start it."""
        number = len(self.entities)
        user = User(number, f"user{number}", None, OpenSocket(), random.Random(seed), self.world)
        entity = Entity(user, EntityKind({action: 1}), Pacing(INTERVAL_S), self.context)
        self.entities.append(entity)
        entity.start()
        return entity


@asynccontextmanager
async def stage(clock: Clock, *, polling: bool = False) -> AsyncIterator[Stage]:
    """Give entities a place to run, and end them the way that a run does."""
    async with asyncio.TaskGroup() as tasks:
        played = Stage(clock, tasks, polling)
        try:
            yield played
        finally:
            for entity in played.entities:
                entity.stop()
            played.context.cut()


async def test_an_entity_acts_once_each_interval_from_a_random_moment_on(clock: Clock) -> None:
    """In ten intervals an action that takes no time is done ten times, the first within the first interval."""
    acted_s: list[float] = []

    async def act(user: User) -> None:
        acted_s.append(clock.now_s())

    async with stage(clock) as played:
        start_s = clock.now_s()
        played.entity(act)
        await clock.advance(10 * INTERVAL_S)
        assert start_s <= acted_s[0] < start_s + INTERVAL_S
        gaps_s = [later - earlier for earlier, later in pairwise(acted_s)]
        assert gaps_s == pytest.approx([INTERVAL_S] * 9)
        assert played.tally.action("act").done == 10
        assert played.tally.intended(clock.now_s()) == pytest.approx(10.0)
        assert played.tally.lateness_s.percentile(100) == 0.0


async def test_the_next_action_is_due_an_interval_after_the_last_one_ended(clock: Clock) -> None:
    """Actions of four seconds every ten come fourteen seconds apart: a slow server thins the load, no lateness."""
    acted_s: list[float] = []

    async def act_slowly(user: User) -> None:
        acted_s.append(clock.now_s())
        await clock.sleep(4.0)

    async with stage(clock) as played:
        played.entity(act_slowly)
        await clock.advance(60.0)
        assert acted_s[1] - acted_s[0] == pytest.approx(14.0)
        assert played.tally.achieved < played.tally.intended(clock.now_s())
        assert played.tally.lateness_s.largest == 0.0


async def test_a_pause_on_purpose_is_not_missed_from_what_was_intended(clock: Clock) -> None:
    """Actions that pause for four seconds every ten are intended every fourteen seconds."""

    async def pause(user: User) -> None:
        await user.pause(4.0)

    async with stage(clock) as played:
        played.entity(pause)
        await clock.advance(1400.0)
        assert played.tally.intended(clock.now_s()) == pytest.approx(100.0, abs=1.0)
        assert played.tally.achieved == pytest.approx(100, abs=1)


async def test_lateness_is_counted_when_the_agent_is_held_up(clock: Clock) -> None:
    """When the agent gets to run two seconds after a due moment, the action is two seconds late."""

    async def act(user: User) -> None:
        pass

    async with stage(clock) as played:
        entity = played.entity(act)
        await clock.advance(INTERVAL_S)
        due_s = clock.now_s()
        await entity._act(due_s - 2.0)
        assert played.tally.lateness_s.largest == pytest.approx(2.0)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ApiError("POST /posts", 500), "500"),
        (RequestTimeoutError("no answer"), "timeout"),
        (OperationError("the import failed"), "OperationError"),
        (KeyError("surprise"), "agent: KeyError"),
    ],
)
async def test_a_failing_action_is_counted_by_kind_told_once_a_minute_and_stops_nobody(
    clock: Clock, error: Exception, kind: str
) -> None:
    """One entity fails each time; it goes on trying and the other one goes on acting."""

    async def fail(user: User) -> None:
        raise error

    async def act(user: User) -> None:
        pass

    async with stage(clock) as played:
        played.entity(fail, seed=1)
        played.entity(act, seed=2)
        await clock.advance(5 * INTERVAL_S)
        assert played.tally.action("fail").failed == {kind: 5}
        assert played.tally.action("act").done == 5
        assert len(played.log.lines) == 1
        assert played.log.lines[0].fields["kind"] == kind


async def test_an_action_with_nothing_to_act_on_is_skipped_and_not_told(clock: Clock) -> None:
    """A user without a channel is counted under the action's name; the log stays quiet."""

    async def act(user: User) -> None:
        raise NothingToActOn("channel")

    async with stage(clock) as played:
        played.entity(act)
        await clock.advance(3 * INTERVAL_S)
        assert played.tally.action("act").skipped == 3
        assert played.log.lines == []


async def test_the_websocket_opens_before_the_first_action_and_once(clock: Clock) -> None:
    """By the time that an entity first acts its websocket is open; it stays the same one."""
    opened: list[int] = []

    async def act(user: User) -> None:
        opened.append(user.events.opened)

    async with stage(clock) as played:
        played.entity(act)
        await clock.advance(3 * INTERVAL_S)
    assert opened == [1, 1, 1]


async def test_a_stopped_entity_begins_nothing_more_and_what_runs_can_end(clock: Clock) -> None:
    """After `stop` a running action ends and is counted, no timer is left, and no further action begins."""
    go_on = asyncio.Event()
    begun: list[float] = []

    async def act(user: User) -> None:
        begun.append(clock.now_s())
        await go_on.wait()

    async with stage(clock) as played:
        entity = played.entity(act)
        await clock.advance(INTERVAL_S)
        entity.stop()
        entity.connected()
        assert clock.pending == 0
        draining = asyncio.create_task(played.context.drained())
        await clock.settle()
        assert not draining.done()
        go_on.set()
        async with asyncio.timeout(5.0):
            await draining
        await clock.advance(5 * INTERVAL_S)
        assert len(begun) == 1
        assert played.tally.action("act").done == 1
        assert played.tally.running == 0


async def test_cutting_ends_actions_and_websockets_uncounted(clock: Clock) -> None:
    """`cut` cancels what runs: it counts neither as done nor as failed, and the socket is closed."""

    async def act(user: User) -> None:
        await asyncio.Event().wait()

    async with stage(clock) as played:
        entity = played.entity(act)
        await clock.advance(INTERVAL_S)
        assert entity.user.events.open == 1
        entity.stop()
        played.context.cut()
        await clock.settle()
        assert entity.user.events.open == 0
        assert played.tally.achieved == 0


async def test_an_idle_entity_holds_two_timers_and_one_task(clock: Clock) -> None:
    """Between its actions an entity costs a timer for the next one, one for the next poll, and its websocket's task."""

    async def act(user: User) -> None:
        pass

    async with stage(clock, polling=True) as played:
        before = len(asyncio.all_tasks())
        played.entity(act)
        await clock.advance(INTERVAL_S)
        assert clock.pending == 2
        assert len(asyncio.all_tasks()) == before + 1
