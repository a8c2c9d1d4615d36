"""The database of a fleet: how Mattermost is told of it, and how many connections it allows."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import psycopg
import pymysql
from pydantic import SecretStr

from mattermost_load_test.errors import DatabaseUnreachableError
from mattermost_load_test.ltops.hosts.fleet import DatabaseEndpoints
from mattermost_load_test.ltops.ssh.connection import Connection
from mattermost_load_test.ltops.ssh.tunnels import tunnel

CONNECTIONS_MAX = 3000
"""Of one server, as in the original tool."""

CONNECTIONS_SPARE = 20
CONNECT_S = 20


def data_source(database: DatabaseEndpoints, address: str = "") -> SecretStr:
    """Return a data source as Mattermost and the agents read it; `address` is another one of the same database."""
    host = address or database.address
    password = database.password.get_secret_value()
    if database.driver == "postgres":
        login = f"{quote(database.user, safe='')}:{quote(password, safe='')}"
        where = f"{host}:{database.port}/{database.name}"
        return SecretStr(f"postgres://{login}@{where}?sslmode=require&connect_timeout=10")
    options = "charset=utf8mb4,utf8&readTimeout=30s&writeTimeout=30s"
    return SecretStr(f"{database.user}:{password}@tcp({host}:{database.port})/{database.name}?{options}")


def readers(database: DatabaseEndpoints) -> tuple[SecretStr, ...]:
    """Return the data sources of its replicas: one, behind which they all stand."""
    return (data_source(database, database.reader_address),) if database.readers else ()


def connections_allowed(database: DatabaseEndpoints, by: Connection) -> int:
    """Return how many connections the database takes, asked of itself through a host that reaches it.

    Raises `DatabaseUnreachableError`, `HostError`.
    """
    with tunnel(by, database.address, database.port) as address:
        host, _, port = address.rpartition(":")
        ask = _ask_postgres if database.driver == "postgres" else _ask_mysql
        try:
            return int(ask(database, host, int(port)))
        except (psycopg.Error, pymysql.Error) as error:
            said = str(error).strip().splitlines()[0]
            raise DatabaseUnreachableError(
                f"the database {database.address}:{database.port} does not let in {database.user}: {said}"
            ) from error


def share(allowed: int, servers: int) -> int:
    """Return how many connections each of some servers may open, so that all of them fit the database."""
    return max(1, min(CONNECTIONS_MAX, (allowed - CONNECTIONS_SPARE) // servers))


def _ask_postgres(database: DatabaseEndpoints, host: str, port: int) -> Any:
    with psycopg.connect(
        host=host,
        port=port,
        user=database.user,
        password=database.password.get_secret_value(),
        dbname=database.name,
        connect_timeout=CONNECT_S,
        sslmode="require",
    ) as connection:
        row = connection.execute("SHOW max_connections").fetchone()
        return row[0] if row else 0


def _ask_mysql(database: DatabaseEndpoints, host: str, port: int) -> Any:
    connection = pymysql.connect(
        host=host,
        port=port,
        user=database.user,
        password=database.password.get_secret_value(),
        database=database.name,
        connect_timeout=CONNECT_S,
    )
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT @@max_connections")
        row = cursor.fetchone()
        return row[0] if row else 0
