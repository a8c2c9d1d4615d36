"""The table of running agents, in real databases: who gets which index, and when one is lost."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from tests.loadtest.cli.conftest import Agent

from mattermost_load_test.errors import DatabaseUnreachableError, LoadTestError
from mattermost_load_test.loadtest.database.connection import Database
from mattermost_load_test.loadtest.database.datasource import DataSource
from mattermost_load_test.loadtest.database.instances import InstanceTable
from mattermost_load_test.loadtest.registration import Registration

DEADLINE_S = 60.0

ORIGINAL_TABLE = (
    "CREATE TABLE LoadtestInstances (Id VARCHAR(26) PRIMARY KEY, CreateAt BIGINT, ActiveAt BIGINT, Idx INTEGER UNIQUE)"
)


def execute(source: DataSource, statement: str) -> Any:
    """Do something to the table behind the agents' back and return the first value, if there is any."""
    if source.driver == "postgres":
        statement = statement.replace("LoadtestInstances", "loadtestinstances")
    with Database(source).transaction("testing") as connection:
        result = connection.execute(text(statement))
        return result.scalar() if result.returns_rows else None


def test_agents_get_the_next_index_and_share_a_start(database: Database) -> None:
    """The first agent makes the table; all have the start of the oldest in common, the seed of their choices."""
    table = InstanceTable(database.source)
    assert table.next_index() == 0
    first, second = table.join("a"), table.join("b")
    assert (first.index, second.index, table.next_index()) == (0, 1, 2)
    assert first.run_started_ms == second.run_started_ms > 1_600_000_000_000


def test_agents_that_come_in_the_same_moment_get_different_indices(database: Database) -> None:
    """Ten at once, the table not even made: the database lets no index be taken twice."""
    table = InstanceTable(database.source)
    with ThreadPoolExecutor(10) as agents:
        found = list(agents.map(table.join, "abcdefghij"))
    assert sorted(instance.index for instance in found) == list(range(10))


def test_the_index_of_an_agent_that_left_is_free_at_once(database: Database) -> None:
    """The least free index is taken; the start of the run stays that of the oldest, also when that one left."""
    table = InstanceTable(database.source)
    first = table.join("a")
    table.join("b")
    table.leave("a")
    again = table.join("c")
    assert (again.index, again.run_started_ms) == (0, first.run_started_ms)


def test_the_index_of_a_dead_agent_is_free_after_four_heartbeats(database: Database) -> None:
    """Who was not renewed for 120 s is dead, who was for 119 s is not; the dead one is told at its next heartbeat."""
    table = InstanceTable(database.source)
    table.join("a")
    execute(database.source, "UPDATE LoadtestInstances SET ActiveAt = ActiveAt - 110000")
    assert table.next_index() == 1
    execute(database.source, "UPDATE LoadtestInstances SET ActiveAt = ActiveAt - 10000")
    assert table.next_index() == 0
    assert table.join("b").index == 0
    assert not table.renew("a")
    assert table.renew("b")


def test_a_heartbeat_keeps_the_place(database: Database) -> None:
    """A renewed row is as good as new."""
    table = InstanceTable(database.source)
    table.join("a")
    execute(database.source, "UPDATE LoadtestInstances SET ActiveAt = ActiveAt - 110000")
    assert table.renew("a")
    execute(database.source, "UPDATE LoadtestInstances SET ActiveAt = ActiveAt - 110000")
    assert table.next_index() == 1


def test_the_original_tools_table_is_used_as_it_is(database: Database) -> None:
    """Databases that the original tool has seen hold its table, with a row that died years ago."""
    execute(database.source, ORIGINAL_TABLE)
    execute(database.source, "INSERT INTO LoadtestInstances VALUES ('old', 1538352000000, 1538352000000, 0)")
    instance = InstanceTable(database.source).join("new")
    assert instance.index == 0
    assert instance.run_started_ms > 1_600_000_000_000
    assert execute(database.source, "SELECT COUNT(*) FROM LoadtestInstances") == 1


SHORT_S = 2.0
"""How long a place lives in these tests, instead of 120 s."""


def joined(source: DataSource, instance_id: str) -> Registration:
    """Take a short-lived place."""
    table = InstanceTable(source, SHORT_S)
    return Registration(table, instance_id, table.join(instance_id), SHORT_S)


class Told:
    """What a registration tells."""

    def __init__(self) -> None:
        self.warnings: list[str] = []
        self.lost: list[LoadTestError] = []
        self.warned = asyncio.Event()

    def warn(self, text: str) -> None:
        """Take a warning."""
        self.warnings.append(text)
        self.warned.set()

    async def keep(self, registration: Registration) -> None:
        """Keep the place until it is lost."""
        async with asyncio.timeout(DEADLINE_S):
            await registration.keep(self.lost.append, self.warn)


@pytest.mark.parametrize("kind", ["postgres-11.6", "mysql-5.37"])
async def test_a_place_is_kept_for_as_long_as_it_is_renewed(
    make_database: Callable[[str], Database], kind: str
) -> None:
    """Heartbeats go on during the work, which returns what it returns; nobody is given the index meanwhile."""
    source = make_database(kind).source
    registration, told = joined(source, "a"), Told()

    async def work() -> int:
        await asyncio.sleep(1.5 * SHORT_S)
        return await asyncio.to_thread(InstanceTable(source, SHORT_S).next_index)

    assert await registration.during(work(), told.lost.append, told.warn) == 1
    assert not told.lost


@pytest.mark.parametrize("kind", ["postgres-11.6", "mysql-5.37"])
async def test_a_place_that_another_took_ends_the_run(make_database: Callable[[str], Database], kind: str) -> None:
    """An agent that was away too long learns at its next heartbeat that it must stop."""
    source = make_database(kind).source
    registration, told = joined(source, "a"), Told()
    execute(source, "DELETE FROM LoadtestInstances")
    await told.keep(registration)
    assert "taken by another" in str(told.lost[0])
    assert told.lost[0].exit_code == 1


@pytest.fixture
def mortal(request: pytest.FixtureRequest) -> Iterator[Callable[[str], Any]]:
    """Give a server of the kind asked for, which may be killed: it runs again when the test ends."""
    servers = []

    def get(kind: str) -> Any:
        servers.append(request.getfixturevalue(kind))
        return servers[0]

    yield get
    for server in servers:
        if server.process is None:
            server.start()


@pytest.mark.parametrize("kind", ["postgres-5.37", "mysql-5.37"])
async def test_a_database_that_goes_away_ends_the_run_before_the_place_expires(
    make_database: Callable[[str], Database], mortal: Callable[[str], Any], kind: str
) -> None:
    """Failed heartbeats warn and are tried again; when only one is left the run ends with 3."""
    registration, told = joined(make_database(kind).source, "a"), Told()
    mortal(kind.partition("-")[0]).kill()
    await told.keep(registration)
    assert len(told.warnings) >= 2
    assert isinstance(told.lost[0], DatabaseUnreachableError)
    assert "--agent-index and --agent-count" in str(told.lost[0])


async def test_a_database_that_comes_back_changes_nothing(
    make_database: Callable[[str], Database], mortal: Callable[[str], Any]
) -> None:
    """After an outage that is shorter than the place lives, heartbeats go on."""
    source, server = make_database("postgres-11.6").source, mortal("postgres")
    table = InstanceTable(source)
    registration, told = Registration(table, "a", table.join("a"), 20.0), Told()
    keeping = asyncio.ensure_future(told.keep(registration))
    server.kill()
    async with asyncio.timeout(DEADLINE_S):
        await told.warned.wait()
    server.start()
    execute(source, "UPDATE LoadtestInstances SET ActiveAt = 0")
    async with asyncio.timeout(DEADLINE_S):
        while True:
            await asyncio.sleep(0.05)
            if execute(source, "SELECT ActiveAt FROM LoadtestInstances") > 0:
                break
    assert not told.lost
    keeping.cancel()
    await asyncio.gather(keeping, return_exceptions=True)


@pytest.fixture
async def agents(tmp_path: Path, embedded: Any, make_database: Callable[[str], Database]) -> AsyncIterator[list[Any]]:
    """Give two agents of six entities each, in folders of their own, with a PostgreSQL as their data source."""
    source = make_database("postgres-11.6").source
    commands = []
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        command = Agent(tmp_path / name).use(embedded)
        command.set(UserEntitiesConfiguration_NumActiveEntities=6, UserEntitiesConfiguration_TestLengthMinutes=60)
        command.set(UserEntitiesConfiguration_ActionRateMilliseconds=1000)
        command.set(UserEntitiesConfiguration_MaxLoopLagMilliseconds=60_000)
        command.set(ConnectionConfiguration_DriverName="postgres", ConnectionConfiguration_DataSource=url_of(source))
        commands.append(command)
    yield commands
    for command in commands:
        await command.kill()


def url_of(source: DataSource) -> str:
    """Return a data source as a URL."""
    return f"postgres://{source.user}@{source.host}:{source.port}/{source.database}?sslmode=disable"


async def test_two_agents_share_out_the_users_by_the_table(agents: list[Any], embedded: Any) -> None:
    """The first to come plays the first users; a third would have none left and says so; all leave the table empty."""
    first, second = agents
    running = await first.start("basic")
    await running.until_logged("Entities begin to act")
    checked = await second.run("check")
    assert "6 (agent 1)" in checked.stdout
    other = await second.start("basic")
    await other.until_logged("Entities begin to act")
    third = await first.run("basic")
    assert third.code == 2
    assert "3 agents with 6 entities each need 18 users, but there are 12" in third.error
    for one in (running, other):
        one.signal(signal.SIGINT)
    ended = [await running.ended(), await other.ended()]
    assert [one.code for one in ended] == [130, 130], ended
    assert [one.told("Running test")[0]["agent"] for one in ended] == ["agent 0", "agent 1"]
    users = embedded.state.users.by_id
    names = {users[post.user_id].username for post in embedded.state.posts.by_id.values() if not post.type}
    assert names == {f"user{number}" for number in range(12)}
    assert "6 (agent 0)" in (await second.run("check")).stdout


@pytest.mark.parametrize("command", ["basic", "check"])
async def test_a_database_that_cannot_be_reached_ends_the_run(agents: list[Any], command: str) -> None:
    """There is no falling back to a single agent, which might play others' users: 3, and what to pass instead."""
    agent = agents[0]
    agent.set(UserEntitiesConfiguration_TestLengthMinutes=0.04)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"postgres://mm:hidden@127.0.0.1:{taken.getsockname()[1]}/mattermost"
        agent.set(ConnectionConfiguration_DataSource=url)
        ended = await agent.run(command)
        assert ended.code == 3
        assert "--agent-index and --agent-count" in ended.error
        assert "hidden" not in ended.stderr
        assert not agent.log.exists()
        given = await agent.run("basic", "--agent-index", "0", "--agent-count", "1")
    assert given.code == 0, given.stderr
