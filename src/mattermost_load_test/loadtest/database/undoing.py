"""Taking back what a load put into the tables, after its users were found not to work."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeVar

from sqlalchemy import Connection, and_, delete, or_

from mattermost_load_test.loadtest.database.connection import Database
from mattermost_load_test.loadtest.database.filling import Filled
from mattermost_load_test.loadtest.database.schema import OPTIONAL, REQUIRED, Tables, read_tables

AT_ONCE = 500
OF_A_USER = frozenset({"channelmemberhistory", "sidebarcategories", "sidebarchannels", "status"})
"""What a server may have made meanwhile for the users who were tried, beside what was written for them."""

T = TypeVar("T")


def undo(database: Database, filled: Filled, teams: Mapping[int, str]) -> None:
    """Delete what `filled` says was written, in one transaction; `teams` are the ids of the teams by index.

    Channel memberships of users who were there before are told by their time. Raises `DatabaseError`.
    """
    with database.transaction("taking the load back") as connection:
        tables = read_tables(connection, REQUIRED | OPTIONAL | OF_A_USER)
        new = [filled.accounts.ids[number] for number in filled.accounts.new]
        _delete(connection, tables, "sessions", "token", list(filled.tokens.values()))
        for name in ("sessions", "preferences", "channelmembers", "teammembers", *sorted(OF_A_USER)):
            _delete(connection, tables, name, "userid", new)
        _delete(connection, tables, "channelmembers", "channelid", filled.personal_ids)
        _delete(connection, tables, "channels", "id", filled.personal_ids)
        _delete_memberships(connection, tables, filled, teams)
        _delete(connection, tables, "users", "id", new)


def _delete(connection: Connection, tables: Tables, name: str, column: str, values: Sequence[str]) -> None:
    """Delete the rows of a table, where the server's version has it, whose column has one of the values."""
    if tables.has(name, column):
        for some in _some(values):
            connection.execute(delete(tables[name]).where(tables[name].c[column].in_(some)))


def _delete_memberships(connection: Connection, tables: Tables, filled: Filled, teams: Mapping[int, str]) -> None:
    """Delete the memberships that users got who were there before."""
    in_channels, in_teams = tables["channelmembers"], tables["teammembers"].c
    for channels in _some(filled.channel_ids):
        written = and_(in_channels.c.channelid.in_(channels), in_channels.c.lastupdateat == filled.stamp_ms)
        connection.execute(delete(in_channels).where(written))
    flat = filled.joined.old_users_teams
    pairs = [(teams[team], filled.accounts.ids[user]) for team, user in zip(flat[::2], flat[1::2], strict=True)]
    for some in _some(pairs):
        same = or_(*(and_(in_teams.teamid == team_id, in_teams.userid == user_id) for team_id, user_id in some))
        connection.execute(delete(tables["teammembers"]).where(same))


def _some(values: Sequence[T]) -> Iterator[Sequence[T]]:
    """Yield the values some at a time."""
    return (values[first : first + AT_ONCE] for first in range(0, len(values), AT_ONCE))
