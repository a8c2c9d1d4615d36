"""Benchmark of `loadposts`: posts a second that it writes into PostgreSQL, beside a plain COPY of the same rows.

The peer is the floor: rows that lie ready in memory; no plan, no threads, no counts, nobody who has read them. Both
write into tables with a real 5.37's columns and indexes (full-text search among them), without waiting for the disk.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

import click
from sqlalchemy import text
from tests.loadtest.database.servers import running

from bench.measuring import Figures, Meter, in_turns
from bench.tables import Table, show
from mattermost_load_test.config import EnvironmentConfiguration
from mattermost_load_test.loadtest.database.connection import Database
from mattermost_load_test.loadtest.database.loadposts import load_posts
from mattermost_load_test.loadtest.history.post_plan import PostPlan
from mattermost_load_test.loadtest.history.reading import Reading

CHANNELS, MEMBERS = 10, 200
BLOCK_BYTES = 1 << 20
REAL_INDEXES = (
    "CREATE INDEX ON posts (channelid, updateat)",
    "CREATE INDEX ON posts (createat)",
    "CREATE INDEX ON posts (updateat)",
    "CREATE INDEX ON posts (deleteat)",
    "CREATE INDEX ON posts (ispinned)",
    "CREATE INDEX ON posts (userid)",
    "CREATE INDEX ON posts USING gin (to_tsvector('english', message))",
    "CREATE INDEX ON posts USING gin (to_tsvector('english', hashtags))",
    "CREATE INDEX ON threadmemberships (userid)",
    "CREATE INDEX ON threadmemberships (lastviewed)",
    "CREATE INDEX ON threadmemberships (lastupdated)",
)
"""What a real 5.37 has beside the indexes of the tests' tables."""


class Bench:
    """Fresh databases on one server, filled with `posts` posts in one way or the other."""

    def __init__(self, server: Any, posts: int) -> None:
        self._server = server
        self._numbers = count()
        environment = EnvironmentConfiguration(num_channels_per_team=CHANNELS, num_posts=posts)
        self._plan = PostPlan(environment)
        self._rows: bytes = b""

    def loadposts(self) -> Figures:
        """Write a history as `loadposts` does."""
        database = self._database()
        meter = Meter()
        done = load_posts(database, self._plan, Reading(0.8, 0), lambda done, total: None, lambda: None)
        cost = meter.read()
        if not self._rows:
            self._rows = self._copy_out(database)
        return {"posts": done.written, "wall_s": cost.wall_s, "cpu_s": cost.cpu_s}

    def plain_copy(self) -> Figures:
        """COPY the same rows, which lie ready."""
        database = self._database()
        meter = Meter()
        with database.transaction("copying") as connection:
            driver = connection.connection.driver_connection
            assert driver is not None
            with driver.cursor() as cursor, cursor.copy("COPY posts FROM STDIN") as copy:
                for at in range(0, len(self._rows), BLOCK_BYTES):
                    copy.write(self._rows[at : at + BLOCK_BYTES])
        cost = meter.read()
        posts = self._plan.posts_per_channel * CHANNELS
        return {"posts": posts, "wall_s": cost.wall_s, "cpu_s": cost.cpu_s}

    def _copy_out(self, database: Database) -> bytes:
        """Return the posts of a database as COPY reads them."""
        with database.connect("reading") as connection:
            driver = connection.connection.driver_connection
            assert driver is not None
            with driver.cursor() as cursor, cursor.copy("COPY (SELECT * FROM posts ORDER BY id) TO STDOUT") as copy:
                return b"".join(map(bytes, copy))

    def _database(self) -> Database:
        """Return a new database with a team, its channels and their members."""
        database = Database(self._server.create(f"bench{next(self._numbers)}", "5.37"))
        with database.transaction("preparing") as connection:
            run: Callable[[str], object] = lambda statement: connection.execute(text(statement))  # noqa: E731
            for statement in REAL_INDEXES:
                run(statement)
            run("INSERT INTO teams (id, name, deleteat) VALUES ('team', 'loadtestteam0', 0)")
            run(
                "INSERT INTO channels (id, teamid, type, name, deleteat, lastpostat, totalmsgcount, totalmsgcountroot)"
                f" SELECT 'channel' || n, 'team', 'O', 'x-loadtestchannel' || n, 0, 0, 0, 0"
                f" FROM generate_series(0, {CHANNELS - 1}) n"
            )
            run(
                "INSERT INTO channelmembers (channelid, userid, msgcount, lastviewedat, msgcountroot)"
                f" SELECT 'channel' || n, 'user' || m, 0, 0, 0"
                f" FROM generate_series(0, {CHANNELS - 1}) n, generate_series(1, {MEMBERS}) m"
            )
        return database


@click.command()
@click.option("--rounds", default=3, show_default=True, help="How often each runs; the medians are shown.")
@click.option("--posts", default=200_000, show_default=True, help="Posts that each run writes.")
def main(rounds: int, posts: int) -> None:
    """Measure posts a second into PostgreSQL, `loadposts` beside a plain COPY of the same rows."""
    with running("postgres") as server:
        bench = Bench(server, posts)
        figures = in_turns({"loadposts": bench.loadposts, "plain COPY": bench.plain_copy}, rounds)
    peer = figures["plain COPY"]["wall_s"]
    rows = []
    for name, run in figures.items():
        rate, cpu_us = run["posts"] / run["wall_s"], run["cpu_s"] / run["posts"] * 1e6
        rows.append((name, f"{rate:,.0f}", f"{run['wall_s'] / peer:.2f}", f"{cpu_us:.1f}"))
    columns = ("", "posts/s", "time, of plain COPY's", "CPU µs of ours a post")
    show(Table(f"{posts:,} posts into PostgreSQL", columns, rows))


if __name__ == "__main__":
    main()
