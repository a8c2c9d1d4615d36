"""Databases of Debian for these tests: skipped where they are not installed, unless in CI."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.loadtest.database.servers import NotInstalledError, running

from mattermost_load_test.loadtest.database.connection import Database


def _running(kind: str) -> Iterator[Any]:
    """Run a server, or skip with the command that installs it."""
    try:
        context = running(kind)
        server = context.__enter__()
    except NotInstalledError as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(str(error))
    try:
        yield server
    finally:
        context.__exit__(None, None, None)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Any]:
    """Give a running PostgreSQL."""
    yield from _running("postgres")


@pytest.fixture(scope="session")
def mysql() -> Iterator[Any]:
    """Give a running MariaDB."""
    yield from _running("mysql")


_numbers = itertools.count()
KINDS = ("postgres-5.37", "postgres-11.6", "mysql-5.37")

MakeDatabase = Callable[[str], Database]


@pytest.fixture
def make_database(request: pytest.FixtureRequest) -> MakeDatabase:
    """Give a maker of databases with a server's empty tables, by kind: ``postgres-11.6``."""

    def make(kind: str) -> Database:
        driver, _, version = kind.partition("-")
        return Database(request.getfixturevalue(driver).create(f"mattermost{next(_numbers)}", version))

    return make


@pytest.fixture(params=KINDS)
def database(request: pytest.FixtureRequest, make_database: MakeDatabase) -> Database:
    """Give a new database with a server's empty tables: each version, each kind of database."""
    return make_database(request.param)


@pytest.fixture
def mortal_postgres() -> Iterator[Any]:
    """Give a PostgreSQL of the test's own, which it may kill."""
    yield from _running("postgres")


@pytest.fixture
def mortal_mysql() -> Iterator[Any]:
    """Give a MariaDB of the test's own, which it may kill."""
    yield from _running("mysql")
