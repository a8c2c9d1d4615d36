"""`loadposts` without a data source: the channels' history as post lines of the server's import job.

A server keeps a post of the same channel, moment and text once. So posts are planned back from the moment at which
their channel was made, and the same lines can be imported again after a failure; channels with as many posts as planned
are left out. An import leaves every channel unread by everybody, so the admin then views channels for their members.
"""

from __future__ import annotations

from array import array
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice

import orjson

from mattermost_load_test.errors import ApiError, OperationError
from mattermost_load_test.loadtest.history.post_plan import MAX_AUTHORS, PlannedPost, PostPlan, channel_key
from mattermost_load_test.loadtest.history.reading import Reading
from mattermost_load_test.loadtest.places import channel_number
from mattermost_load_test.loadtest.population.population import Population, team_name, username
from mattermost_load_test.loadtest.setup.inventory import Inventory, all_pages, side_by_side
from mattermost_load_test.mattermost import models
from mattermost_load_test.mattermost.importing import (
    IMPORTING,
    Counting,
    ImportContext,
    ImportOptions,
    ImportProgress,
    import_lines,
)
from mattermost_load_test.mattermost.models import Json
from mattermost_load_test.mattermost.rest import Client

JOB_POSTS = 250_000
"""About so many posts go into one job: some two minutes of the server's CPU, and few waits for jobs to start."""

PATIENCE_PER_LINE_S = 0.02

ASKED_AT_ONCE = 20
"""So many channels are asked about at once for how far a job is: more than a server fills side by side."""

NOT_TOLD = (400, 403, 404, 501)  # of a server that does not list channels by their ids

Tell = Callable[[str, int, int], object]
"""Told what is being done, and how many of how many posts are imported."""


@dataclass(frozen=True, slots=True)
class PostsImported:
    """What an import did: posts sent, channels that got them, and channels that had them before."""

    posts: int
    channels: int
    complete: int


@dataclass(frozen=True, slots=True)
class _Channel:
    """A channel that gets posts: the population's index, what the server knows of it, the numbers of who writes."""

    index: int
    key: str
    team: str
    found: models.Channel
    authors: Sequence[int]


@dataclass(frozen=True, slots=True)
class PostImport:
    """Imports the posts of `plan` as `admin` into a server with `inventory`; `reading` says who has read them.

    `change_settings` is asked to make the changes of settings that an import needs.
    """

    admin: Client
    inventory: Inventory
    plan: PostPlan
    reading: Reading
    change_settings: Callable[[Json], Awaitable[object]]
    tell: Tell
    options: ImportOptions = field(
        default_factory=lambda: ImportOptions(poll_s=0.5, patience_per_line_s=PATIENCE_PER_LINE_S)
    )

    async def run(self) -> PostsImported:
        """Import what is missing; raises what client and import raise, and `OperationError` without a population."""
        channels = await self._channels()
        if not channels:
            raise OperationError(
                "the server has none of the population's public channels: load the population first, by any run"
                " without SkipBulkload"
            )
        missing = [one for one in channels if one.found.total_msg_count < self.plan.posts_per_channel and one.authors]
        await self._import(missing)
        await self._read(missing)
        complete = sum(one.found.total_msg_count >= self.plan.posts_per_channel for one in channels)
        return PostsImported(len(missing) * self.plan.posts_per_channel, len(missing), complete)

    async def _channels(self) -> list[_Channel]:
        """Return the population's public channels as the server has them."""
        population = self.inventory.population
        authors = _authors(population, self.inventory.user_ids)
        channels = []
        for index, team in self.inventory.teams.items():
            for found in await all_pages(partial(self.admin.channels.public_page, team.id)):
                number = channel_number(found.name)
                if number is not None and self.plan.covers(index, number):
                    place = index * population.channels_per_team + number
                    key = channel_key(index, number)
                    channels.append(_Channel(place, key, team_name(index), found, authors[place]))
        return channels

    async def _import(self, channels: Sequence[_Channel]) -> None:
        """Import the posts of the channels, so many in a job."""
        posts_per_channel = self.plan.posts_per_channel
        total, done = len(channels) * posts_per_channel, 0
        rest = iter(channels)
        while batch := list(islice(rest, max(1, JOB_POSTS // posts_per_channel))):

            def progress(now: ImportProgress, done: int = done) -> None:
                imported = now.done if now.step == IMPORTING else 0
                self.tell(f"Import of posts: {now.step}{now.note and ', ' + now.note}", done + imported, total)

            arrived = _Arrived(self.admin, batch, posts_per_channel)
            counting = Counting(arrived.count, len(batch) * posts_per_channel)
            context = ImportContext(self.options, progress=progress, counting=counting)
            await import_lines(self.admin, post_lines(self.plan, batch), context, change_settings=self.change_settings)
            done += len(batch) * posts_per_channel
            self.tell("Import of posts", done, total)

    async def _read(self, channels: Sequence[_Channel]) -> None:
        """Let those who have read their channels view them."""
        population, user_ids = self.inventory.population, self.inventory.user_ids
        ids = {one.index: one.found.id for one in channels}
        views = [
            (user_ids[user], ids[index])
            for user in range(population.num_users)
            if user_ids[user]
            for index in population.channels_of(user)
            if index in ids and self.reading.has_read(user_ids[user], ids[index])
        ]
        done = 0

        async def view(who_and_what: tuple[str, str]) -> None:
            nonlocal done
            user_id, channel_id = who_and_what
            await self.admin.channels.view_for(user_id, channel_id)
            done += 1
            self.tell("Reading channels", done, len(views))

        await side_by_side(view, views)


class _Arrived:
    """How many posts of a job have arrived: a job says nothing of that, but it fills channels in the lines' order.

    So only the first channels that are not full are asked about, and full ones never again.
    """

    def __init__(self, admin: Client, channels: Sequence[_Channel], posts_per_channel: int) -> None:
        self._admin = admin
        self._channels = channels
        self._full = posts_per_channel
        self._next = 0

    async def count(self) -> int:
        """Return how many there are; no more than before where the server does not say."""
        while asked := self._channels[self._next : self._next + ASKED_AT_ONCE]:
            team_id = asked[0].found.team_id
            same = [one.found.id for one in asked if one.found.team_id == team_id]
            try:
                found = await self._admin.channels.public_by_ids(team_id, same)
            except ApiError as error:
                if error.status not in NOT_TOLD:
                    raise
                break
            counts = {channel.id: min(channel.total_msg_count, self._full) for channel in found}
            filled = max((place for place, one in enumerate(same, 1) if counts.get(one) == self._full), default=0)
            self._next += filled  # what stands before a full one is about to be, or gets no more
            if filled < len(same):
                return self._next * self._full + sum(counts.get(one, 0) for one in same[filled:])
        return self._next * self._full


def _authors(population: Population, user_ids: Sequence[str]) -> list[Sequence[int]]:
    """Return who writes in each channel, by the population's numbers: members whom the server has, else its team's."""
    in_channels = [array("I") for _ in range(population.num_channels)]
    in_teams = [array("I") for _ in range(population.num_teams)]
    for user, user_id in enumerate(user_ids):
        if user_id:
            _enter(in_channels, population.channels_of(user), user)
            _enter(in_teams, population.teams_of(user), user)
    return [members or in_teams[index // population.channels_per_team] for index, members in enumerate(in_channels)]


def _enter(places: Sequence[array[int]], own: Sequence[int], user: int) -> None:
    """Add a user to its places, as far as they have room for authors."""
    for place in own:
        if len(places[place]) < MAX_AUTHORS:
            places[place].append(user)


def post_lines(plan: PostPlan, channels: Sequence[_Channel]) -> Iterator[bytes]:
    """Yield the import lines of the channels' posts, each root with its replies."""
    yield orjson.dumps({"type": "version", "version": 1}) + b"\n"
    for channel in channels:
        for numbers in plan.parts(0):
            part = plan.part(channel.key, numbers, len(channel.authors), channel.found.created_ms)
            yield from _part_lines(part, channel)


def _part_lines(part: Sequence[PlannedPost], channel: _Channel) -> Iterator[bytes]:
    """Yield the lines of a part of a channel's posts."""
    roots: dict[int, Json] = {}
    for post in part:
        entry = {
            "user": username(channel.authors[post.author]),
            "message": post.message,
            "create_at": post.created_ms,
        }
        if post.root is None:
            roots[post.number] = {"team": channel.team, "channel": channel.found.name, **entry}
        else:
            roots[post.root].setdefault("replies", []).append(entry)
    for root in roots.values():
        yield orjson.dumps({"type": "post", "post": root}) + b"\n"
