"""A database that only a host reaches: a real MariaDB, asked through a real OpenSSH."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pydantic import SecretStr
from tests.loadtest.database.servers import Maria

from mattermost_load_test.errors import DatabaseUnreachableError
from mattermost_load_test.loadtest.database.datasource import parse
from mattermost_load_test.ltops.hosts.database import connections_allowed, data_source
from mattermost_load_test.ltops.hosts.fleet import DatabaseEndpoints
from mattermost_load_test.ltops.ssh.connection import Connection

PASSWORD = "mos@t/est"


def test_a_mysql_says_how_many_connections_it_allows(connection: Connection, maria: Maria) -> None:
    """It is asked by what Mattermost is told of it; a password that is wrong is told by name, but never itself."""
    maria.create("asked", "5.37")
    here = "127.0.0.1"
    database = DatabaseEndpoints("mysql", here, here, 0, maria.port, "asked", "mmuser", SecretStr(PASSWORD))
    assert connections_allowed(database, connection) == 151  # MariaDB's default
    source = parse("mysql", data_source(database))
    assert (source.host, source.port, source.database, source.user) == (here, maria.port, "asked", "mmuser")
    assert source.password.get_secret_value() == PASSWORD
    wrong = replace(database, password=SecretStr("another word"))
    with pytest.raises(
        DatabaseUnreachableError, match=f"database 127.0.0.1:{maria.port} does not let in mmuser"
    ) as told:
        connections_allowed(wrong, connection)
    assert "another word" not in str(told.value)
