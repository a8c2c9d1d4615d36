"""The population put into the tables, in one transaction."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, select

from mattermost_load_test.errors import OperationError
from mattermost_load_test.loadtest.database.accounts import Accounts, write_accounts
from mattermost_load_test.loadtest.database.connection import Database
from mattermost_load_test.loadtest.database.joining import Extent, Grounds, Joined, MembershipWriter
from mattermost_load_test.loadtest.database.locks import exclusive
from mattermost_load_test.loadtest.database.patterns import Pattern, read_patterns
from mattermost_load_test.loadtest.database.personal import PersonalWriter
from mattermost_load_test.loadtest.database.schema import Tables, read_tables
from mattermost_load_test.loadtest.database.sessions import living, write_sessions
from mattermost_load_test.loadtest.population.population import Population

LOCK = "bulk load"
MOST_TEAMS_CHECKED = 1000
DEFAULT_CHANNELS = ("town-square", "off-topic")
"""What everybody in a team is in; the first one always, the other where the server puts its template into it."""

Progress = Callable[[int, int], object]
"""Told how many of how many rows are written."""


@dataclass(frozen=True, slots=True)
class Template:
    """A user that the server made itself over REST, in a team, and logged in: the pattern of all others."""

    user_id: str
    team_id: str


@dataclass(frozen=True, slots=True)
class SessionWish:
    """Which users, by number, are to have a session; `kept` are the tokens they have, which may be dead by now."""

    users: Sequence[int] = ()
    kept: Mapping[int, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Filled:
    """What was written: the accounts, the memberships, the ids of direct and group channels, and sessions.

    `channel_ids` are all channels of teams that users are in. `tokens` are the new sessions' by the user's number; a
    secret each. `stamp_ms` is when it was.
    """

    accounts: Accounts
    joined: Joined
    channel_ids: Sequence[str]
    personal_ids: Sequence[str]
    tokens: Mapping[int, str] = field(repr=False)
    stamp_ms: int

    @property
    def anything(self) -> bool:
        """Say whether anything was missing."""
        return bool(self.accounts.new or self.joined.teams or self.joined.channels or self.personal_ids or self.tokens)


def check_database(database: Database, team_ids: Collection[str]) -> None:
    """Raise `OperationError` unless the teams of these ids, which the server has, are in the database."""
    asked = list(team_ids)[:MOST_TEAMS_CHECKED]
    with database.connect("looking for the server's teams") as connection:
        teams = read_tables(connection)["teams"]
        found = set(connection.execute(select(teams.c.id).where(teams.c.id.in_(asked))).scalars())
    if len(found) < len(asked):
        raise OperationError(
            f"{database.source.place} has {len(found)} of {len(asked)} teams that the server has: DataSource"
            f" ({database.source.database!r}) is not the database of the server at ServerURL"
        )


def fill(
    database: Database,
    population: Population,
    teams: Mapping[int, str],
    channels: Mapping[int, str],
    template: Template,
    wish: SessionWish,
    progress: Progress,
    waiting: Callable[[], object],
) -> Filled:
    """Write what is missing of the population, in one transaction; what is there stays as it is.

    `teams` are the ids of its teams and `channels` those of its channels, by index. `waiting` is called now and then
    while another agent does the same. Raises `DatabaseError` and `OperationError`; nothing is written then.
    """
    doing = "loading the population"
    with database.connect(doing) as connection, exclusive(connection, LOCK, waiting), connection.begin():
        tables = read_tables(connection)
        return _Fill(connection, tables, population, template, wish, progress).run(teams, channels)


class _Fill:
    """A load under way, in its transaction."""

    def __init__(
        self,
        connection: Connection,
        tables: Tables,
        population: Population,
        template: Template,
        wish: SessionWish,
        progress: Progress,
    ) -> None:
        self._connection = connection
        self._tables = tables
        self._population = population
        self._template = template
        self._wish = wish
        self._progress = progress
        self._now_ms = int(time.time() * 1000)
        self._done = 0
        self._total = rows_of(population) + len(wish.users)

    def run(self, teams: Mapping[int, str], channels: Mapping[int, str]) -> Filled:
        """Write all."""
        connection, tables, population = self._connection, self._tables, self._population
        template_id = self._template.user_id
        accounts = write_accounts(connection, tables, template_id, population.num_users, self._now_ms, self._count)
        team_pattern = self._pattern("teammembers", userid=template_id, teamid=self._template.team_id)
        defaults = self._defaults(teams)
        own_default = next(iter(defaults.values()))[0]
        member_pattern = self._pattern("channelmembers", channelid=own_default, userid=template_id)
        everywhere = [*channels.values(), *(channel_id for ids in defaults.values() for channel_id in ids)]
        grounds = Grounds(teams, channels, defaults, _extents(connection, tables, everywhere))
        members = MembershipWriter(connection, tables, team_pattern, member_pattern, self._now_ms)
        joined = members.write(population, grounds, accounts, self._count)
        personal = PersonalWriter(
            connection, tables, self._pattern("channels", id=own_default), member_pattern, self._now_ms
        )
        personal.write(population, accounts.ids, self._count)
        tokens = self._sessions(accounts)
        self._progress(self._total, self._total)
        return Filled(accounts, joined, everywhere, personal.made_ids(), tokens, self._now_ms)

    def _count(self, rows: int) -> None:
        """Tell that more rows are written."""
        self._done += rows
        self._progress(min(self._done, self._total), self._total)

    def _pattern(self, table: str, **where: str) -> Pattern:
        """Return the row that is the pattern of a table."""
        rows = read_patterns(self._connection, self._tables, table, **where)
        if not rows:
            raise OperationError(
                f"the database's table {table} has no row for the user that was put into a team over REST just now;"
                " is the database of DataSource a copy that lags behind?"
            )
        return rows[0]

    def _defaults(self, teams: Mapping[int, str]) -> dict[int, list[str]]:
        """Return the ids of the channels that everybody in a team is in, by the team's index, the template's own first.

        They are those that the server put the template into.
        """
        channels, members = self._tables["channels"].c, self._tables["channelmembers"].c
        joined = (
            select(channels.name)
            .join_from(self._tables["channels"], self._tables["channelmembers"], channels.id == members.channelid)
            .where(members.userid == self._template.user_id, channels.teamid == self._template.team_id)
            .where(channels.name.in_(DEFAULT_CHANNELS))
        )
        names = set(self._connection.execute(joined).scalars())
        order = sorted(teams, key=lambda index: teams[index] != self._template.team_id)
        found: dict[int, list[str]] = {index: [] for index in order}
        indices = {team_id: index for index, team_id in teams.items()}
        asked = select(channels.teamid, channels.id).where(channels.name.in_(names), channels.deleteat == 0)
        for team_id, channel_id in self._connection.execute(asked.order_by(channels.name.desc())):
            if team_id in indices:
                found[indices[team_id]].append(channel_id)
        if not names or not all(found.values()):
            raise OperationError("a team of the population has no town square in the database")
        return found

    def _sessions(self, accounts: Accounts) -> dict[int, str]:
        """Write the sessions that are wanted and return the new tokens by user."""
        alive = living(self._connection, self._tables, self._wish.kept, self._now_ms)
        gone = alive | accounts.inactive  # a deactivated user's session would be ended
        users = [user for user in self._wish.users if user not in gone]
        if not users:
            return {}
        tokens = write_sessions(
            self._connection,
            self._tables,
            self._template.user_id,
            [accounts.ids[user] for user in users],
            self._now_ms,
            self._count,
        )
        return dict(zip(users, tokens, strict=True))


def rows_of(population: Population) -> int:
    """Return about how many rows the whole population has."""
    environment = population.environment
    personal = environment.num_direct_message_channels + environment.num_group_message_channels
    return population.num_users + 3 * population.num_team_memberships + population.num_channel_memberships + personal


def _extents(connection: Connection, tables: Tables, channel_ids: Sequence[str]) -> dict[str, Extent]:
    """Return how much the channels hold; those without a post are left out."""
    columns = tables["channels"].c
    roots = columns.totalmsgcountroot if "totalmsgcountroot" in columns else columns.totalmsgcount
    asked = select(columns.id, columns.totalmsgcount, roots, columns.lastpostat).where(columns.totalmsgcount > 0)
    wanted = set(channel_ids)
    return {
        channel_id: Extent(posts, root_posts or 0, last_ms or 0)
        for channel_id, posts, root_posts, last_ms in connection.execute(asked)
        if channel_id in wanted
    }
