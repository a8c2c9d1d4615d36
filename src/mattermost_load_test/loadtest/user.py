"""One user as its actions see it: what it knows and can do. The only object that an action gets.

What the user decides (which action, when) stands in `scenarios` and `pacing`, what it does in `actions`.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from mattermost_load_test.errors import NothingToActOn
from mattermost_load_test.loadtest.world import Channel, Team, World

if TYPE_CHECKING:
    from mattermost_load_test.mattermost.rest import Client
    from mattermost_load_test.mattermost.websocket import EventStream


class User:
    """A user of the population with its session.

    `number` is the user's number in the population, `client` its REST session, `events` its websocket, `random` its
    own source of chance. `id` is its own id once it logged in, `hook_id` is the incoming webhook it made,
    `polled_ids` the users whose status it follows, `present` false while it is deactivated, `left_teams` the names of
    teams that it left at least once: leaving a team is leaving its channels, and joining again does not bring them
    back. `paused_s` is how long it waited on purpose in its present action, `background` how many requests beside its
    actions are under way.
    """

    __slots__ = (
        "_quiet",
        "background",
        "client",
        "email",
        "events",
        "hook_id",
        "id",
        "left_teams",
        "number",
        "paused_s",
        "polled_ids",
        "present",
        "random",
        "world",
    )

    def __init__(
        self, number: int, email: str, client: Client, events: EventStream, random: random.Random, world: World
    ) -> None:
        self.number = number
        self.id = ""
        self.email = email
        self.client = client
        self.events = events
        self.random = random
        self.world = world
        self.hook_id = ""
        self.polled_ids: tuple[str, ...] = ()
        self.present = True
        self.left_teams: tuple[str, ...] = ()
        self.paused_s = 0.0
        self.background = 0
        self._quiet: asyncio.Future[None] | None = None

    @contextmanager
    def beside_actions(self) -> Iterator[None]:
        """Count what is done in it as under way beside the actions."""
        self.background += 1
        try:
            yield
        finally:
            self.background -= 1
            if not self.background and self._quiet is not None:
                self._quiet.set_result(None)
                self._quiet = None

    async def quiet(self) -> None:
        """Return once nothing is under way beside the actions, such as would be refused once the session ends."""
        if self.background:
            self._quiet = self._quiet or asyncio.get_running_loop().create_future()
            await asyncio.shield(self._quiet)

    def team(self) -> Team:
        """Return one of the user's own teams; raises `NothingToActOn` when it has none."""
        team = self.world.places.pick_team(self.number, self.random.random)
        if team is None:
            raise NothingToActOn("team")
        return team

    def channel_in(self, team: Team) -> Channel:
        """Return one of the user's own channels in `team`; raises `NothingToActOn` when it has none there."""
        if team.name in self.left_teams:
            raise NothingToActOn("channel")
        channel = self.world.places.pick_channel(self.number, team, self.random.random)
        if channel is None:
            raise NothingToActOn("channel")
        return channel

    def place(self) -> tuple[Team, Channel]:
        """Return one of the user's own teams and a channel there; raises `NothingToActOn` when there is none."""
        team = self.team()
        return team, self.channel_in(team)

    def happens(self, chance: float) -> bool:
        """Draw once: true with the given chance."""
        return self.random.random() < chance

    def below(self, number: int) -> int:
        """Draw a whole number from 0 up to but without `number`."""
        return int(self.random.random() * number)

    async def pause(self, duration_s: float) -> None:
        """Wait as a person does between two steps of an action."""
        self.paused_s += duration_s
        await self.world.clock.sleep(duration_s)
