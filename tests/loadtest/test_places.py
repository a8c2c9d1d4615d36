"""The population's places with the ids that the server gave them."""

from __future__ import annotations

import random

import pytest

from mattermost_load_test.config import EnvironmentConfiguration
from mattermost_load_test.loadtest.places import ServerPlaces, channel_number, find_channels, find_teams
from mattermost_load_test.loadtest.population.population import Population
from mattermost_load_test.loadtest.world import Channel, Team
from mattermost_load_test.mattermost import models


@pytest.fixture
def population() -> Population:
    """Return two teams of three channels, and twenty users."""
    return Population(
        EnvironmentConfiguration(
            num_teams=2,
            num_channels_per_team=2,
            num_private_channels_per_team=1,
            num_users=20,
            percent_users_high_volume_channel=0.5,
            percent_users_mid_volume_channel=0.5,
            percent_users_low_volume_channel=0.5,
        )
    )


def found_channel(id: str, name: str) -> models.Channel:
    """Return a channel as the server describes it."""
    return models.Channel(id, name, "team", "O")


@pytest.mark.parametrize(
    ("name", "number"),
    [("oak-fern-loadtestchannel12", 12), ("loadtestchannel12", None), ("oak-loadtestchannel1-x", None), ("oak", None)],
)
def test_a_channel_is_known_by_the_end_of_its_name(name: str, number: int | None) -> None:
    """Only the suffix counts, whatever words stand before it."""
    assert channel_number(name) == number


def test_what_is_found_is_ordered_by_the_populations_indices(population: Population) -> None:
    """Teams and channels of others are left out, those of the original tool are taken, whatever their words."""
    teams = find_teams(
        population,
        [models.Team("a", "loadtestteam1"), models.Team("b", "private"), models.Team("c", "loadtestteam7")],
    )
    assert teams == {1: Team("a", "loadtestteam1")}
    channels, town_square = find_channels(
        population,
        1,
        [
            found_channel("t", "town-square"),
            found_channel("o", "off-topic"),
            found_channel("x", "ipsum-dolor-loadtestchannel2"),
            found_channel("y", "sit-amet-loadtestchannel99"),
        ],
    )
    assert channels == {5: Channel("x", "ipsum-dolor-loadtestchannel2")}
    assert town_square == Channel("t", "town-square")


def test_users_pick_their_own_teams_and_channels(population: Population) -> None:
    """Whatever is picked is among the user's own memberships, and all of them come up."""
    teams = {index: Team(f"team{index}", population.team(index).name) for index in range(2)}
    channels = {index: Channel(f"channel{index}", population.channel(index).name) for index in range(6)}
    places = ServerPlaces(population, teams, channels, {})
    draw = random.Random(5).random
    for user in range(20):
        own = {f"channel{index}" for index in population.channels_of(user)}
        picked = set()
        for _ in range(300):
            team = places.pick_team(user, draw)
            channel = None if team is None else places.pick_channel(user, team, draw)
            picked |= set() if channel is None else {channel.id}
        assert picked == own


def test_what_the_server_lacks_is_not_picked(population: Population) -> None:
    """A team or channel that was not found is as if the user were not in it."""
    places = ServerPlaces(population, {0: Team("t", "loadtestteam0")}, {}, {})
    draw = random.Random(5).random
    members = [user for user in range(20) if 0 in population.teams_of(user)]
    assert places.pick_channel(members[0], Team("t", "loadtestteam0"), draw) is None
    assert places.town_square(Team("t", "loadtestteam0")) is None
    assert {places.pick_team(user, draw) for user in range(20) for _ in range(20)} == {None, Team("t", "loadtestteam0")}
