"""`loadposts` with a data source: the channels' history written straight into the server's tables.

What makes a history is more than its posts: channels keep counts and times, replies make threads with followers, and
members have read. A part of a channel's posts, all that goes with it included, is one transaction; ids are counted, so
that a load which was interrupted finds where it stopped, and one that is done finds nothing to do.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, func, select, update

from mattermost_load_test.errors import OperationError
from mattermost_load_test.loadtest.database.channels import FoundChannel, authors, find_channels
from mattermost_load_test.loadtest.database.connection import Database
from mattermost_load_test.loadtest.database.ids import IdSequence
from mattermost_load_test.loadtest.database.locks import exclusive
from mattermost_load_test.loadtest.database.readstate import settle_members
from mattermost_load_test.loadtest.database.schema import Tables, read_tables
from mattermost_load_test.loadtest.database.threads import Thread, threads_of
from mattermost_load_test.loadtest.database.writing import RowWriter, Value
from mattermost_load_test.loadtest.history.post_plan import PlannedPost, PostPlan
from mattermost_load_test.loadtest.history.reading import Reading

LOCK = "loadposts"

Progress = Callable[[int, int], object]
"""Told how many of how many posts are there."""


@dataclass(frozen=True, slots=True)
class PostsLoaded:
    """What a load did: posts it wrote, posts it found, channels with their history, and those that nobody is in."""

    written: int
    found: int
    channels: int
    deserted: int


def load_posts(
    database: Database, plan: PostPlan, reading: Reading, progress: Progress, waiting: Callable[[], object]
) -> PostsLoaded:
    """Write what is missing of `plan`; `waiting` is called now and then while another agent does the same.

    Raises `DatabaseError` when the database refuses or is lost: what was written until then is whole, and the next
    load goes on behind it. Raises `OperationError` when the population is not there.
    """
    with database.connect("writing posts") as connection, exclusive(connection, LOCK, waiting):
        with connection.begin():
            tables = read_tables(connection)
            channels = _planned(plan, find_channels(connection, tables))
        return _Load(connection, tables, plan, reading, progress).run(channels)


def _planned(plan: PostPlan, found: Sequence[FoundChannel]) -> list[FoundChannel]:
    """Return the channels that get posts; raises `OperationError` if there are none."""
    channels = [channel for channel in found if channel.public and plan.covers(channel.team, channel.number)]
    if not channels:
        raise OperationError(
            "the server has none of the population's public channels (…-loadtestchannelN in loadtestteamN): load the"
            " population first, by any run without SkipBulkload, and check that DataSource is this server's database"
        )
    return channels


class _Load:
    """A load under way on one connection."""

    def __init__(
        self, connection: Connection, tables: Tables, plan: PostPlan, reading: Reading, progress: Progress
    ) -> None:
        self._connection = connection
        self._tables = tables
        self._plan = plan
        self._reading = reading
        self._progress = progress
        self._rows = _Rows(connection, tables)
        self._until_ms = int(time.time() * 1000)
        self._written = self._found = 0

    def run(self, channels: Sequence[FoundChannel]) -> PostsLoaded:
        """Write what the channels lack."""
        total = len(channels) * self._plan.posts_per_channel
        self._progress(0, total)
        deserted = 0
        for channel in channels:
            with self._connection.begin():
                people = authors(self._connection, self._tables, channel)
            if not people:
                deserted += 1
                total -= self._plan.posts_per_channel
                continue
            for _ in self._fill(channel, people):
                self._progress(self._written + self._found, total)
        return PostsLoaded(self._written, self._found, len(channels) - deserted, deserted)

    def _fill(self, channel: FoundChannel, people: Sequence[str]) -> Iterator[None]:
        """Write what one channel lacks; yields after each transaction."""
        ids = IdSequence("posts", self._plan.seed, channel.id)
        with self._connection.begin():
            there = count_written(self._connection, self._tables, ids, self._plan.posts_per_channel)
        self._found += there
        yield
        for numbers in self._plan.parts(there):
            posts = self._plan.part(channel.key, numbers, len(people), self._until_ms)
            with self._connection.begin():
                self._rows.write(posts, channel, ids, people, self._reading)
                _count(self._connection, self._tables, channel.id, posts)
                if numbers.stop == self._plan.posts_per_channel:
                    settle_members(self._connection, self._tables, channel.id, self._reading)
            self._written += len(posts)
            yield


def count_written(connection: Connection, tables: Tables, ids: IdSequence, limit: int) -> int:
    """Return how many of a channel's first `limit` posts are there: they were written in order, without gaps."""
    posts = tables["posts"]

    def there(number: int) -> bool:
        return connection.execute(select(posts.c.id).where(posts.c.id == ids[number])).first() is not None

    if not there(0):
        return 0
    low, high = 0, limit  # post `low` is there, post `high` is not
    if there(limit - 1):
        return limit
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if there(middle) else (low, middle)
    return high


def _count(connection: Connection, tables: Tables, channel_id: str, posts: Sequence[PlannedPost]) -> None:
    """Let a channel's counts and times know of its new posts."""
    columns = tables["channels"].c
    roots = [post for post in posts if post.root is None]
    news = {"totalmsgcount": func.coalesce(columns.totalmsgcount, 0) + len(posts)}
    news["lastpostat"] = func.greatest(func.coalesce(columns.lastpostat, 0), posts[-1].created_ms)
    if "totalmsgcountroot" in columns:
        news["totalmsgcountroot"] = func.coalesce(columns.totalmsgcountroot, 0) + len(roots)
    if "lastrootpostat" in columns and roots:
        news["lastrootpostat"] = func.greatest(func.coalesce(columns.lastrootpostat, 0), roots[-1].created_ms)
    connection.execute(
        update(tables["channels"])
        .where(columns.id == channel_id)
        .values({columns[key]: value for key, value in news.items()})
    )


class _Rows:
    """The rows of posts and of their threads, in the columns of the server's version."""

    def __init__(self, connection: Connection, tables: Tables) -> None:
        self._posts = RowWriter(
            connection,
            tables["posts"],
            ("id", "createat", "updateat", "userid", "channelid", "rootid", "message"),
            same={"parentid": "rootid"},
            constant=_SAME_IN_ALL_POSTS,
        )
        # since 6 the author of the root takes part only who replies, too, and threads know their team
        self._participants_with_root = not tables.has("threads", "threadteamid")
        self._threads = self._memberships = None
        if "threads" in tables:
            row = ("postid", "channelid", "replycount", "lastreplyat", "participants", "threadteamid")
            self._threads = RowWriter(connection, tables["threads"], row)
        if "threadmemberships" in tables:
            self._memberships = RowWriter(
                connection,
                tables["threadmemberships"],
                ("postid", "userid", "lastviewed", "lastupdated"),
                constant={"following": True, "unreadmentions": 0},
            )

    def write(
        self,
        posts: Sequence[PlannedPost],
        channel: FoundChannel,
        ids: IdSequence,
        people: Sequence[str],
        reading: Reading,
    ) -> None:
        """Write a part of a channel's posts."""
        threads = threads_of(posts)
        self._posts.write(_post_rows(posts, threads, channel.id, ids, people))
        if self._threads is not None:
            self._threads.write(
                (
                    ids[number],
                    channel.id,
                    thread.replies,
                    thread.last_reply_ms,
                    thread.participants(people, with_root=self._participants_with_root),
                    channel.team_id,
                )
                for number, thread in threads.items()
            )
        if self._memberships is not None:
            # a reply of the very moment of looking counts as unread on a real 5.37: followers looked a moment later
            has_read = [reading.has_read(user_id, channel.id) for user_id in people]
            self._memberships.write(
                (ids[number], people[author], 1 + (thread.last_reply_ms if has_read[author] else last_ms), last_ms)
                for number, thread in threads.items()
                for author, last_ms in thread.last_posts()
            )


def _post_rows(
    posts: Sequence[PlannedPost],
    threads: dict[int, Thread],
    channel_id: str,
    ids: IdSequence,
    people: Sequence[str],
) -> Iterator[tuple[Value, ...]]:
    """Yield the rows of posts; a root counts as changed when it got its last reply."""
    for post in posts:
        updated_ms = threads[post.number].last_reply_ms if post.number in threads else post.created_ms
        root_id = "" if post.root is None else ids[post.root]
        yield ids[post.number], post.created_ms, updated_ms, people[post.author], channel_id, root_id, post.message


_SAME_IN_ALL_POSTS: dict[str, Value] = {
    "editat": 0,
    "deleteat": 0,
    "ispinned": False,
    "originalid": "",
    "type": "",
    "props": "{}",
    "hashtags": "",
    "filenames": "[]",
    "fileids": "[]",
    "hasreactions": False,
}
"""As a real 5.37 writes them for a text without anything special."""
