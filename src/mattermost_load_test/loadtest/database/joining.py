"""Memberships of teams and channels in the database: all of new users, of the others those that are missing."""

from __future__ import annotations

import secrets
from array import array
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from sqlalchemy import BigInteger, Connection, func, literal, select, union_all, update

from mattermost_load_test.loadtest.database.accounts import Accounts
from mattermost_load_test.loadtest.database.patterns import Pattern, writer
from mattermost_load_test.loadtest.database.schema import Tables
from mattermost_load_test.loadtest.database.writing import Count, RowWriter, Value, counted
from mattermost_load_test.loadtest.population.population import Population

T = TypeVar("T")

AT_ONCE = 200
"""So many users' memberships are looked up at once, up to some ten thousand rows, and so many channels' weights."""

_WEIGHT_BITS = 48


@dataclass(frozen=True, slots=True)
class Extent:
    """How much a channel holds: what somebody who has just read it has read."""

    posts: int = 0
    roots: int = 0
    last_post_ms: int = 0


@dataclass(frozen=True, slots=True)
class Grounds:
    """Where the population's users go: ids of teams and channels by the population's index, and what else they join.

    `defaults` are, by team, the ids of the channels that everybody in it is in. `extents` are channels by id.
    """

    teams: Mapping[int, str]
    channels: Mapping[int, str]
    defaults: Mapping[int, Sequence[str]]
    extents: Mapping[str, Extent]


@dataclass(slots=True)
class Joined:
    """What was written: counts, and the team memberships of users who were there before (team, user, team, user …)."""

    teams: int = 0
    channels: int = 0
    old_users_teams: array[int] = field(default_factory=lambda: array("I"))


class MembershipWriter:
    """Writes memberships like those of `team_pattern` and `channel_pattern`, all at `now_ms`."""

    def __init__(
        self, connection: Connection, tables: Tables, team_pattern: Pattern, channel_pattern: Pattern, now_ms: int
    ) -> None:
        self._connection = connection
        self._tables = tables
        self._teams = writer(
            connection,
            tables,
            "teammembers",
            team_pattern,
            ("teamid", "userid"),
            deleteat=0,
            createat=now_ms,
            schemeadmin=False,
        )
        self._channels = channel_member_writer(connection, tables, channel_pattern, now_ms)
        self._team_ids: frozenset[str] = frozenset()
        self.joined = Joined()

    def write(self, population: Population, grounds: Grounds, accounts: Accounts, count: Count) -> Joined:
        """Write what is missing; users who left a team or channel come back."""
        self._team_ids = frozenset(grounds.teams.values())
        self._write_new(population, grounds, accounts, count)
        old = sorted(set(range(len(accounts.ids))) - set(accounts.new))
        self._write_missing_teams(population, grounds, accounts, old, count)
        incomplete = self._incomplete(population, grounds, accounts, old)
        for some in _some(incomplete):
            self._write_missing_channels(population, grounds, accounts, some)
        count(sum(2 * len(population.teams_of(user)) + len(population.channels_of(user)) for user in old))
        return self.joined

    def _write_new(self, population: Population, grounds: Grounds, accounts: Accounts, count: Count) -> None:
        """Write all memberships of the new users."""
        ids = accounts.ids
        teams = (
            (grounds.teams[team], ids[user])
            for user in accounts.new
            for team in population.teams_of(user)
            if team in grounds.teams
        )
        self.joined.teams += self._teams.write(counted(teams, count))
        channels = (
            member_row(channel_id, ids[user], grounds.extents)
            for user in accounts.new
            for channel_id in wanted_channels(population, grounds, user)
        )
        self.joined.channels += self._channels.write(counted(channels, count))

    def _write_missing_teams(
        self, population: Population, grounds: Grounds, accounts: Accounts, users: Sequence[int], count: Count
    ) -> None:
        """Write the memberships of teams that users lack."""
        ids = accounts.ids
        for some in _some(users):
            own = [ids[user] for user in some]
            self._bring_back(self._team_ids, own)
            in_teams = self._present("teammembers", "teamid", own)
            missing = [
                (team, user)
                for user in some
                for team in population.teams_of(user)
                if team in grounds.teams and (grounds.teams[team], ids[user]) not in in_teams
            ]
            for team, user in missing:
                self.joined.old_users_teams.extend((team, user))
            self.joined.teams += self._teams.write((grounds.teams[team], ids[user]) for team, user in missing)
            count(sum(len(population.teams_of(user)) for user in some))

    def _incomplete(
        self, population: Population, grounds: Grounds, accounts: Accounts, users: Sequence[int]
    ) -> list[int]:
        """Return the users who are not in just those channels that they should be in, as far as the database can tell.

        Each channel has a random weight. The database adds up the weights of the channels that a user is in, so that
        one number for each user comes from it instead of all memberships.
        """
        if not users:
            return []
        ids = accounts.ids
        places = {*grounds.channels.values(), *(one for ones in grounds.defaults.values() for one in ones)}
        weights = {place: secrets.randbits(_WEIGHT_BITS) for place in places}
        found = self._weights_by_user(weights)
        return [
            user
            for user in users
            if found.get(ids[user], 0) != sum(weights[one] for one in wanted_channels(population, grounds, user))
        ]

    def _weights_by_user(self, weights: Mapping[str, int]) -> dict[str, int]:
        """Return the sum of the weights of the channels that each user is in."""
        members = self._tables["channelmembers"].c
        found: dict[str, int] = {}
        for some in _some(list(weights)):
            rows = [
                select(literal(place).label("place"), literal(weights[place], BigInteger).label("weight"))
                for place in some
            ]
            weighted = union_all(*rows).subquery()
            asked = (
                select(members.userid, func.sum(weighted.c.weight))
                .join_from(weighted, self._tables["channelmembers"], weighted.c.place == members.channelid)
                .group_by(members.userid)
            )
            for user_id, weight in self._connection.execute(asked):
                found[user_id] = found.get(user_id, 0) + int(weight)
        return found

    def _write_missing_channels(
        self, population: Population, grounds: Grounds, accounts: Accounts, users: Sequence[int]
    ) -> None:
        """Write the memberships of channels that some users lack."""
        ids = accounts.ids
        in_channels = self._present("channelmembers", "channelid", [ids[user] for user in users])
        self.joined.channels += self._channels.write(
            member_row(channel_id, ids[user], grounds.extents)
            for user in users
            for channel_id in wanted_channels(population, grounds, user)
            if (channel_id, ids[user]) not in in_channels
        )

    def _bring_back(self, team_ids: Collection[str], user_ids: Sequence[str]) -> None:
        """Let users who left teams of these ids be in them again; their rows stayed, marked."""
        members = self._tables["teammembers"]
        columns = members.c
        left = select(columns.teamid, columns.userid).where(columns.userid.in_(user_ids), columns.deleteat != 0)
        for team_id, user_id in self._connection.execute(left).all():
            if team_id in team_ids:
                same = (columns.teamid == team_id) & (columns.userid == user_id)
                self._connection.execute(update(members).where(same).values({columns.deleteat: 0}))

    def _present(self, table: str, place: str, user_ids: Sequence[str]) -> set[tuple[str, str]]:
        """Return the places and users of the memberships that are there."""
        columns = self._tables[table].c
        found = self._connection.execute(select(columns[place], columns.userid).where(columns.userid.in_(user_ids)))
        return {(place_id, user_id) for place_id, user_id in found}


def _some(numbers: Sequence[T]) -> Iterator[Sequence[T]]:
    """Yield them some at a time."""
    return (numbers[first : first + AT_ONCE] for first in range(0, len(numbers), AT_ONCE))


def channel_member_writer(connection: Connection, tables: Tables, pattern: Pattern, now_ms: int) -> RowWriter:
    """Return a writer of channel members, whose rows `member_row` makes."""
    return writer(
        connection,
        tables,
        "channelmembers",
        pattern,
        ("channelid", "userid", "msgcount", "msgcountroot", "lastviewedat"),
        lastupdateat=now_ms,
        schemeadmin=False,
        mentioncount=0,
        mentioncountroot=0,
        urgentmentioncount=0,
    )


def wanted_channels(population: Population, grounds: Grounds, user: int) -> Iterator[str]:
    """Yield the ids of the channels of teams that a user should be in."""
    for team in population.teams_of(user):
        yield from grounds.defaults.get(team, ())
    channels = grounds.channels
    for index in population.channels_of(user):
        if index in channels:
            yield channels[index]


def member_row(channel_id: str, user_id: str, extents: Mapping[str, Extent]) -> tuple[Value, ...]:
    """Return the row of a member who has read the channel as it is."""
    extent = extents.get(channel_id, _EMPTY)
    return channel_id, user_id, extent.posts, extent.roots, extent.last_post_ms


_EMPTY = Extent()
