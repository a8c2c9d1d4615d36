"""Memberships of teams and channels in the database: all of new users, of the others those that are missing."""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, select, update

from mattermost_load_test.loadtest.database.accounts import Accounts
from mattermost_load_test.loadtest.database.patterns import Pattern, writer
from mattermost_load_test.loadtest.database.schema import Tables
from mattermost_load_test.loadtest.database.writing import Count, RowWriter, Value, counted
from mattermost_load_test.loadtest.population import Population

USERS_AT_ONCE = 200
"""So many users' memberships are looked up at once: up to some ten thousand rows."""


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
        for first in range(0, len(old), USERS_AT_ONCE):
            self._write_missing(population, grounds, accounts, old[first : first + USERS_AT_ONCE], count)
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

    def _write_missing(
        self, population: Population, grounds: Grounds, accounts: Accounts, users: Sequence[int], count: Count
    ) -> None:
        """Write the memberships that some users lack."""
        ids = accounts.ids
        own = [ids[user] for user in users]
        self._bring_back(self._team_ids, own)
        in_teams = self._present("teammembers", "teamid", own)
        in_channels = self._present("channelmembers", "channelid", own)
        missing = [
            (team, user)
            for user in users
            for team in population.teams_of(user)
            if team in grounds.teams and (grounds.teams[team], ids[user]) not in in_teams
        ]
        for team, user in missing:
            self.joined.old_users_teams.extend((team, user))
        self.joined.teams += self._teams.write((grounds.teams[team], ids[user]) for team, user in missing)
        self.joined.channels += self._channels.write(
            member_row(channel_id, ids[user], grounds.extents)
            for user in users
            for channel_id in wanted_channels(population, grounds, user)
            if (channel_id, ids[user]) not in in_channels
        )
        count(sum(3 * len(population.teams_of(user)) + len(population.channels_of(user)) for user in users))

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
