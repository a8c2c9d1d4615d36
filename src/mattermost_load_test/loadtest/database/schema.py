"""The server's tables as they are: read from the database, since every version of the server has other columns.

Names are lower-case here, whichever the database has: PostgreSQL's tables are ``channelmembers`` with ``msgcount``,
MySQL's ``ChannelMembers`` with ``MsgCount``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, MetaData, Table, inspect

from mattermost_load_test.errors import DatabaseError

REQUIRED = frozenset({"channelmembers", "channels", "posts", "teammembers", "teams", "users"})
"""Without these it is no Mattermost's database."""

OPTIONAL = frozenset({"preferences", "sessions", "threadmemberships", "threads"})
"""Written to where the server's version has them (threads came with 5.27)."""


class Tables:
    """Tables by lower-case name; their columns stand under lower-case keys: ``tables["posts"].c.createat``."""

    def __init__(self, tables: Mapping[str, Table]) -> None:
        self._tables = tables

    def __getitem__(self, name: str) -> Table:
        return self._tables[name]

    def __contains__(self, name: object) -> bool:
        return name in self._tables

    def has(self, table: str, column: str) -> bool:
        """Say whether there is such a column."""
        return table in self._tables and column in self._tables[table].c


def read_tables(connection: Connection, names: Iterable[str] = REQUIRED | OPTIONAL) -> Tables:
    """Read the columns of the tables `names` (lower-case); one that is not there is left out unless it is required.

    Raises `DatabaseError` if the database is no Mattermost's.
    """
    here = {name.lower(): name for name in inspect(connection).get_table_names()}
    missing = sorted(REQUIRED - here.keys())
    if missing:
        raise DatabaseError(
            f"the database has no table {', '.join(missing)}: it is not Mattermost's, or the server has never been"
            " started; check the database's name in ConnectionConfiguration.DataSource"
        )
    metadata = MetaData()
    return Tables({name: _read(connection, metadata, here[name]) for name in sorted(set(names) & here.keys())})


def _read(connection: Connection, metadata: MetaData, name: str) -> Table:
    """Read one table."""

    def lower_key(_inspector: Any, _table: Any, column: dict[str, Any]) -> None:
        column["key"] = column["name"].lower()

    return Table(name, metadata, autoload_with=connection, resolve_fks=False, listeners=[("column_reflect", lower_key)])
