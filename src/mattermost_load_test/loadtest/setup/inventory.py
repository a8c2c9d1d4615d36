"""What of the population is on the server: found by name, over REST, as system admin. Reads only."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from mattermost_load_test.errors import ApiError
from mattermost_load_test.loadtest.places import ServerPlaces, find_channels, find_teams
from mattermost_load_test.loadtest.population.population import Population, emoji_name, username
from mattermost_load_test.loadtest.world import Channel, Team
from mattermost_load_test.mattermost import models
from mattermost_load_test.mattermost.rest import Client

T = TypeVar("T")

PER_PAGE = 200  # the most that a server gives
AT_ONCE = 8  # requests of the set-up in flight


@dataclass(frozen=True, slots=True)
class Inventory:
    """The part of a population that a server has: teams, channels and users by their index in the population.

    `user_ids` has an entry for every user of the population, empty for one that is missing.
    """

    population: Population
    teams: dict[int, Team] = field(default_factory=dict)
    channels: dict[int, Channel] = field(default_factory=dict)
    town_squares: dict[int, Channel] = field(default_factory=dict)
    user_ids: Sequence[str] = ()
    emoji: frozenset[str] = frozenset()

    @property
    def missing_teams(self) -> list[int]:
        """The indices of the teams that the server lacks."""
        return [index for index in range(self.population.num_teams) if index not in self.teams]

    @property
    def missing_channels(self) -> list[int]:
        """The indices of the channels that the server lacks."""
        return [index for index in range(self.population.num_channels) if index not in self.channels]

    @property
    def missing_users(self) -> list[int]:
        """The indices of the users that the server lacks."""
        return [index for index, user_id in enumerate(self.user_ids) if not user_id]

    @property
    def names_complete(self) -> bool:
        """Whether the server has every team, channel and user."""
        return not (self.missing_teams or self.missing_channels or self.missing_users)

    @property
    def missing_emoji(self) -> list[str]:
        """The names of the custom emoji that the server lacks."""
        names = map(emoji_name, range(self.population.num_emoji))
        return [name for name in names if name not in self.emoji]

    @property
    def places(self) -> ServerPlaces:
        """The places of the users with the server's ids."""
        return ServerPlaces(self.population, self.teams, self.channels, self.town_squares)


async def take_inventory(admin: Client, population: Population) -> Inventory:
    """Ask the server for everything that the population names; raises what the client raises."""
    teams = find_teams(population, await all_pages(admin.teams.page))
    channels: dict[int, Channel] = {}
    town_squares: dict[int, Channel] = {}
    for index, team in teams.items():
        found, town_square = find_channels(population, index, await _channels_in(admin, team))
        channels.update(found)
        if town_square is not None:
            town_squares[index] = town_square
    return Inventory(
        population, teams, channels, town_squares, await _user_ids(admin, population), await _emoji(admin, population)
    )


async def _channels_in(admin: Client, team: Team) -> list[models.Channel]:
    """Return the public and private channels of a team."""
    public = await all_pages(partial(admin.channels.public_page, team.id))
    return [*public, *await all_pages(partial(admin.channels.private_page, team.id))]


async def _user_ids(admin: Client, population: Population) -> list[str]:
    """Return the id of every user, empty for those that the server does not know."""
    ids = [""] * population.num_users

    async def ask(first: int) -> None:
        numbers = range(first, min(first + PER_PAGE, population.num_users))
        known = {user.username: user.id for user in await admin.users.by_usernames([username(n) for n in numbers])}
        for number in numbers:
            ids[number] = known.get(username(number), "")

    await side_by_side(ask, range(0, population.num_users, PER_PAGE))
    return ids


async def _emoji(admin: Client, population: Population) -> frozenset[str]:
    """Return the names of the server's custom emoji; none where it has them switched off, or none are wanted."""
    if not population.num_emoji:
        return frozenset()
    try:
        return frozenset(emoji.name for emoji in await all_pages(admin.emojis.page))
    except ApiError as error:
        if error.status != 501:
            raise
        return frozenset()


async def all_pages(page: Callable[[int, int], Awaitable[Sequence[T]]]) -> list[T]:
    """Return what all pages of a list hold; `page` is called with a page's number and size."""
    found: list[T] = []
    number = 0
    while True:
        part = await page(number, PER_PAGE)
        found.extend(part)
        if len(part) < PER_PAGE:
            return found
        number += 1


async def side_by_side(work: Callable[[T], Awaitable[None]], items: Iterable[T]) -> None:
    """Do `work` for each item, a few at a time; the first failure ends it and is raised as it is."""
    turns = iter(items)

    async def take_turns() -> None:
        for item in turns:
            await work(item)

    try:
        async with asyncio.TaskGroup() as tasks:
            for _ in range(AT_ONCE):
                tasks.create_task(take_turns())
    except* Exception as failures:
        raise failures.exceptions[0] from None
