"""The whole way of a population into a database: a server that makes the pattern, tries the users, and may refuse them.

The embedded server keeps its state in memory; the tests carry it to a real database and back, at the moments at which
`tell` says that a real server would read or write it there.
"""

from __future__ import annotations

import asyncio
import stat
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import pytest
from pydantic import SecretStr
from tests.loadtest.database import populating
from tests.loadtest.database.mirror import Mirror

from mattermost_load_test.config import ConnectionConfiguration
from mattermost_load_test.embedded.importer import import_lines
from mattermost_load_test.embedded.server import EmbeddedServer
from mattermost_load_test.errors import ApiError, DatabaseUnreachableError, OperationError
from mattermost_load_test.loadtest.clock import LoopClock
from mattermost_load_test.loadtest.database.bulkload import DatabaseLoad, SessionsWanted, database_of
from mattermost_load_test.loadtest.database.connection import Database
from mattermost_load_test.loadtest.database.filling import LOCK
from mattermost_load_test.loadtest.database.locks import exclusive
from mattermost_load_test.loadtest.database.template import make_template
from mattermost_load_test.loadtest.database.trying import MESSAGE
from mattermost_load_test.loadtest.logins.token_cache import TokenCache, open_token_cache
from mattermost_load_test.loadtest.population.bulkload import bulk_lines
from mattermost_load_test.loadtest.population.population import USER_PASSWORD, Population
from mattermost_load_test.loadtest.setup.inventory import take_inventory
from mattermost_load_test.logs import Log
from mattermost_load_test.mattermost.opening import open_transport
from mattermost_load_test.mattermost.rest import Client

StartServer = Callable[..., Awaitable[EmbeddedServer]]
ADMIN = ("admin@example.com", "adminsecret1")
PLACES = frozenset({"version", "team", "channel"})


@dataclass
class Ground:
    """A server with teams and channels, its admin, its database, and what was told of a load."""

    server: EmbeddedServer
    database: Database
    people: Population
    mirror: Any
    connection: ConnectionConfiguration
    told: list[str] = field(default_factory=list)

    async def load(self, tell: Callable[[str], None], tokens: TokenCache | None = None) -> None:
        """Load the population; `tell` hears what is told, too."""

        def hear(words: str) -> None:
            self.told.append(words)
            tell(words)

        async with open_transport(self.connection) as transport:
            admin = Client(transport, server=transport.server)
            await admin.login(*ADMIN)
            inventory = await take_inventory(admin, self.people)
            wanted = None if tokens is None else SessionsWanted(tokens, range(self.people.num_users))
            load = DatabaseLoad(admin, transport, self.database, LoopClock(), Log(), hear, wanted)
            await load.run(inventory)

    def carrying(self, stack: ExitStack, carry_back: Callable[[], None]) -> Callable[[str], None]:
        """Return what to tell so that the database has the pattern in time, and the server, by `carry_back`, the users.

        The lock of the load is held until the pattern is there.
        """
        held = stack.enter_context(ExitStack())
        held.enter_context(exclusive(held.enter_context(self.database.connect("holding")), LOCK, lambda: None))

        def tell(words: str) -> None:
            if words.startswith("waiting"):
                self.mirror.to_database()
                held.close()
            if words.startswith("trying"):
                carry_back()

        return tell

    async def can_work(self, number: int) -> bool:
        """Say whether a user can log in."""
        async with open_transport(self.connection) as transport:
            try:
                await Client(transport).login(f"user{number}", USER_PASSWORD)
            except ApiError:
                return False
            return True


@pytest.fixture
async def ground(
    request: pytest.FixtureRequest,
    make_database: Callable[[str], Database],
    start_server: StartServer,
) -> Ground:
    """Give a server with teams and channels, but without users, and its database, PostgreSQL unless asked otherwise."""
    server = await start_server(version="5.37")
    database, people = make_database(getattr(request, "param", "postgres-5.37")), populating.population()
    lines = [line for line in bulk_lines(people, emoji=False, schemes=False) if orjson.loads(line)["type"] in PLACES]
    assert import_lines(server.state, lines).failure is None
    connection = ConnectionConfiguration(
        server_url=server.url,
        driver_name=database.source.driver,
        data_source=SecretStr(data_source(database)),
    )
    async with open_transport(connection) as transport:
        await Client(transport).users.create(ADMIN[0], "admin", ADMIN[1])
    mirror = Mirror(server.state, database)
    mirror.to_database()
    return Ground(server, database, people, mirror, connection)


def data_source(database: Database) -> str:
    """Return the name of a database as a configuration has it."""
    source = database.source
    if source.driver == "postgres":
        return f"postgres://{source.user}@{source.host}:{source.port}/{source.database}"
    return f"{source.user}:{source.password.get_secret_value()}@tcp({source.host}:{source.port})/{source.database}"


@pytest.mark.parametrize("ground", ["postgres-5.37", "mysql-5.37"], indirect=True)
async def test_users_from_the_database_work(ground: Ground, tmp_path: Path) -> None:
    """All users log in afterwards, a few were tried, one has posted, and tokens are in a file for its owner alone."""
    cache_path = tmp_path / "tokens"
    with ExitStack() as stack, open_token_cache(cache_path, ground.server.url) as tokens:
        await ground.load(ground.carrying(stack, ground.mirror.to_server), tokens)
        session = tokens.session(5)
    assert "making a user to copy" in ground.told
    assert any("rows" in words and "/s" in words for words in ground.told)
    assert all([await ground.can_work(number) for number in range(0, 30, 7)])
    assert [post.message for post in ground.server.state.posts.by_id.values()].count(MESSAGE) == 1
    assert stat.S_IMODE(cache_path.stat().st_mode) == 0o600
    assert len(cache_path.read_text().splitlines()) == 30
    assert session is not None
    async with open_transport(ground.connection) as transport:
        assert (await Client(transport, session.token).users.me()).username == "user5"
    before = {name: populating.whole(ground.database, name) for name in ("users", "channelmembers", "channels")}
    ground.mirror.to_database()
    with open_token_cache(cache_path, ground.server.url) as tokens:
        await ground.load(lambda words: None, tokens)
    assert {name: populating.whole(ground.database, name) for name in before} == before
    assert "trying some of the new users" not in ground.told[ground.told.index("trying some of the new users") + 1 :]


async def test_users_who_cannot_log_in_are_taken_back(ground: Ground, tmp_path: Path) -> None:
    """A server that does not know the users brings the reason, and the tables are as before but for the pattern."""
    with (
        ExitStack() as stack,
        open_token_cache(tmp_path / "tokens", ground.server.url) as tokens,
        pytest.raises(
            OperationError, match=r"all of it was taken back: user.* cannot work: POST /users/login"
        ) as caught,
    ):
        await ground.load(ground.carrying(stack, lambda: None), tokens)
    assert caught.value.exit_code == 1
    assert {row["username"] for row in populating.whole(ground.database, "users")} == {"admin", "user0"}
    assert not [row for row in populating.whole(ground.database, "channels") if row["type"] in ("D", "G")]
    in_channels = {row["userid"] for row in populating.whole(ground.database, "channelmembers")}
    assert len(in_channels) == 1
    assert (tmp_path / "tokens").read_text() == ""


async def test_users_who_miss_channels_are_taken_back(ground: Ground) -> None:
    """A user who logs in but does not find its channels is no user of the population."""
    channels = {channel.name: channel for channel in ground.server.state.channels.by_id.values()}
    hidden = channels[ground.people.channel(0).name].id
    with ExitStack() as stack, pytest.raises(OperationError, match=r"finds \d+ of its \d+ channels in team 0"):
        await ground.load(
            ground.carrying(stack, lambda: ground.mirror.to_server(lambda row: row["channelid"] != hidden))
        )
    assert {row["username"] for row in populating.whole(ground.database, "users")} == {"admin", "user0"}


async def test_cancelled_it_has_written_all_or_nothing(ground: Ground) -> None:
    """Ended while it writes, as by Ctrl-C, it ends only when nothing, or all, is in the tables."""
    with ExitStack() as stack:
        carry = ground.carrying(stack, ground.mirror.to_server)
        tasks: list[asyncio.Task[None]] = []

        def tell(words: str) -> None:
            carry(words)
            if "rows" in words:
                tasks[0].cancel()

        tasks.append(asyncio.create_task(ground.load(tell)))
        with pytest.raises(asyncio.CancelledError):
            await tasks[0]
    users = {row["username"] for row in populating.whole(ground.database, "users")}
    assert users in ({"admin", "user0"}, {"admin", *(f"user{number}" for number in range(30))})


async def test_another_servers_database_is_refused_at_once(ground: Ground) -> None:
    """A database that lacks the server's teams is refused before a user is populating."""
    with ground.database.transaction("emptying") as connection:
        connection.exec_driver_sql(f"DELETE FROM {populating.table(ground.database, 'teams')}")
    with pytest.raises(OperationError, match="is not the database of the server at ServerURL"):
        await ground.load(lambda words: None)
    assert not await ground.can_work(0)


async def test_a_database_that_is_not_there(embedded: EmbeddedServer) -> None:
    """Without a database nothing is made, and the message names the place."""
    connection = ConnectionConfiguration(
        server_url=embedded.url, driver_name="postgres", data_source=SecretStr("postgres://mm:x@127.0.0.1:1/mm")
    )
    async with open_transport(connection) as transport:
        admin = Client(transport)
        await admin.users.create(ADMIN[0], "admin", ADMIN[1])
        await admin.login(*ADMIN)
        inventory = await take_inventory(admin, populating.population())
        with pytest.raises(DatabaseUnreachableError, match=r"127\.0\.0\.1:1"):
            await DatabaseLoad(admin, transport, database_of(connection), LoopClock(), Log(), lambda words: None).run(
                inventory
            )


async def test_a_full_server_makes_the_pattern_by_import(start_server: StartServer) -> None:
    """A new server without a licence at its limit of users still makes one more by an import of one line."""
    server = await start_server(version="11.6")
    full = Population(populating.population().environment.model_copy(update={"num_users": 251}))
    assert import_lines(server.state, bulk_lines(full, emoji=False, schemes=False)).failure is None
    people = Population(populating.population().environment.model_copy(update={"num_users": 253}))
    server.state.users.by_username["user0"].roles = "system_admin system_user"
    async with open_transport(ConnectionConfiguration(server_url=server.url)) as transport:
        admin, login = Client(transport), Client(transport)
        await admin.login("user0", USER_PASSWORD)
        inventory = await take_inventory(admin, people)
        assert inventory.missing_users == [251, 252]
        template = await make_template(admin, login, inventory, LoopClock())
        assert (await admin.users.by_username("user251")).id == template.user_id
        assert (await login.users.me()).username == "user251"


async def test_a_deactivated_user_is_no_pattern(embedded: EmbeddedServer) -> None:
    """Where all users are there, the first of them who can log in is the pattern."""
    people = populating.population()
    state = embedded.state
    assert import_lines(state, bulk_lines(people, emoji=False, schemes=False)).failure is None
    state.users.by_username["user0"].roles = "system_admin system_user"
    async with open_transport(ConnectionConfiguration(server_url=embedded.url)) as transport:
        admin, login = Client(transport), Client(transport)
        await admin.login("user0", USER_PASSWORD)
        inventory = await take_inventory(admin, people)
        for name in ("user0", "user1"):
            state.users.set_active(state.users.by_username[name], False, state.now_ms())
        template = await make_template(admin, login, inventory, LoopClock())
        assert template.user_id == state.users.by_username["user2"].id
        for user in list(state.users.by_id.values()):
            state.users.set_active(user, False, state.now_ms())
        with pytest.raises(OperationError, match="no user of the population"):
            await make_template(admin, login, inventory, LoopClock())
