"""Who and what exists on the server under test, computed from the configuration alone.

The same configuration gives the same population, on every machine and Python version, so that agents need no exchange.
What is drawn for one purpose is drawn from a stream of its own: more emoji or groups leave the teams as they are.
Nothing is held but memberships, in arrays; teams, channels and users are made when asked for.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import comb, isqrt

from mattermost_load_test.config import EnvironmentConfiguration
from mattermost_load_test.loadtest.population.memberships import Memberships, by_user, drawn_members
from mattermost_load_test.loadtest.population.volumes import Volume, channel_classes, team_classes
from mattermost_load_test.loadtest.population.words import sentence, words
from mattermost_load_test.sampling import Draw, below, derived_draw, distinct_below, shuffle_front

USER_PASSWORD = "Loadtestpassword1"  # noqa: S105 — the password of all users made for the test, known to everybody
MAIL_DOMAIN = "simulator.amazonses.com"
GROUP_SIZE_MIN = 3
GROUP_SIZE_MAX = 8
GROUP_GROWTH_CHANCE = 0.05
"""Chance of each further member of a group beyond the third."""

_GROUP_ATTEMPTS = 100

DrawMaker = Callable[..., Draw]
"""Gives the draws of a purpose: called with the seed and the purpose's parts, as `sampling.derived_draw`."""


@dataclass(frozen=True, slots=True)
class Team:
    """A team; `scheme` is the number of its team scheme, None without one."""

    index: int
    name: str
    display_name: str
    description: str
    volume: Volume
    scheme: int | None


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel; `index` counts over all teams, `number` in the team whose index is `team`."""

    index: int
    team: int
    number: int
    name: str
    display_name: str
    private: bool
    header: str
    purpose: str
    volume: Volume
    scheme: int | None


@dataclass(frozen=True, slots=True)
class User:
    """A user of the population; its password is `USER_PASSWORD`."""

    index: int
    username: str
    email: str


@dataclass(frozen=True, slots=True)
class DirectChannel:
    """A direct (two members) or group channel (three to eight) between users, by their index."""

    members: tuple[int, ...]
    header: str


def username(user: int) -> str:
    """Return the name of a user."""
    return f"user{user}"


def email(user: int) -> str:
    """Return the e-mail address of a user."""
    return f"success+user{user}@{MAIL_DOMAIN}"


def team_name(team: int) -> str:
    """Return the name of a team."""
    return f"loadtestteam{team}"


def emoji_name(emoji: int) -> str:
    """Return the name of a custom emoji."""
    return f"loadtestemoji{emoji}"


class Population:
    """The population of one configuration.

    `draws` is where chance comes from; another than the default is for tests. Memory: four bytes for each membership
    of a user in a team or channel.
    """

    def __init__(self, environment: EnvironmentConfiguration, draws: DrawMaker = derived_draw) -> None:
        self.environment = environment
        self.num_users = environment.num_users
        self.num_teams = environment.num_teams
        self.num_emoji = environment.num_emoji
        self.public_channels_per_team = environment.num_channels_per_team
        self.channels_per_team = environment.num_channels_per_team + environment.num_private_channels_per_team
        self.num_channels = self.num_teams * self.channels_per_team
        self._draws = draws
        self._team_classes = team_classes(environment)
        self._channel_classes = channel_classes(environment)
        self._ranked = array("I", range(self.num_teams))  # the team at each rank of the random order of teams
        shuffle_front(self._ranked, self.num_teams, self._draw("team order"))
        self._rank = array("I", bytes(4 * self.num_teams))
        for rank, team in enumerate(self._ranked):
            self._rank[team] = rank
        self._teams_of, self._channels_of = self._memberships()

    def team(self, index: int) -> Team:
        """Return a team by its index."""
        return Team(
            index,
            team_name(index),
            f"Loadtest Team {index}",
            f"This is loadtest team {index}",
            self._team_classes.volume(self._rank[index]),
            _scheme(
                self.environment.percent_custom_scheme_teams,
                self.environment.num_team_schemes,
                self._draw("team scheme", index),
            ),
        )

    def channel(self, index: int) -> Channel:
        """Return a channel by its index, which counts over all teams."""
        team, number = divmod(index, self.channels_per_team)
        draw = self._draw("channel", index)
        return Channel(
            index,
            team,
            number,
            "-".join([*words(2, draw), f"loadtestchannel{number}"]),
            " ".join([*words(2, draw), f"Loadtest Channel {number}"]),
            number >= self.public_channels_per_team,
            sentence(draw),
            sentence(draw),
            self._channel_classes.volume(number),
            _scheme(
                self.environment.percent_custom_scheme_channels,
                self.environment.num_channel_schemes,
                self._draw("channel scheme", index),
            ),
        )

    def user(self, index: int) -> User:
        """Return a user by its index."""
        return User(index, username(index), email(index))

    def teams(self) -> Iterator[Team]:
        """Yield all teams."""
        return map(self.team, range(self.num_teams))

    def channels(self) -> Iterator[Channel]:
        """Yield all channels, team by team, in each the public before the private ones."""
        return map(self.channel, range(self.num_channels))

    def users(self) -> Iterator[User]:
        """Yield all users."""
        return map(self.user, range(self.num_users))

    def teams_of(self, user: int) -> list[int]:
        """Return the indices of the teams that a user is in, those of high volume first."""
        return [self._ranked[rank] for rank in self._teams_of.of(user)]

    def channels_of(self, user: int) -> array[int]:
        """Return the indices of all channels that a user is in, ascending."""
        return self._channels_of.of(user)

    def channels_in(self, user: int, team: int) -> array[int]:
        """Return the indices of the channels of a team that a user is in, ascending."""
        start, end = self._channels_of.span(user)
        first = bisect_left(self._channels_of.places, team * self.channels_per_team, start, end)
        last = bisect_left(self._channels_of.places, (team + 1) * self.channels_per_team, first, end)
        return self._channels_of.places[first:last]

    @property
    def num_team_memberships(self) -> int:
        """Return how many memberships of users in teams there are."""
        return len(self._teams_of.places)

    @property
    def num_channel_memberships(self) -> int:
        """Return how many memberships of users in channels of teams there are."""
        return len(self._channels_of.places)

    def pick_team(self, user: int, draw: Draw) -> int | None:
        """Return one of the user's teams by its selection weight, None if it has none (or none with a weight)."""
        rank = self._team_classes.pick(self._teams_of.places, *self._teams_of.span(user), 0, draw)
        return None if rank is None else self._ranked[rank]

    def pick_channel(self, user: int, team: int, draw: Draw) -> int | None:
        """Return one of the user's channels in a team by its selection weight, None if it has none there."""
        start, end = self._channels_of.span(user)
        first = team * self.channels_per_team
        return self._channel_classes.pick(self._channels_of.places, start, end, first, draw)

    def directs(self) -> Iterator[DirectChannel]:
        """Yield the direct channels: distinct pairs of users, all pairs if there are no more."""
        draw = self._draw("direct headers")
        pairs = comb(self.num_users, 2)
        count = min(self.environment.num_direct_message_channels, pairs)
        for number in distinct_below(count, pairs, self._draw("direct pairs")):
            yield DirectChannel(_pair(number), sentence(draw))

    def groups(self) -> Iterator[DirectChannel]:
        """Yield the group channels, distinct in their members; fewer than asked for where the users do not suffice."""
        draw = self._draw("groups")
        seen: set[tuple[int, ...]] = set()
        for _ in range(self.environment.num_group_message_channels if self.num_users >= GROUP_SIZE_MIN else 0):
            for _ in range(_GROUP_ATTEMPTS):
                members = self._group(draw)
                if members not in seen:
                    seen.add(members)
                    yield DirectChannel(members, sentence(draw))
                    break

    def _draw(self, *purpose: object) -> Draw:
        return self._draws(self.environment.seed, *purpose)

    def _group(self, draw: Draw) -> tuple[int, ...]:
        size = GROUP_SIZE_MIN
        while size < min(GROUP_SIZE_MAX, self.num_users) and draw() < GROUP_GROWTH_CHANCE:
            size += 1
        return tuple(sorted(distinct_below(size, self.num_users, draw)))

    def _memberships(self) -> tuple[Memberships, Memberships]:
        """Draw the members of each team, and of each channel among its team's members."""
        of_ranks: list[array[int]] = []
        of_channels = [array("I")] * self.num_channels
        for rank, team in enumerate(self._ranked):
            users = array("I", range(self.num_users))
            members = drawn_members(self._team_classes, rank, users, self._draw("team members", team))
            of_ranks.append(members)
            draw, first, shuffled = self._draw("channel members", team), team * self.channels_per_team, members[:]
            for number in range(self.channels_per_team):
                of_channels[first + number] = drawn_members(self._channel_classes, number, shuffled, draw)
        return by_user(of_ranks, self.num_users), by_user(of_channels, self.num_users)


def _scheme(chance: float, schemes: int, draw: Draw) -> int | None:
    """Draw whether something has a scheme, and which."""
    return below(schemes, draw) if schemes and draw() < chance else None


def _pair(number: int) -> tuple[int, int]:
    """Return the pair of that number among all pairs of different users: (0, 1), (0, 2), (1, 2), (0, 3)."""
    larger = (1 + isqrt(1 + 8 * number)) // 2
    return number - comb(larger, 2), larger
