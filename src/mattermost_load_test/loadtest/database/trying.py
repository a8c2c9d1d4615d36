"""Whether users who were put into the tables are users to the server: a few of them log in, look around and post."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from pydantic import SecretStr

from mattermost_load_test.errors import OperationError, ServerError
from mattermost_load_test.loadtest.clock import Clock
from mattermost_load_test.loadtest.population.population import USER_PASSWORD, Population, username
from mattermost_load_test.loadtest.setup.admin import when_let
from mattermost_load_test.mattermost.rest import Client
from mattermost_load_test.mattermost.transport import Transport

SAMPLE_USERS = 5
MESSAGE = "The first message of a user who was put straight into the database."


class SampleError(OperationError):
    """A user who was put into the tables does not work; the message says what is wrong with whom."""


@dataclass(frozen=True, slots=True)
class Sample:
    """How users are tried: where they log in, which teams and channels they must find, by the population's index."""

    transport: Transport
    server: str
    population: Population
    teams: Mapping[int, str]
    channels: Mapping[int, str]
    clock: Clock

    async def try_users(self, ids: Sequence[str], numbers: Sequence[int], tokens: Mapping[int, str]) -> int:
        """Try a few of the users `numbers`, and of those with `tokens`; return how many. Raises `SampleError`.

        The posting comes last, by one of them: nothing is taken back once it is done.
        """
        tried = 0
        writer: tuple[Client, str] | None = None
        for number in _some(numbers):
            client, channel_id = await self._look_around(number, ids[number])
            writer = (client, channel_id) if channel_id else writer
            tried += 1
        for number in _some(list(tokens)):
            await self._use_token(number, ids[number], tokens[number])
        if writer is not None:
            await self._post(*writer)
        return tried

    async def _look_around(self, number: int, user_id: str) -> tuple[Client, str]:
        """Log a user in, let it list its teams, channels and posts; return its session and a channel of its own."""
        client = Client(self.transport, server=self.server)
        channel_id = ""
        with _telling(f"{username(number)} cannot work"):
            user = await when_let(lambda: client.login(username(number), USER_PASSWORD), self.clock)
            if user.id != user_id:
                raise SampleError(f"{username(number)} is {user.id} to the server and {user_id} in the database")
            found = {team.id for team in await client.teams.mine()}
            for team in self.population.teams_of(number):
                if team not in self.teams:
                    continue
                if self.teams[team] not in found:
                    raise SampleError(f"{username(number)} does not find its team {team}")
                channel_id = await self._channels(client, number, team) or channel_id
            if channel_id:
                await client.posts.page(channel_id)
        return client, channel_id

    async def _channels(self, client: Client, number: int, team: int) -> str:
        """Compare the channels that a user finds in a team with those it should; return one of them, empty without."""
        found = {channel.id for channel in await client.channels.mine(self.teams[team])}
        wanted = {self.channels[i] for i in self.population.channels_in(number, team) if i in self.channels}
        if wanted - found:
            raise SampleError(
                f"{username(number)} finds {len(wanted & found)} of its {len(wanted)} channels in team {team}"
            )
        return min(wanted, default="")

    async def _use_token(self, number: int, user_id: str, token: str) -> None:
        """Let a user say who it is by the token of a session that was put into the tables."""
        with _telling(f"the session of {username(number)} does not work"):
            me = await Client(self.transport, SecretStr(token), self.server).users.me()
        if me.id != user_id:
            raise SampleError(f"the session of {username(number)} is that of {me.username}")

    async def _post(self, client: Client, channel_id: str) -> None:
        """Post a message and find it among the channel's."""
        with _telling("a new user cannot post"):
            post = await client.posts.create(channel_id, MESSAGE)
            page = await client.posts.page(channel_id)
        if post.id not in {found.id for found in page}:
            raise SampleError("what a new user posts is not among the channel's posts")


@contextmanager
def _telling(what: str) -> Iterator[None]:
    """Turn what a server refuses into a `SampleError` that begins with `what`."""
    try:
        yield
    except ServerError as error:
        raise SampleError(f"{what}: {str(error).rstrip('.')}") from error


def _some(numbers: Sequence[int]) -> list[int]:
    """Return the first, the last, and a few drawn from between."""
    if len(numbers) <= SAMPLE_USERS:
        return list(numbers)
    between = random.SystemRandom().sample(range(1, len(numbers) - 1), SAMPLE_USERS - 2)
    return [numbers[0], *(numbers[at] for at in between), numbers[-1]]
