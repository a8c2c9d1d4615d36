"""Locks in the database: one agent loads while the others wait.

A lock belongs to a connection: when its holder dies, the database ends the connection and the lock with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from psycopg.errors import LockNotAvailable
from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError

from mattermost_load_test.errors import OperationError

WAIT_S = 2 * 60 * 60
"""How long a lock is waited for at most."""

_TRY_S = 5
_PREFIX = "mattermost-load-test "


@contextmanager
def exclusive(connection: Connection, name: str, waiting: Callable[[], object]) -> Iterator[None]:
    """Hold the lock `name` on `connection`; while another holds it, `waiting` is called every five seconds.

    `waiting` may raise to give up. Raises `OperationError` after two hours.
    """
    take = _take_postgres if connection.dialect.name == "postgresql" else _take_mysql
    for _ in range(WAIT_S // _TRY_S):
        if take(connection, _PREFIX + name):
            break
        waiting()
    else:
        raise OperationError(f"another agent has held the lock {name!r} in the database for {WAIT_S // 3600} hours")
    try:
        yield
    finally:
        _release(connection, _PREFIX + name)


def _take_postgres(connection: Connection, name: str) -> bool:
    """Try for a while to take a lock of PostgreSQL."""
    try:
        with connection.begin():
            connection.execute(text(f"SET LOCAL lock_timeout = '{_TRY_S}s'"))
            connection.execute(text("SELECT pg_advisory_lock(hashtext(:name))"), {"name": name})
    except OperationalError as error:
        if isinstance(error.orig, LockNotAvailable):
            return False
        raise
    return True


def _take_mysql(connection: Connection, name: str) -> bool:
    """Try for a while to take a lock of MySQL."""
    with connection.begin():
        taken = text("SELECT GET_LOCK(:name, :wait_s)")
        return bool(connection.execute(taken, {"name": name, "wait_s": _TRY_S}).scalar_one() == 1)


def _release(connection: Connection, name: str) -> None:
    """Give the lock back, unless the connection is gone and the lock with it."""
    if connection.invalidated or connection.closed:
        return
    postgres = connection.dialect.name == "postgresql"
    with connection.begin():
        connection.execute(
            text("SELECT pg_advisory_unlock(hashtext(:name))" if postgres else "SELECT RELEASE_LOCK(:name)"),
            {"name": name},
        )
