"""The table `LoadtestInstances` in Mattermost's database: which agents run a test now, each with an index of its own.

The table is that of the original tool, columns included. An agent renews its row now and then; a row that was not
renewed for too long is that of a dead agent, and its index is free. All times are the database's, so that the agents'
own clocks need not agree.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import pymysql
from psycopg.errors import DeadlockDetected, DuplicateObject, DuplicateTable
from sqlalchemy import BigInteger, Column, Connection, Integer, MetaData, String, Table, inspect, literal_column, select
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.schema import CreateTable

from mattermost_load_test.errors import OperationError
from mattermost_load_test.loadtest.database.connection import Database
from mattermost_load_test.loadtest.database.datasource import DataSource

EXPIRED_AFTER_S = 120.0
"""A row that is older is that of a dead agent: four heartbeats of 30 s, as in the original."""

_PATIENCE_S = 15
"""How long the database may take to connect, and to answer: far less than a row lives."""

_ATTEMPTS = 50
"""How often another agent may be faster in taking an index, or in making the table, before something is wrong."""

_MYSQL_DEADLOCK = 1213
"""MySQL ends one of two transactions that wait for each other (MySQL reference manual, server errors)."""

_NOW_MS = {
    "postgresql": "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)",
    "mysql": "CAST(UNIX_TIMESTAMP(SYSDATE(3)) * 1000 AS SIGNED)",
}


@dataclass(frozen=True, slots=True)
class Instance:
    """The row of a running agent: its index, and when the oldest of them began, in ms since 1970: alike for all."""

    index: int
    run_started_ms: int


class InstanceTable:
    """The table of running agents. Every method raises `DatabaseError`, within half a minute at most."""

    def __init__(self, source: DataSource, expired_after_s: float = EXPIRED_AFTER_S) -> None:
        self._database = Database(_impatient(source))
        self._expired_after_ms = round(expired_after_s * 1000)
        self._table = _table("loadtestinstances" if self._database.is_postgres else "LoadtestInstances")

    def join(self, instance_id: str) -> Instance:
        """Take the least index that no running agent has; the table is made where there is none."""
        with self._database.connect("taking a place among the agents (table LoadtestInstances)") as connection:
            for _ in range(_ATTEMPTS):
                try:
                    with connection.begin():
                        connection.execute(CreateTable(self._table, if_not_exists=True))
                    with connection.begin():
                        return self._insert(connection, instance_id)
                except DBAPIError as error:
                    if not _was_slower(error):
                        raise
            raise OperationError("other agents took every place among the agents that this one tried to take")

    def _insert(self, connection: Connection, instance_id: str) -> Instance:
        """Remove the dead, and add a row beside those of the living."""
        columns = self._table.c
        now_ms: int = connection.execute(select(_now_ms(connection))).scalar_one()
        connection.execute(self._table.delete().where(columns.activeat <= now_ms - self._expired_after_ms))
        living = connection.execute(self._table.select()).all()
        index = _least_free([row.idx for row in living])
        started_ms = min([now_ms, *(row.createat for row in living)])
        row = {"id": instance_id, "createat": started_ms, "activeat": now_ms, "idx": index}
        connection.execute(self._table.insert().values(row))
        return Instance(index, started_ms)

    def renew(self, instance_id: str) -> bool:
        """Renew an agent's row, and say whether it was still there: else another agent may have its index by now."""
        with self._database.transaction("telling that this agent runs (table LoadtestInstances)") as connection:
            own = self._table.update().where(self._table.c.id == instance_id)
            return connection.execute(own.values(activeat=_now_ms(connection))).rowcount == 1

    def leave(self, instance_id: str) -> None:
        """Remove an agent's row, so that its index is free at once."""
        with self._database.transaction("leaving the agents (table LoadtestInstances)") as connection:
            connection.execute(self._table.delete().where(self._table.c.id == instance_id))

    def next_index(self) -> int:
        """Return the index that the next agent would take; nothing is changed."""
        with self._database.connect("looking for running agents (table LoadtestInstances)") as connection:
            if not inspect(connection).has_table(self._table.name):
                return 0
            columns = self._table.c
            alive = columns.activeat > _now_ms(connection) - self._expired_after_ms
            return _least_free(
                connection.scalars(self._table.select().with_only_columns(columns.idx).where(alive)).all()
            )


def _table(name: str) -> Table:
    """Return the table under the name that it has in this kind of database."""
    return Table(
        name,
        MetaData(),
        Column("id", String(26), primary_key=True),
        Column("createat", BigInteger),
        Column("activeat", BigInteger),
        Column("idx", Integer, unique=True),
    )


def _now_ms(connection: Connection) -> Any:
    """Return the database's time as an expression."""
    return literal_column(_NOW_MS[connection.dialect.name], BigInteger)


def _was_slower(error: DBAPIError) -> bool:
    """Say whether another agent took the index, or made the table, in the same moment."""
    if isinstance(error, IntegrityError):
        return True
    if isinstance(error.orig, pymysql.MySQLError):
        return error.orig.args[:1] == (_MYSQL_DEADLOCK,)
    return isinstance(error.orig, DeadlockDetected | DuplicateObject | DuplicateTable)


def _least_free(taken: Sequence[int]) -> int:
    """Return the least index that is not taken."""
    return next(index for index in range(len(taken) + 1) if index not in taken)


def _impatient(source: DataSource) -> DataSource:
    """Return `source` with short deadlines: a database that hangs must not outlast an agent's place."""
    bounds: dict[str, Any] = {"connect_timeout": _PATIENCE_S, "read_timeout": _PATIENCE_S, "write_timeout": _PATIENCE_S}
    if source.driver == "postgres":
        options = f"{source.arguments.get('options', '')} -c statement_timeout={_PATIENCE_S * 1000}".strip()
        bounds = {"connect_timeout": str(_PATIENCE_S), "tcp_user_timeout": str(_PATIENCE_S * 1000), "options": options}
    return replace(source, arguments={**source.arguments, **bounds})
