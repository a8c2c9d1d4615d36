"""How far the members of a channel have read: most have read it all, the others stopped a few posts ago.

A channel's members are settled by one statement, however many they are, and a second time alike: the database computes
the digest that decides (`reading`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Table,
    case,
    cast,
    func,
    literal_column,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import BIT

from mattermost_load_test.loadtest.database.schema import Tables
from mattermost_load_test.loadtest.history.reading import DIGESTS, Reading

UNREAD_POSTS = (1, 2, 4, 8, 16, 32, 64, 128)
"""So many posts were not read by those who have not read all, each number equally often (where there are as many)."""


@dataclass(frozen=True, slots=True)
class Unread:
    """Where a member stopped: when it last looked, and how many posts, and roots among them, came afterwards."""

    viewed_ms: int
    posts: int
    roots: int


def settle_members(connection: Connection, tables: Tables, channel_id: str, reading: Reading) -> None:
    """Let the members of a channel have read as `reading` says; nobody has read less than before."""
    members, channels = tables["channelmembers"], tables["channels"]
    with_roots = tables.has("channelmembers", "msgcountroot") and tables.has("channels", "totalmsgcountroot")
    columns = [channels.c.totalmsgcount, channels.c.lastpostat]
    columns += [channels.c.totalmsgcountroot] if with_roots else []
    total, last_ms, *total_roots = connection.execute(select(*columns).where(channels.c.id == channel_id)).one()
    stops = _stops(connection, tables, channel_id)
    digest = _digest(reading.seed, members, postgres=connection.dialect.name == "postgresql")
    first, width = reading.limit, max((DIGESTS - reading.limit) / len(stops), 1) if stops else 1
    bounds = [digest < first, *(digest < first + round(width * number) for number in range(1, len(stops)))]

    def by_member(read: int, unread: Sequence[int]) -> ColumnElement[int]:
        values = [read, *unread]
        return case(*zip(bounds, values, strict=False), else_=values[-1])

    viewed_ms = by_member(last_ms, [stop.viewed_ms for stop in stops])
    news: dict[str, ColumnElement[int]] = {
        "msgcount": by_member(total, [total - stop.posts for stop in stops]),
        "lastviewedat": viewed_ms,
        "lastupdateat": viewed_ms,
    }
    if with_roots:
        news["msgcountroot"] = by_member(total_roots[0], [total_roots[0] - stop.roots for stop in stops])
    connection.execute(
        update(members)
        .where(members.c.channelid == channel_id)
        .values({members.c[key]: func.greatest(func.coalesce(members.c[key], 0), new) for key, new in news.items()})
    )


def _digest(seed: int, members: Table, *, postgres: bool) -> ColumnElement[int]:
    """Return what `Reading` decides by as an expression of the database over the columns of `members`."""
    text = func.concat(literal_column(f"'{int(seed)}'"), members.c.userid, members.c.channelid)
    digits = func.substr(func.md5(text), literal_column("1"), literal_column("8"))
    if postgres:
        return cast(cast(func.concat(literal_column("'x'"), digits), BIT(32)), BigInteger)
    return func.conv(digits, literal_column("16"), literal_column("10")) + literal_column("0")


def _stops(connection: Connection, tables: Tables, channel_id: str) -> list[Unread]:
    """Return where members who have not read all have stopped."""
    posts = tables["posts"]
    latest = connection.execute(
        select(posts.c.createat, posts.c.rootid)
        .where(posts.c.channelid == channel_id, posts.c.deleteat == 0)
        .where(or_(posts.c.type.is_(None), posts.c.type.not_like("system\\_%", escape="\\")))
        .order_by(posts.c.createat.desc())
        .limit(UNREAD_POSTS[-1] + 1)
    ).all()
    return [_stop(latest, count) for count in UNREAD_POSTS if count < len(latest)]


def _stop(latest: Sequence[Any], count: int) -> Unread:
    """Return a stop before the `count` latest posts, or more where several are of the same millisecond."""
    while count < len(latest) - 1 and latest[count].createat == latest[count - 1].createat:
        count += 1
    roots = sum(not post.rootid for post in latest[:count])
    return Unread(latest[count].createat, count, roots)
