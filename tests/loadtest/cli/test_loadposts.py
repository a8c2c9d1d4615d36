"""`loadtest loadposts` without a database: histories by the import job of an embedded server."""

from __future__ import annotations

import socket

import aiohttp
import pytest

from mattermost_load_test.config import ConnectionConfiguration
from mattermost_load_test.embedded.server import EmbeddedServer
from mattermost_load_test.loadtest.population.population import USER_PASSWORD
from mattermost_load_test.mattermost.models import Json
from mattermost_load_test.mattermost.opening import open_transport
from mattermost_load_test.mattermost.rest import Client


async def channels_of(server: EmbeddedServer, username: str) -> dict[str, tuple[Json, Json]]:
    """Return a user's channels of the population and its memberships in them, by name."""
    connection = ConnectionConfiguration(server_url=server.url)
    async with open_transport(connection) as transport, aiohttp.ClientSession() as http:
        client = Client(transport)
        await client.login(username, USER_PASSWORD)
        (team,) = await client.teams.mine()
        assert client.token is not None
        headers = {"Authorization": f"Bearer {client.token.get_secret_value()}"}
        base = f"{server.url}/api/v4/users/me/teams/{team.id}/channels"
        async with http.get(base, headers=headers) as answer:
            channels = await answer.json()
        async with http.get(f"{base}/members", headers=headers) as answer:
            members = {member["channel_id"]: member for member in await answer.json()}
    named = [channel for channel in channels if "loadtestchannel" in channel["name"]]
    return {channel["name"]: (channel, members[channel["id"]]) for channel in named}


@pytest.mark.parametrize("read", [1.0, 0.0])
async def test_an_import_gives_channels_their_history(agent_here, embedded: EmbeddedServer, read: float) -> None:  # type: ignore[no-untyped-def]  # a class of this folder's conftest
    """Posts and replies are in every public channel, read by those who should have read them; twice adds nothing."""
    agent_here.set(LoadtestEnviromentConfig_NumPosts=80, LoadtestEnviromentConfig_PercentReadChannels=read)
    assert (await agent_here.run("setup")).code == 0
    before = await channels_of(embedded, "user3")
    first = await agent_here.run("loadposts")
    assert first.code == 0, first.stderr
    assert first.stdout == "Imported 80 posts into 4 channels\n"
    after = await channels_of(embedded, "user3")
    for name, (channel, member) in after.items():
        private = name.endswith("loadtestchannel4")
        added = channel["total_msg_count"] - before[name][0]["total_msg_count"]
        assert added == (0 if private else 20)
        if not private:
            assert channel["total_msg_count_root"] < channel["total_msg_count"]
            unread = channel["total_msg_count"] - member["msg_count"]
            assert unread == 0 if read else unread >= 20
    second = await agent_here.run("loadposts")
    assert second.stdout == "Imported 0 posts into 0 channels; 4 had theirs already\n"


async def test_without_a_population_it_says_so(agent_here) -> None:  # type: ignore[no-untyped-def]  # likewise
    """On an empty server the one message says what to do first, and the exit code is 1."""
    agent_here.set(LoadtestEnviromentConfig_NumPosts=80)
    ended = await agent_here.run("loadposts")
    assert ended.code == 1
    assert "load the population first" in ended.stderr


async def test_too_few_posts_for_the_channels_are_told(agent_here) -> None:  # type: ignore[no-untyped-def]  # likewise
    """Fewer posts than channels are a wrong configuration: exit code 2, both numbers named."""
    ended = await agent_here.run("loadposts")
    assert ended.code == 2
    assert "NumPosts is 0" in ended.error
    assert "4 public channels" in ended.error


async def test_a_database_that_is_not_there(agent_here) -> None:  # type: ignore[no-untyped-def]  # likewise
    """A data source where nothing listens is exit code 3, names the place and keeps the password."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        agent_here.set(
            LoadtestEnviromentConfig_NumPosts=80,
            ConnectionConfiguration_DataSource=f"postgres://mm:hiddenword@127.0.0.1:{port}/mattermost",
        )
        ended = await agent_here.run("loadposts")
    assert ended.code == 3
    assert f"PostgreSQL at 127.0.0.1:{port}" in ended.error
    assert "hiddenword" not in ended.stderr + ended.stdout
