"""Where actions are tried: an embedded server with a small population, and users whose requests are noted."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Any

import orjson
import pytest
from pydantic import SecretStr

from mattermost_load_test.config import EnvironmentConfiguration, UserEntitiesConfiguration
from mattermost_load_test.embedded.server import EmbeddedServer, ServerOptions, serve
from mattermost_load_test.loadtest.actions import images, sessions
from mattermost_load_test.loadtest.clock import Clock
from mattermost_load_test.loadtest.places import ServerPlaces, find_channels, find_teams
from mattermost_load_test.loadtest.population.population import USER_PASSWORD, Population, email
from mattermost_load_test.loadtest.user import User
from mattermost_load_test.loadtest.world import Abilities, Channel, Team, World
from mattermost_load_test.mattermost.opening import open_transport
from mattermost_load_test.mattermost.rest import Client
from mattermost_load_test.mattermost.transport import Request, Response, Transport, TransportOptions
from mattermost_load_test.mattermost.websocket import EventStream
from mattermost_load_test.mattermost.websocket_connection import WebsocketOptions
from mattermost_load_test.sampling import Draw

OLD, NEW = "5.37", "11.6"
ADMIN = ("success+ltadmin@simulator.amazonses.com", "ltadmin", "ltpassword")
EVERYBODY = EnvironmentConfiguration(
    num_teams=1,
    num_channels_per_team=2,
    num_private_channels_per_team=1,
    num_users=4,
    num_emoji=1,
    percent_users_high_volume_teams=1.0,
    percent_users_high_volume_channel=1.0,
    percent_users_mid_volume_channel=1.0,
    percent_users_low_volume_channel=1.0,
)
NEVER = UserEntitiesConfiguration(
    channel_link_chance=0,
    upload_image_chance=0,
    link_preview_chance=0,
    custom_emoji_chance=0,
    needs_profiles_by_username_chance=0,
    needs_profiles_by_id_chance=0,
    needs_profile_status_chance=0,
)

ABLE = Abilities()


class Overheard:
    """A transport that notes what goes through it: requests as they begin, and their answers."""

    def __init__(self, inner: Transport) -> None:
        self.requests: list[Request] = []
        self.answers: list[Response] = []
        self._inner = inner

    async def send(self, request: Request) -> Response:
        """Note `request`, send it, note its answer."""
        self.requests.append(request)
        answer = await self._inner.send(request)
        self.answers.append(answer)
        return answer

    @property
    def routes(self) -> list[str]:
        """The routes asked for, in their order."""
        return [request.route for request in self.requests]

    @property
    def bodies(self) -> list[Any]:
        """What the JSON requests said, in their order."""
        return [orjson.loads(request.body) for request in self.requests if (request.body or b"")[:1] in (b"{", b"[")]

    def forget(self) -> None:
        """Begin anew."""
        self.requests.clear()
        self.answers.clear()


class Ground:
    """An embedded server with a small population, and users who act on it."""

    def __init__(self, server: EmbeddedServer, transport: Transport, clock: Clock) -> None:
        self.server = server
        self.overheard = Overheard(transport)
        self.admin = Client(transport)
        self.population = Population(EVERYBODY)
        self.clock = clock
        self.polled: dict[str, tuple[str, ...]] = {}
        self._found: tuple[dict[int, Team], dict[int, Channel], dict[int, Channel]] = ({}, {}, {})

    @property
    def places(self) -> ServerPlaces:
        """Where the population's users belong."""
        return ServerPlaces(self.population, *self._found)

    def only(self, channel: Channel) -> ServerPlaces:
        """Return places of which users pick always the same channel."""

        class OnePlace(ServerPlaces):
            def pick_channel(self, user: int, team: Team, draw: Draw) -> Channel:
                return channel

        return OnePlace(self.population, *self._found)

    def with_public_channels(self, count: int) -> ServerPlaces:
        """Return places of a team with so many public channels."""

        class ManyChannels(ServerPlaces):
            def public_channel_count(self, team: Team) -> int:
                return count

        return ManyChannels(self.population, *self._found)

    @property
    def private_channel(self) -> Channel:
        """The last of the team's channels, which is private."""
        return self._found[1][self.population.num_channels - 1]

    @staticmethod
    def always(**chances: float) -> UserEntitiesConfiguration:
        """Return a behaviour in which nothing happens by chance but what is named."""
        return NEVER.model_copy(update=chances)

    @staticmethod
    async def eventually(condition: Callable[[], bool]) -> None:
        """Wait until `condition` holds, five seconds at most."""
        async with asyncio.timeout(5):
            while not condition():  # noqa: ASYNC110 - the server is not ours to signal from
                await asyncio.sleep(0.001)

    async def populate(self) -> None:
        """Make the population, by the admin over REST."""
        await self.admin.users.create(*ADMIN)
        await self.admin.login(ADMIN[0], ADMIN[2])
        users = [
            await self.admin.users.create(user.email, user.username, USER_PASSWORD) for user in self.population.users()
        ]
        ids = [user.id for user in users]
        for team in self.population.teams():
            created = await self.admin.teams.create(team.name, team.display_name)
            for user_id in ids:
                await self.admin.teams.join(created.id, user_id)
            made = []
            for channel in self.population.channels():
                kind = "P" if channel.private else "O"
                made.append(await self.admin.channels.create(created.id, channel.name, channel.display_name, kind))
                for user_id in ids:
                    await self.admin.channels.add_member(made[-1].id, user_id)
            public = await self.admin.channels.public_page(created.id)
            found, town_square = find_channels(self.population, 0, [*public, *made])
            assert town_square is not None
            self._found = (find_teams(self.population, [created]), found, {0: town_square})

    def world(self, behaviour: UserEntitiesConfiguration, abilities: Abilities, places: Any = None) -> World:
        """Return what users share."""
        return World(
            behaviour=behaviour,
            places=places or self.places,
            admin=Client(self.overheard, self.admin.token),
            clock=self.clock,
            password=SecretStr(USER_PASSWORD),
            num_users=EVERYBODY.num_users,
            num_emoji=EVERYBODY.num_emoji,
            link_preview_url=self.server.url,
            abilities=abilities,
            polled=self.polled,
        )

    async def allow_emoji_and_previews(self) -> None:
        """Switch on what pictures and previews need, and make the population's emoji."""
        await self.admin.system.patch_config(
            {"ServiceSettings": {"EnableLinkPreviews": True, "EnableCustomEmoji": True}}
        )
        me = await self.admin.users.me()
        for number in range(EVERYBODY.num_emoji):
            _, picture = images.image(random.Random(number).random)
            await self.admin.emojis.create(self.places.emoji_name(number), me.id, picture)

    async def allow_webhooks(self, version: str) -> None:
        """Let ordinary users make webhooks."""
        await self.admin.system.patch_config({"ServiceSettings": {"EnableIncomingWebhooks": True}})
        role = await self.admin.roles.by_name("team_user")
        permission = "manage_incoming_webhooks" if version == OLD else "manage_own_incoming_webhooks"
        await self.admin.roles.set_permissions(role.id, [*role.permissions, permission])

    async def user(
        self,
        number: int = 0,
        behaviour: UserEntitiesConfiguration = NEVER,
        abilities: Abilities = ABLE,
        places: Any = None,
        seed: int = 1,
        on_connect: Callable[[], object] | None = None,
    ) -> User:
        """Return a user who is logged in; what it did for that is forgotten."""
        client, chance = Client(self.overheard), random.Random(seed)
        websockets = WebsocketOptions(self.server.url.replace("http", "ws", 1), first_backoff_s=0.001)
        events = EventStream(websockets, lambda: client.token, chance, on_connect=on_connect)
        user = User(number, email(number), client, events, chance, self.world(behaviour, abilities, places))
        await sessions.log_in(user)
        self.overheard.forget()
        return user

    async def in_one_channel(self, behaviour: UserEntitiesConfiguration = NEVER, **more: Any) -> tuple[User, Channel]:
        """Return a user who goes to one channel only, and the channel."""
        _, channel = (await self.user()).place()
        return await self.user(behaviour=behaviour, places=self.only(channel), **more), channel

    async def post_with_images(self, user: User, channel: Channel) -> None:
        """Write a post with two images and a reaction."""
        file_ids = []
        for _ in range(2):
            name, content = images.image(user.random.random)
            file_ids.append((await user.client.files.upload(channel.id, name, content)).id)
        post = await user.client.posts.create(channel.id, "look", file_ids=file_ids)
        await user.client.posts.react(user.id, post.id, "smile")
        self.overheard.forget()


@asynccontextmanager
async def laid_out(
    version: str = NEW, *, clock: Clock, post_metadata: bool = True, timeout_s: float = 30.0
) -> AsyncIterator[Ground]:
    """Give a server of a version with its population."""
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(serve(ServerOptions(version=version, post_metadata=post_metadata)))
        transport = await stack.enter_async_context(
            open_transport(TransportOptions(server.url, request_timeout_s=timeout_s))
        )
        made = Ground(server, transport, clock)
        await made.populate()
        yield made


@pytest.fixture(params=[OLD, NEW])
def version(request: pytest.FixtureRequest) -> str:
    """Give the version of the server, one after the other."""
    return str(request.param)


@pytest.fixture
def ground(impatient_clock: Clock) -> Callable[..., AbstractAsyncContextManager[Ground]]:
    """Give what makes a ground: of a version, with or without metadata, with a request time-out."""
    return partial(laid_out, clock=impatient_clock)
