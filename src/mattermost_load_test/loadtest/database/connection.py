"""Connections to Mattermost's database, and what its drivers' errors mean to a user.

Errors of SQLAlchemy, psycopg and PyMySQL end here: they become `DatabaseUnreachableError` (no connection, or it was
lost) or `DatabaseError` (the database refused), with the place, what was being done and what to do; never a secret.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pymysql
from pymysql.constants import CLIENT
from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from mattermost_load_test.errors import DatabaseError, DatabaseUnreachableError
from mattermost_load_test.loadtest.database.datasource import DataSource

APPLICATION_NAME = "mattermost-load-test"

_MYSQL_REFUSED_LOGIN = frozenset({1044, 1045, 1049, 1698})
"""Access to the database or for the user denied, unknown database (MySQL reference manual, server errors)."""
_MYSQL_LOST = frozenset({0, 1040, 1053, 1152, 1927, 2002, 2003, 2005, 2006, 2013, 2014, 2055, 4031})
"""Too many connections, shutdown, aborted, killed; the client's own errors of connecting and of lost connections."""


class Database:
    """Mattermost's database. Each `connect` is a connection of its own; nothing is kept open between them."""

    def __init__(self, source: DataSource) -> None:
        self.source = source
        self._engine = _engine(source)

    @property
    def is_postgres(self) -> bool:
        """Say whether this is PostgreSQL; else it is MySQL or MariaDB."""
        return self.source.driver == "postgres"

    @contextmanager
    def connect(self, doing: str) -> Iterator[Connection]:
        """Open a connection for `doing` (``writing posts``); transactions are begun on it by ``connection.begin()``.

        Raises `DatabaseUnreachableError` and `DatabaseError`, also for what goes wrong while it is used.
        """
        with translated(self.source, doing), self._engine.connect() as connection:
            yield connection

    def check(self) -> None:
        """Connect and do nothing; raises `DatabaseError` if that cannot be done."""
        with self.connect("looking whether it is there"):
            pass

    @contextmanager
    def transaction(self, doing: str) -> Iterator[Connection]:
        """Open a connection with a transaction that is committed at the end, or rolled back by any exception."""
        with self.connect(doing) as connection, connection.begin():
            yield connection


@contextmanager
def translated(source: DataSource, doing: str) -> Iterator[None]:
    """Turn errors of the database's drivers into ours; `doing` says what they interrupted."""
    try:
        yield
    except (SQLAlchemyError, psycopg.Error, pymysql.MySQLError) as error:
        cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
        raise _translation(source, doing, cause) from error


def _translation(source: DataSource, doing: str, cause: BaseException) -> DatabaseError:
    """Return our error for one of a driver."""
    said = _first_line(cause)
    if _is_login(cause):
        return DatabaseError(
            f"{source.place} refused the login of {source.user!r} to the database {source.database!r}: {said};"
            " check user, password and database in ConnectionConfiguration.DataSource"
        )
    if _is_connection(cause):
        return DatabaseUnreachableError(
            f"{source.place} cannot be reached, or the connection was lost, while {doing}: {said}; check that the"
            " database runs, that ConnectionConfiguration.DataSource and DriverName name it, and run the command again"
        )
    return DatabaseError(f"{source.place} refused while {doing}: {said}")


def _is_login(cause: BaseException) -> bool:
    """Say whether the database could be reached and did not let us in."""
    if isinstance(cause, pymysql.MySQLError):
        return _mysql_code(cause) in _MYSQL_REFUSED_LOGIN
    if isinstance(cause, psycopg.OperationalError) and cause.sqlstate is None:
        # while connecting, libpq hands on the server's words only, not its code
        return any(words in str(cause) for words in ("authentication failed", "FATAL:  role", "FATAL:  database"))
    return isinstance(cause, psycopg.Error) and (cause.sqlstate or "").startswith(("28", "3D"))


def _is_connection(cause: BaseException) -> bool:
    """Say whether there is no connection (any more)."""
    if isinstance(cause, pymysql.MySQLError):
        return _mysql_code(cause) in _MYSQL_LOST or isinstance(cause, pymysql.err.InterfaceError)
    if not isinstance(cause, psycopg.OperationalError):
        return isinstance(cause, psycopg.InterfaceError)
    return cause.sqlstate is None or cause.sqlstate.startswith(("08", "53300", "57P"))


def _mysql_code(cause: pymysql.MySQLError) -> int:
    """Return MySQL's number of an error; 0 where there is none, as for a connection that was closed."""
    return cause.args[0] if cause.args and isinstance(cause.args[0], int) else 0


def _first_line(cause: BaseException) -> str:
    """Return the driver's words without the statement and its values."""
    text = str(cause.args[1]) if isinstance(cause, pymysql.MySQLError) and len(cause.args) > 1 else str(cause)
    return text.strip().partition("\n")[0] or type(cause).__name__


def _engine(source: DataSource) -> Engine:
    """Return an engine whose URL holds nothing but the dialect: place and password are known to `creator` only."""
    postgres = source.driver == "postgres"

    def connect() -> Any:
        password = source.password.get_secret_value()
        if postgres:
            arguments = {"application_name": APPLICATION_NAME, **source.arguments}
            return psycopg.connect(password=password or None, **arguments)
        return pymysql.connect(password=password, client_flag=CLIENT.FOUND_ROWS, **source.arguments)

    return create_engine(
        "postgresql+psycopg://" if postgres else "mysql+pymysql://",
        creator=connect,
        poolclass=NullPool,
        isolation_level="READ COMMITTED",
        hide_parameters=True,
    )
