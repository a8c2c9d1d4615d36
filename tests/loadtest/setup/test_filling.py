"""Which lines are imported into a server that has a part of the population already."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from mattermost_load_test.config import EnvironmentConfiguration
from mattermost_load_test.loadtest.population.population import Population
from mattermost_load_test.loadtest.setup.directs import channel_name
from mattermost_load_test.loadtest.setup.filling import lines_needed
from mattermost_load_test.loadtest.setup.inventory import Inventory
from mattermost_load_test.loadtest.world import Channel, Team

ENVIRONMENT = EnvironmentConfiguration(
    num_teams=2,
    num_channels_per_team=3,
    num_private_channels_per_team=1,
    num_users=5,
    num_direct_message_channels=2,
    num_group_message_channels=1,
    num_emoji=3,
    percent_users_high_volume_teams=1.0,
    percent_users_mid_volume_teams=1.0,
    percent_users_low_volume_teams=1.0,
    percent_users_high_volume_channel=1.0,
    percent_users_mid_volume_channel=1.0,
    percent_users_low_volume_channel=1.0,
)


@pytest.fixture
def population() -> Population:
    """Give a small population whose users are all in every team and channel."""
    return Population(ENVIRONMENT)


def whole(population: Population) -> Inventory:
    """Return the inventory of a server that has everything."""
    return Inventory(
        population,
        {team.index: Team(f"id of {team.name}", team.name) for team in population.teams()},
        {channel.index: Channel(f"id of {channel.name}", channel.name) for channel in population.channels()},
        {},
        [f"id of {user.username}" for user in population.users()],
    )


def needed(inventory: Inventory, **options: bool) -> list[dict[str, Any]]:
    """Return the lines needed, read."""
    return [orjson.loads(line) for line in lines_needed(inventory, **{"schemes": True} | options)]


def kinds(lines: list[dict[str, Any]]) -> dict[str, int]:
    """Return how many lines of each kind there are."""
    found: dict[str, int] = {}
    for line in lines:
        found[line["type"]] = found.get(line["type"], 0) + 1
    return found


def test_an_empty_server_gets_everything_but_emoji(population: Population) -> None:
    """Schemes, teams, channels, users and direct channels; emoji go by a route of their own."""
    lines = needed(Inventory(population, user_ids=[""] * 5))
    assert kinds(lines) == {"version": 1, "scheme": 2, "team": 2, "channel": 8, "user": 5, "direct_channel": 3}
    assert "scheme" not in kinds(needed(Inventory(population, user_ids=[""] * 5), schemes=False))


def test_a_whole_server_lacks_direct_channels_at_most(population: Population) -> None:
    """Where only direct channels are missing nothing else is imported: no user costs a password hash."""
    assert kinds(needed(whole(population))) == {"version": 1, "direct_channel": 3}


def test_missing_users_are_imported_with_all_they_are_in(population: Population) -> None:
    """Two users that the server lacks are two lines, each with both teams and all channels."""
    inventory = whole(population)
    inventory.user_ids[1] = inventory.user_ids[4] = ""  # type: ignore[index]
    users = [line["user"] for line in needed(inventory) if line["type"] == "user"]
    assert [user["username"] for user in users] == ["user1", "user4"]
    assert [len(team["channels"]) for team in users[0]["teams"]] == [4, 4]
    assert inventory.missing_users == [1, 4]


def test_missing_channels_are_imported_alone(population: Population) -> None:
    """A channel that is missing is one line, and the schemes it may have."""
    inventory = whole(population)
    gone = inventory.channels.pop(6)
    lines = needed(inventory)
    assert kinds(lines) == {"version": 1, "scheme": 2, "channel": 1, "direct_channel": 3}
    assert [line["channel"]["name"] for line in lines if line["type"] == "channel"] == [gone.name]


def test_channels_go_by_the_servers_names(population: Population) -> None:
    """On a server that the original tool filled, new users join the channels that are there under other words."""
    inventory = whole(population)
    inventory.channels[2] = Channel("some id", "other-words-loadtestchannel2")
    inventory.user_ids[0] = ""  # type: ignore[index]
    (line,) = [line for line in needed(inventory) if line["type"] == "user"]
    names = [channel["name"] for team in line["user"]["teams"] for channel in team["channels"]]
    assert "other-words-loadtestchannel2" in names
    assert population.channel(2).name not in names
    assert len(names) == 8


def test_an_inventory_knows_what_is_missing(population: Population) -> None:
    """Teams, channels, users and emoji that the server lacks are told by index and name."""
    inventory = whole(population)
    assert inventory.names_complete
    assert inventory.missing_emoji == ["loadtestemoji0", "loadtestemoji1", "loadtestemoji2"]
    del inventory.teams[1]
    assert not inventory.names_complete
    assert inventory.missing_teams == [1]


def test_direct_and_group_channels_are_named_as_the_server_does() -> None:
    """Two ids in order with two underscores between; the SHA-1 of all ids in order for more."""
    assert channel_name(["b", "a"]) == "a__b"
    assert channel_name(["c", "a", "b"]) == "a9993e364706816aba3e25717850c26c9cd0d89d"


def test_users_can_be_left_to_the_database(population: Population) -> None:
    """Where users go straight into the database, the lines are those of schemes, teams and channels alone."""
    lines = needed(Inventory(population, user_ids=[""] * 5), people=False)
    assert kinds(lines) == {"version": 1, "scheme": 2, "team": 2, "channel": 8}
