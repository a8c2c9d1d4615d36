"""Connections to real databases, and what is said when there is none."""

from __future__ import annotations

import socket
from collections.abc import Callable

import pytest
from pydantic import SecretStr
from sqlalchemy import text

from mattermost_load_test.errors import ConfigurationError, DatabaseError, DatabaseUnreachableError
from mattermost_load_test.loadtest.database.connection import Database
from mattermost_load_test.loadtest.database.datasource import parse
from mattermost_load_test.loadtest.database.schema import read_tables


def test_a_data_source_leads_to_its_database(database: Database) -> None:
    """The names that Mattermost's own configuration has connect to both databases."""
    with database.connect("asking") as connection:
        assert connection.execute(text("SELECT 1")).scalar_one() == 1


@pytest.mark.parametrize("form", ["postgres://mm:hidden@127.0.0.1:{}/mattermost", "mm:hidden@tcp(127.0.0.1:{})/x"])
def test_nothing_listens(form: str) -> None:
    """A port where nothing listens is an error with exit code 3 that names the place and keeps the password."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        database = Database(parse("mysql", SecretStr(form.format(port))))
        with pytest.raises(DatabaseUnreachableError, match=f"127.0.0.1:{port}") as caught, database.connect("asking"):
            pass
    assert caught.value.exit_code == 3
    assert "DataSource" in str(caught.value)
    assert "hidden" not in f"{caught.value} {caught.value!r} {database.source!r}"


@pytest.mark.parametrize(
    "name",
    [
        "postgres://mm:hid@den/x@db/mattermost",
        "postgres://mm:12?hidden@db/mattermost",
        "postgres://mm:hid/den@db/mattermost",
        "mm:hidden/mattermost",
        "mm@hidden(db)/mattermost",
        "mm:x@tcp(db:hidden)/mattermost",
    ],
)
def test_a_name_that_is_not_understood_is_not_shown(name: str) -> None:
    """Where a password may have ended up in another part of the name, no part of it is repeated."""
    with pytest.raises(ConfigurationError) as refused:
        parse("mysql", SecretStr(name))
    assert not [piece for piece in ("hid", "den") if piece in str(refused.value)]


@pytest.mark.parametrize("kind", ["postgres", "mysql"])
def test_an_unknown_database_is_refused(kind: str, request: pytest.FixtureRequest) -> None:
    """A database that is not there is told apart from a server that cannot be reached."""
    server = request.getfixturevalue(kind)
    forms = {"postgres": "postgres://mmuser@127.0.0.1:{}/nowhere", "mysql": "root@tcp(127.0.0.1:{})/nowhere"}
    database = Database(parse(kind, SecretStr(forms[kind].format(server.port))))
    with pytest.raises(DatabaseError, match="nowhere") as caught, database.connect("asking"):
        pass
    assert not isinstance(caught.value, DatabaseUnreachableError)


@pytest.mark.parametrize("kind", ["postgres-5.37", "mysql-5.37"])
def test_a_refused_statement_shows_no_values(kind: str, make_database: Callable[[str], Database]) -> None:
    """What the database refuses is told with its own words, without the values that were sent."""

    def ask(database: Database) -> None:
        with database.transaction("counting") as connection:
            connection.execute(text("SELECT :secret FROM nothing_of_the_kind"), {"secret": "hidden"})

    with pytest.raises(DatabaseError, match=r"while counting: .*nothing_of_the_kind") as caught:
        ask(make_database(kind))
    assert "hidden" not in str(caught.value)


def test_a_lost_connection_is_told(make_database: Callable[[str], Database]) -> None:
    """A connection that the server ends while it is used is a lost connection, not a refusal."""
    database = make_database("postgres-5.37")

    def work() -> None:
        with database.connect("ending it") as other, database.connect("working") as connection:
            own = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
            other.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": own})
            connection.execute(text("SELECT pg_sleep(10)"))

    with pytest.raises(DatabaseUnreachableError, match="lost, while working"):
        work()


def test_columns_are_read_under_lower_case_names(database: Database) -> None:
    """Both databases' columns come under the same names, and a version's own columns are seen."""
    with database.connect("reading") as connection:
        tables = read_tables(connection)
    assert {"createat", "rootid", "message"} <= set(tables["posts"].c.keys())
    assert tables.has("posts", "parentid") != tables.has("threads", "threadteamid")
    assert tables["channelmembers"].c.msgcount.name in {"msgcount", "MsgCount"}


@pytest.mark.parametrize("kind", ["postgres-5.37", "mysql-5.37"])
def test_a_foreign_database_is_noticed(kind: str, make_database: Callable[[str], Database]) -> None:
    """A database without the server's tables is refused before anything is written."""
    database = make_database(kind)
    with database.transaction("dropping") as connection:
        read_tables(connection)["posts"].drop(connection)
    with pytest.raises(DatabaseError, match="no table posts"), database.connect("reading") as connection:
        read_tables(connection)
