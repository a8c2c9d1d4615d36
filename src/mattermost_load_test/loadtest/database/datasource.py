"""`DataSource` as Mattermost's own configuration has it: Go-style data source names of PostgreSQL and MySQL.

Understood are::

    postgres://user:password@host:5432/database?sslmode=disable&connect_timeout=10
    host=db.example port=5432 user=mmuser password='pass word' dbname=mattermost
    user:password@tcp(host:3306)/database?charset=utf8mb4,utf8&readTimeout=20s
    user:password@unix(/run/mysqld/mysqld.sock)/database

Passwords are `SecretStr` from here on, and no message holds one.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import unquote

from pydantic import SecretStr

from mattermost_load_test.errors import ConfigurationError
from mattermost_load_test.loadtest.database.postgres_names import postgres_parameters
from mattermost_load_test.loadtest.durations import seconds

Driver = Literal["postgres", "mysql"]

CONNECT_TIMEOUT_S = 20
"""How long connecting may take where the data source name does not say."""

STATEMENT_TIMEOUT_S = 600.0
"""What `readTimeout` and `writeTimeout` are raised to: they fit a server's queries, not a bulk load's."""

_POSTGRES_SCHEMES = ("postgres://", "postgresql://")
_KEEPALIVE = {"keepalives_idle": "30", "keepalives_interval": "10", "keepalives_count": "3"}


@dataclass(frozen=True, slots=True)
class DataSource:
    """Where a database is and as whom to connect; `arguments` are those of the driver's `connect`, secrets left out."""

    driver: Driver
    host: str
    port: int | None
    database: str
    user: str
    password: SecretStr
    arguments: Mapping[str, Any] = field(repr=False)

    @property
    def place(self) -> str:
        """Return where the database is, in words for messages: ``PostgreSQL at db.example:5432``."""
        kind = "PostgreSQL" if self.driver == "postgres" else "MySQL"
        port = f":{self.port}" if self.port is not None else ""
        return f"{kind} at {self.host}{port}"


def parse(driver_name: str, data_source: SecretStr) -> DataSource:
    """Return the parts of `data_source`, a name for `driver_name` (``postgres`` or ``mysql``).

    A URL that begins with ``postgres://`` is PostgreSQL's whatever `driver_name` says: that is the default too often.
    Raises `ConfigurationError` if the name cannot be understood.
    """
    text = data_source.get_secret_value().strip()
    if not text:
        raise ConfigurationError("ConnectionConfiguration.DataSource is empty: name Mattermost's database in it")
    if driver_name == "postgres" or text.startswith(_POSTGRES_SCHEMES):
        return _postgres(text)
    return _mysql(text)


def _problem(what: str) -> ConfigurationError:
    """Return the error for a name that is not understood; `what` must not quote the name, which holds a password."""
    return ConfigurationError(f"ConnectionConfiguration.DataSource: {what}")


def _postgres(text: str) -> DataSource:
    """Read a PostgreSQL name, either as a URL or as key=value pairs."""
    try:
        given = postgres_parameters(text)
    except ValueError as error:
        raise _problem(f"{error} (DriverName is postgres)") from None
    password = given.pop("password", "")
    host = given.get("host", given.get("hostaddr", "localhost"))
    port = given.get("port", "5432")
    return DataSource(
        driver="postgres",
        host=host,
        port=int(port) if port.isdecimal() and not host.startswith("/") else None,
        database=given.get("dbname", given.get("user", "")),
        user=given.get("user", ""),
        password=SecretStr(password),
        arguments={"connect_timeout": str(CONNECT_TIMEOUT_S), **_KEEPALIVE, "host": host, **given},
    )


def _mysql(text: str) -> DataSource:
    """Read a name of go-sql-driver/mysql: ``user:password@protocol(address)/database?parameter=value``."""
    before, slash, rest = text.rpartition("/")
    after, _, query = rest.partition("?")
    if not slash:
        raise _problem(
            "a MySQL name has the form user:password@tcp(host:3306)/database;"
            " for PostgreSQL set DriverName to postgres (a URL must begin with postgres://)"
        )
    login, _, net = before.rpartition("@")
    user, _, password = login.partition(":")
    host, port, arguments = _address(net)
    parameters = _mysql_parameters(query)
    return DataSource(
        driver="mysql",
        host=host,
        port=port,
        database=after,
        user=user,
        password=SecretStr(password),
        arguments={**arguments, **parameters, "database": after, "user": user},
    )


def _address(net: str) -> tuple[str, int | None, dict[str, Any]]:
    """Return host, port and driver arguments of ``tcp(host:port)``, ``unix(/path)``, or nothing (this host)."""
    protocol, bracket, rest = net.partition("(")
    if bracket and not rest.endswith(")"):
        raise _problem("a bracket is not closed in the address of a MySQL name: tcp(host:3306)")
    address = rest[:-1] if bracket else ""
    if protocol == "unix":
        path = address or "/tmp/mysql.sock"  # noqa: S108  # the Go driver's default
        return path, None, {"unix_socket": path}
    if protocol not in ("", "tcp", "tcp4", "tcp6"):
        raise _problem(
            "a MySQL name has a protocol with an address behind user:password@, tcp(host:3306) or unix(/path/to/socket)"
        )
    host, port = _host_and_port(address or "127.0.0.1")
    return host, port, {"host": host, "port": port}


def _host_and_port(address: str) -> tuple[str, int]:
    """Split ``host:port`` or ``[::1]:port``; the port is 3306 where none is given."""
    if address.startswith("["):
        host, _, after = address[1:].partition("]")
        port = after.removeprefix(":")
    else:
        host, _, port = address.partition(":")
    if port and not port.isdecimal():
        raise _problem("what follows the host's colon is no port number in the address of a MySQL name")
    return host, int(port or 3306)


def _mysql_parameters(query: str) -> dict[str, Any]:
    """Return what of a MySQL name's parameters concerns us, as arguments of PyMySQL; the others are Go's business."""
    given = dict(_pairs(query))
    found: dict[str, Any] = {"charset": given.get("charset", "utf8mb4").partition(",")[0]}
    try:
        connect_s = seconds(given.get("timeout", f"{CONNECT_TIMEOUT_S}s"))
        found["read_timeout"] = max(seconds(given.get("readTimeout", "0")), STATEMENT_TIMEOUT_S)
        found["write_timeout"] = max(seconds(given.get("writeTimeout", "0")), STATEMENT_TIMEOUT_S)
    except ValueError as error:
        raise _problem(f"{error} in a MySQL name's timeout, readTimeout or writeTimeout") from None
    found["connect_timeout"] = min(max(round(connect_s), 1), 3600) if connect_s else CONNECT_TIMEOUT_S
    tls = _tls(given.get("tls", "false"))
    if tls is not None:
        found["ssl"] = tls
    return found


def _pairs(query: str) -> list[tuple[str, str]]:
    """Return the parameters of a MySQL name; only their values are percent-encoded."""
    pairs = [item.partition("=") for item in query.split("&") if item]
    return [(name, unquote(value)) for name, _, value in pairs]


def _tls(mode: str) -> ssl.SSLContext | None:
    """Return the TLS context that the parameter `tls` asks for."""
    match mode.lower():
        case "false" | "0" | "preferred":
            return None
        case "true" | "1":
            return ssl.create_default_context()
        case "skip-verify":
            context = ssl.create_default_context()
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            return context
    raise _problem(f"tls={mode} names a configuration inside Mattermost; use true, skip-verify, preferred or false")
