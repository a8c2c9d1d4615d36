"""The population's places as users find them on the server: picked by the population, with the server's ids.

A channel is known by the end of its name, ``-loadtestchannelN``, so that servers which the original tool filled are
understood: its words differ, its numbers do not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from mattermost_load_test.loadtest.population.population import Population, emoji_name, team_name, username
from mattermost_load_test.loadtest.world import Channel, Team
from mattermost_load_test.mattermost import models
from mattermost_load_test.sampling import Draw

TOWN_SQUARE = "town-square"
_CHANNEL_NUMBER = re.compile(r"-loadtestchannel(\d+)$")


class ServerPlaces:
    """The teams and channels of `population` that the server has, by the population's indices.

    Implements `world.Places`. What the server lacks is as if its users were not in it.
    """

    def __init__(
        self,
        population: Population,
        teams: Mapping[int, Team],
        channels: Mapping[int, Channel],
        town_squares: Mapping[int, Channel],
    ) -> None:
        self._population = population
        self._teams = teams
        self._channels = channels
        self._town_squares = town_squares
        self._index_of_team = {team.id: index for index, team in teams.items()}

    def pick_team(self, user: int, draw: Draw) -> Team | None:
        """Return one of the user's own teams by its selection weight."""
        index = self._population.pick_team(user, draw)
        return None if index is None else self._teams.get(index)

    def pick_channel(self, user: int, team: Team, draw: Draw) -> Channel | None:
        """Return one of the user's own channels in `team` by its selection weight."""
        index = self._population.pick_channel(user, self._index_of_team[team.id], draw)
        return None if index is None else self._channels.get(index)

    def town_square(self, team: Team) -> Channel | None:
        """Return the channel that everybody in `team` is in."""
        return self._town_squares.get(self._index_of_team[team.id])

    def public_channel_count(self, team: Team) -> int:
        """Return how many public channels `team` has, the two that every team has among them."""
        return self._population.public_channels_per_team + len((TOWN_SQUARE, "off-topic"))

    def username(self, user: int) -> str:
        """Return the name of the population's user of that number."""
        return username(user)

    def emoji_name(self, emoji: int) -> str:
        """Return the name of the population's custom emoji of that number."""
        return emoji_name(emoji)


def find_teams(population: Population, found: Iterable[models.Team]) -> dict[int, Team]:
    """Return those of the teams found on the server that are the population's, by index."""
    indices = {team_name(index): index for index in range(population.num_teams)}
    return {indices[team.name]: Team(team.id, team.name) for team in found if team.name in indices}


def find_channels(
    population: Population, team: int, found: Iterable[models.Channel]
) -> tuple[dict[int, Channel], Channel | None]:
    """Return the population's among the channels found in the team of index `team`, by index, and its town square.

    The same channel may be found twice, once among the public and once among a member's own.
    """
    channels: dict[int, Channel] = {}
    town_square: Channel | None = None
    for channel in found:
        number = channel_number(channel.name)
        if channel.name == TOWN_SQUARE:
            town_square = Channel(channel.id, channel.name)
        elif number is not None and number < population.channels_per_team:
            channels[team * population.channels_per_team + number] = Channel(channel.id, channel.name)
    return channels, town_square


def channel_number(name: str) -> int | None:
    """Return the number that ends the name of a channel of a population, None for another channel."""
    match = _CHANNEL_NUMBER.search(name)
    return None if match is None else int(match.group(1))
