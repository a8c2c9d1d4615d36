"""The import file, imported: what a server then has is the population."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from mattermost_load_test.config import ConnectionConfiguration, EnvironmentConfiguration
from mattermost_load_test.embedded.importer import import_lines
from mattermost_load_test.embedded.server import EmbeddedServer
from mattermost_load_test.loadtest.population.bulkload import bulk_lines
from mattermost_load_test.loadtest.population.population import USER_PASSWORD, Population
from mattermost_load_test.mattermost.opening import open_transport
from mattermost_load_test.mattermost.rest import Client

StartServer = Callable[..., Awaitable[EmbeddedServer]]


def odd_population() -> Population:
    """Return a population with teams of all classes, schemes, and users without a team."""
    keys: dict[str, Any] = {
        "num_users": 60,
        "num_teams": 6,
        "num_channels_per_team": 6,
        "num_private_channels_per_team": 3,
        "num_direct_message_channels": 40,
        "num_group_message_channels": 12,
        "num_emoji": 3,
        "percent_users_high_volume_teams": 0.5,
        "percent_users_mid_volume_teams": 0.3,
        "percent_users_high_volume_channel": 0.5,
        "percent_users_mid_volume_channel": 0.2,
        "percent_custom_scheme_teams": 0.5,
        "percent_custom_scheme_channels": 0.5,
        "seed": 5,
    }
    return Population(EnvironmentConfiguration(**keys))


async def belongings(url: str, username: str) -> dict[str, set[str]]:
    """Log a user in and return its own channels by its own teams, those left out that every team has."""
    async with open_transport(ConnectionConfiguration(server_url=url)) as transport:
        client = Client(transport)
        await client.login(username, USER_PASSWORD)
        return {
            team.name: {
                channel.name for channel in await client.channels.mine(team.id) if "loadtestchannel" in channel.name
            }
            for team in await client.teams.mine()
        }


@pytest.mark.parametrize("version", ["5.37", "11.6"])
async def test_users_find_their_teams_and_channels(start_server: StartServer, version: str) -> None:
    """After an import, and after a second one of the same file, users have the teams and channels of the population."""
    server = await start_server(version=version, licensed=True)
    population = odd_population()
    names = [channel.name for channel in population.channels()]
    for _ in range(2):
        result = import_lines(server.state, bulk_lines(population, emoji=True))
        assert result.failure is None
        assert result.counts["user"] == 60
    sizes = Counter(len(population.teams_of(user)) for user in range(60))
    assert len(sizes) > 2
    assert sizes[0]
    for user in range(0, 60, 7):
        assert await belongings(server.url, f"user{user}") == {
            f"loadtestteam{team}": {names[index] for index in population.channels_in(user, team)}
            for team in population.teams_of(user)
        }
