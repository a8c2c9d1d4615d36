"""The population's users in the database: which are there, and the rows of those that are not."""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from mattermost_load_test.errors import OperationError
from mattermost_load_test.loadtest.database.ids import IdSequence
from mattermost_load_test.loadtest.database.patterns import read_patterns, writer
from mattermost_load_test.loadtest.database.schema import Tables
from mattermost_load_test.loadtest.database.writing import Count, Value, counted
from mattermost_load_test.loadtest.population.population import email, username

_USERNAME = re.compile(r"user(\d+)")
_READ_AT_ONCE = 10_000

_NOTHING_YET: dict[str, Value] = {
    "deleteat": 0,
    "roles": "system_user",
    "nickname": "",
    "firstname": "",
    "lastname": "",
    "position": "",
    "authdata": None,
    "failedattempts": 0,
    "lastpictureupdate": 0,
    "lastlogin": 0,
    "mfaactive": False,
    "mfasecret": "",
    "emailverified": True,
}
"""What a user has who never did anything; the address is verified, as it is after an import."""


@dataclass(frozen=True, slots=True)
class Accounts:
    """The ids of all users of the population by number; the numbers of those who are new, and of the deactivated."""

    ids: Sequence[str]
    new: Sequence[int]
    inactive: frozenset[int]


def find_accounts(connection: Connection, tables: Tables, num_users: int) -> tuple[list[str], frozenset[int]]:
    """Return the id of every user of the population, empty for those not there, and who of them is deactivated."""
    users = tables["users"].c
    ids = [""] * num_users
    inactive = set()
    named = select(users.username, users.id, users.deleteat).where(users.username.like("user%"))
    for name, user_id, deleted_ms in connection.execute(named.execution_options(yield_per=_READ_AT_ONCE)):
        match = _USERNAME.fullmatch(name)
        if match and int(match[1]) < num_users and name == username(int(match[1])):
            ids[int(match[1])] = user_id
            if deleted_ms:
                inactive.add(int(match[1]))
    return ids, frozenset(inactive)


def write_accounts(
    connection: Connection, tables: Tables, template_id: str, num_users: int, now_ms: int, count: Count
) -> Accounts:
    """Write the users who are not there, like the user `template_id`, and return all.

    Raises `OperationError` if the template is not in this database.
    """
    patterns = read_patterns(connection, tables, "users", id=template_id)
    if not patterns:
        raise OperationError(
            "the user that was just made over REST is not in the database of DataSource: it is another server's"
        )
    ids, inactive = find_accounts(connection, tables, num_users)
    new = [number for number, user_id in enumerate(ids) if not user_id]
    made = IdSequence("users", secrets.token_hex(16))
    for number in new:
        ids[number] = made[number]
    same = {"createat": now_ms, "updateat": now_ms, "lastpasswordupdate": now_ms}
    users = writer(connection, tables, "users", patterns[0], ("id", "username", "email"), **_NOTHING_YET | same)
    users.write(counted(((ids[number], username(number), email(number)) for number in new), count))
    _write_preferences(connection, tables, template_id, [ids[number] for number in new])
    return Accounts(ids, new, inactive)


def _write_preferences(connection: Connection, tables: Tables, template_id: str, user_ids: Sequence[str]) -> None:
    """Write the preferences that the server gave the template when it was made, for each of the users."""
    if "preferences" not in tables:
        return
    found = [
        row
        for row in read_patterns(connection, tables, "preferences", userid=template_id)
        if row["category"] not in _OF_OTHERS
    ]
    for pattern in found:
        own = pattern["name"] == template_id
        rows = ((user_id, user_id if own else pattern["name"]) for user_id in user_ids)
        writer(connection, tables, "preferences", pattern, ("userid", "name")).write(rows)


_OF_OTHERS = ("direct_channel_show", "group_channel_show", "flagged_post", "favorite_channel")
"""Preferences that name somebody or something of the user's own."""
