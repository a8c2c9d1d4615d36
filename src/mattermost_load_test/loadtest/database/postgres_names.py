"""Data source names of PostgreSQL as Go's drivers take them, turned into what libpq takes.

libpq refuses parameters that it does not know, where Go's drivers hand them to the server as run-time settings or keep
them for themselves; here the latter are dropped and the former become ``options=-c name=value``.
"""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, unquote

from psycopg import pq

_DRIVER_OWN = frozenset(
    {
        "binary_parameters",
        "disable_prepared_binary_result",
        "default_query_exec_mode",
        "statement_cache_capacity",
        "statement_cache_mode",
        "description_cache_capacity",
        "prefer_simple_protocol",
    }
)
"""Parameters that lib/pq and pgx keep for themselves (both drivers' documentation), and all `pool_…` of pgxpool."""

_PAIR = re.compile(r"\s*([A-Za-z_]\w*)\s*=\s*(?:'((?:[^'\\]|\\.)*)'|((?:[^\s'\\]|\\.)*))(?=\s|$)", re.DOTALL)
_BLANK_OR_BACKSLASH = re.compile(r"([\\\s])")
_UNENCODED = "characters such as @ : / # ? in a password must be percent-encoded in a URL"
_ESCAPED = r"\\\1"
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)


def postgres_parameters(text: str) -> dict[str, str]:
    """Return libpq's parameters for a URL or a key=value name; raises `ValueError` that quotes nothing secret."""
    given = _of_url(text) if "://" in text.partition("=")[0] else _of_pairs(text)
    return _for_libpq(given)


def _of_url(text: str) -> dict[str, str]:
    """Read ``postgres://user:password@host:port,host:port/database?parameter=value``."""
    scheme, _, rest = text.partition("://")
    if scheme not in ("postgres", "postgresql"):
        raise ValueError("a PostgreSQL URL begins with postgres://")
    rest, _, query = rest.partition("?")
    authority, _, database = rest.partition("/")
    login, at, places = authority.rpartition("@")
    if "@" in database or (not at and not database and "@" in query):
        # the host would be, and be shown, half a password
        raise ValueError(_UNENCODED)
    user, _, password = login.partition(":")
    hosts, ports = zip(*(_host_and_port(place) for place in places.split(",")), strict=True)
    found = {
        "user": unquote(user),
        "password": unquote(password),
        "host": ",".join(hosts),
        "port": ",".join(ports) if any(ports) else "",
        "dbname": unquote(database),
    }
    return {name: value for name, value in found.items() if value} | dict(parse_qsl(query, keep_blank_values=True))


def _host_and_port(place: str) -> tuple[str, str]:
    """Split ``host:port`` or ``[::1]:port``; either part may be empty."""
    if place.startswith("["):
        host, _, port = place[1:].partition("]")
        port = port.removeprefix(":")
    else:
        host, _, port = place.partition(":")
    if port and not port.isdecimal():
        raise ValueError(f"what follows the host's colon is no port number; {_UNENCODED}")
    return unquote(host), port


def _of_pairs(text: str) -> dict[str, str]:
    """Read ``host=… password='…' …``; a backslash takes the next character as it is."""
    found: dict[str, str] = {}
    at = 0
    while at < len(text.rstrip()):
        match = _PAIR.match(text, at)
        if match is None:
            raise ValueError(
                "a PostgreSQL name is a URL (postgres://user:password@host:5432/database) or has the form"
                f" host=… user=… password='…' dbname=…; it is not understood from character {at + 1} on"
            )
        name, quoted, plain = match.groups()
        found[name] = _ESCAPE.sub(r"\1", quoted if quoted is not None else plain)
        at = match.end()
    return found


def _for_libpq(given: dict[str, str]) -> dict[str, str]:
    """Keep what libpq knows, drop what Go's drivers keep for themselves, make run-time settings of the rest."""
    known = {option.keyword.decode() for option in pq.Conninfo.get_defaults()}
    found = {name: value for name, value in given.items() if name in known}
    settings = [
        f"-c {name}={_BLANK_OR_BACKSLASH.sub(_ESCAPED, value)}"
        for name, value in given.items()
        if name not in known and name not in _DRIVER_OWN and not name.startswith("pool_")
    ]
    if settings:
        found["options"] = " ".join([found["options"], *settings] if "options" in found else settings)
    return found
