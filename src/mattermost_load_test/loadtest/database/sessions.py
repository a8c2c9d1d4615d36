"""Sessions in the database: tokens that work at once, where each login would cost the server a password hash."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence

from sqlalchemy import Connection, select

from mattermost_load_test.errors import OperationError
from mattermost_load_test.loadtest.database.ids import IdMaker
from mattermost_load_test.loadtest.database.patterns import read_patterns, writer
from mattermost_load_test.loadtest.database.schema import Tables
from mattermost_load_test.loadtest.database.writing import Count, Value, counted

TOKENS_AT_ONCE = 1000


def write_sessions(
    connection: Connection, tables: Tables, pattern_user_id: str, user_ids: Sequence[str], now_ms: int, count: Count
) -> list[str]:
    """Write a session for each user, like the latest of the user `pattern_user_id`, and return their tokens."""
    found = read_patterns(connection, tables, "sessions", userid=pattern_user_id)
    if not found:
        raise OperationError("the session that was just made over REST is not in the database's table of sessions")
    latest = max(found, key=lambda row: int(row["createat"] or 0))
    make = IdMaker(random.SystemRandom())
    tokens = [make() for _ in user_ids]
    same: dict[str, Value] = {"createat": now_ms, "lastactivityat": now_ms, "deviceid": "", "props": "{}"}
    sessions = writer(connection, tables, "sessions", latest, ("id", "token", "userid"), **same)
    sessions.write(counted(((make(), token, user_id) for token, user_id in zip(tokens, user_ids, strict=True)), count))
    return tokens


def living(connection: Connection, tables: Tables, tokens: Mapping[int, str], now_ms: int) -> set[int]:
    """Return those of the users, given with their tokens, whose session is in the database and has not expired."""
    columns = tables["sessions"].c
    alive: set[int] = set()
    for users in _some(list(tokens)):
        by_token = {tokens[user]: user for user in users}
        asked = select(columns.token).where(columns.token.in_(by_token))
        asked = asked.where((columns.expiresat <= 0) | (columns.expiresat > now_ms))
        alive.update(by_token[token] for token in connection.execute(asked).scalars())
    return alive


def _some(users: Sequence[int]) -> Iterator[Sequence[int]]:
    """Yield the users some at a time."""
    return (users[first : first + TOKENS_AT_ONCE] for first in range(0, len(users), TOKENS_AT_ONCE))
