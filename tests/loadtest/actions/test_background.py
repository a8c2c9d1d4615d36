"""What entities do beside their actions, on a real server and in a time that is moved by hand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from mattermost_load_test.loadtest.clock import Clock
from mattermost_load_test.loadtest.entity import POLL_INTERVAL_S, Entity, EntityContext
from mattermost_load_test.loadtest.failures import FailureLog
from mattermost_load_test.loadtest.measuring.tally import Tally
from mattermost_load_test.loadtest.pacing import Pacing
from mattermost_load_test.loadtest.scenarios import EntityKind
from mattermost_load_test.loadtest.user import User
from mattermost_load_test.logs import Log

INTERVAL_S = 10.0
MEMBERS = "GET /channels/[channel id]/members"
STATUSES = "POST /users/status/ids"
PLUGINS = "GET /plugins/webapp"


async def think(user: User) -> None:
    """Do nothing of which the server would know."""


class Playing:
    """Entities on a ground."""

    def __init__(self, made: Any, context: EntityContext, tally: Tally) -> None:
        self.made = made
        self.tally = tally
        self._context = context
        self._entities: list[Entity] = []

    async def entity(self, number: int) -> Entity:
        """Log an entity in and start it."""

        def connected() -> None:
            entity.connected()

        user = await self.made.user(number, on_connect=connected, seed=number)
        entity = Entity(user, EntityKind({think: 1}), Pacing(INTERVAL_S), self._context)
        self._entities.append(entity)
        entity.start()
        return entity

    def stop(self) -> None:
        """End the entities."""
        for entity in self._entities:
            entity.stop()
        self._context.cut()


@asynccontextmanager
async def playing(ground: Any, clock: Clock, *, polling: bool) -> AsyncIterator[Playing]:
    """Let entities play on a server until the test is over."""
    tally = Tally()
    async with ground(clock=clock) as made, asyncio.TaskGroup() as tasks:
        context = EntityContext(clock, tally, FailureLog(Log(), clock), tasks, polling=polling)
        played = Playing(made, context, tally)
        try:
            yield played
        finally:
            played.stop()


async def test_each_connection_of_the_websocket_is_followed_by_a_request_for_plugins(ground: Any, clock: Any) -> None:
    """The entity connects before its first action and asks for plugins; dropped, it does both again."""
    async with playing(ground, clock, polling=False) as played:
        entity = await played.entity(1)
        await clock.advance(INTERVAL_S)
        plugins = played.tally.in_background("ask for plugins")
        await played.made.eventually(lambda: plugins.done == 1)
        entity.user.events.drop()
        await played.made.eventually(lambda: plugins.done == 2)
        assert played.made.overheard.routes == [PLUGINS, PLUGINS]
        assert played.tally.achieved == played.tally.action("think").done


async def test_statuses_are_polled_every_45_seconds_and_members_asked_for_once(ground: Any, clock: Any) -> None:
    """The first poll comes within 45 s and asks for members, too; the others ask for statuses alone."""
    async with playing(ground, clock, polling=True) as played:
        await played.entity(1)
        await clock.advance(INTERVAL_S)
        polls = played.tally.in_background("poll statuses")
        for count in range(1, 4):
            await clock.advance(POLL_INTERVAL_S)
            await played.made.eventually(lambda count=count: polls.done == count)
        asked = [route for route in played.made.overheard.routes if route != PLUGINS]
        assert asked == [MEMBERS, STATUSES, STATUSES, STATUSES]


async def test_entities_of_one_channel_share_the_list_of_members_that_they_poll(ground: Any, clock: Any) -> None:
    """Each asks for itself, and those that got the same list hold one between them, to save memory."""
    async with playing(ground, clock, polling=True) as played:
        entities = [await played.entity(number) for number in range(4)]
        await clock.advance(INTERVAL_S + POLL_INTERVAL_S)
        polls = played.tally.in_background("poll statuses")
        await played.made.eventually(lambda: polls.done >= 4)
        assert played.made.overheard.routes.count(MEMBERS) == 4
        assert len({id(entity.user.polled_ids) for entity in entities}) == len(played.made.polled) <= 3


async def test_a_slow_poll_puts_the_next_one_off_and_never_runs_beside_it(ground: Any, clock: Any) -> None:
    """While the server hangs there is one poll under way, however much time passes."""
    async with playing(ground, clock, polling=True) as played:
        await played.entity(1)
        await played.made.server.faults.turn(hang_rate=1.0)
        await clock.advance(INTERVAL_S + 5 * POLL_INTERVAL_S)
        assert played.made.overheard.routes.count(MEMBERS) == 1
