"""Histories written into real databases: posts, threads, counts, who has read, and what becomes of a load cut off."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import insert, text

from mattermost_load_test.config import EnvironmentConfiguration
from mattermost_load_test.errors import DatabaseUnreachableError, OperationError
from mattermost_load_test.loadtest.database.connection import Database
from mattermost_load_test.loadtest.database.loadposts import PostsLoaded, load_posts
from mattermost_load_test.loadtest.database.schema import read_tables
from mattermost_load_test.loadtest.history.post_plan import PostPlan
from mattermost_load_test.loadtest.history.reading import Reading

MEMBERS = 40


def environment(**keys: Any) -> EnvironmentConfiguration:
    """Return two channels in one team, 300 posts in each."""
    return EnvironmentConfiguration(
        **{"num_channels_per_team": 2, "num_posts": 600, "post_time_range": 3600, "seed": 7} | keys
    )


def ident(*parts: object) -> str:
    """Return an identifier of 26 letters."""
    return "".join(map(str, parts)).ljust(26, "x")


def populate(database: Database, channels: int = 2, members: int = MEMBERS) -> None:
    """Put a team, its channels and their members into empty tables; beside them what is none of the population's."""
    with database.transaction("populating") as connection:
        tables = read_tables(connection)

        def add(table: str, *rows: dict[str, Any]) -> None:
            found = tables[table]
            for row in rows:
                values = {found.c[key]: value for key, value in row.items() if key in found.c}
                connection.execute(insert(found).values(values))

        add("teams", {"id": ident("team"), "name": "loadtestteam0", "deleteat": 0})
        add("teams", {"id": ident("other"), "name": "loadtestteams", "deleteat": 0})
        new = {"deleteat": 0, "type": "O", "teamid": ident("team"), "lastpostat": 0, "totalmsgcount": 0}
        new |= {"totalmsgcountroot": 0, "createat": 5}
        names = [f"quiet-lamp-loadtestchannel{number}" for number in range(channels)]
        add("channels", *(new | {"id": ident("channel", name[-1]), "name": name} for name in names))
        add("channels", new | {"id": ident("square"), "name": "town-square"})
        add("channels", new | {"id": ident("private"), "name": "lamp-loadtestchannel9", "type": "P"})
        none = {"lastviewedat": 0, "msgcount": 0, "msgcountroot": 0, "lastupdateat": 0, "mentioncount": 0}
        add(
            "channelmembers",
            *(
                none | {"channelid": ident("channel", channel), "userid": ident("user", member)}
                for channel in range(channels)
                for member in range(members)
            ),
        )


def load(database: Database, plan: PostPlan, chance: float = 0.8, **hooks: Callable[..., object]) -> PostsLoaded:
    """Load posts; `hooks` may be `progress` and `waiting`."""
    return load_posts(
        database,
        plan,
        Reading(chance, plan.seed),
        hooks.get("progress", lambda done, total: None),
        hooks.get("waiting", lambda: None),  # type: ignore[arg-type]
    )


def rows(database: Database, statement: str) -> list[dict[str, Any]]:
    """Return rows with lower-case names."""
    with database.connect("asking") as connection:
        found = connection.execute(text(statement)).mappings()
        return [{name.lower(): value for name, value in row.items()} for row in found]


def table(database: Database, name: str) -> str:
    """Return a table's name as the database spells it."""
    spelled = {"channelmembers": "ChannelMembers", "threadmemberships": "ThreadMemberships"}
    return name if database.is_postgres else spelled.get(name, name.title())


def test_a_history_is_whole(database: Database) -> None:
    """Posts, threads, followers and the channels' own figures agree with each other on both databases."""
    populate(database)
    told: list[tuple[int, int]] = []
    done = load(database, PostPlan(environment()), progress=lambda *so_far: told.append(so_far))
    assert done == PostsLoaded(600, 0, 2, 0)
    assert told[0] == (0, 600)
    assert told[-1] == (600, 600)
    posts = rows(database, f"SELECT * FROM {table(database, 'posts')}")
    assert len({post["id"] for post in posts}) == 600
    assert {post["channelid"] for post in posts} == {ident("channel0"), ident("channel1")}
    by_id = {post["id"]: post for post in posts}
    replies = [post for post in posts if post["rootid"]]
    assert 0.2 < len(replies) / len(posts) < 0.4
    for reply in replies:
        root = by_id[reply["rootid"]]
        assert not root["rootid"]
        assert root["channelid"] == reply["channelid"]
        assert root["createat"] <= reply["createat"] <= root["updateat"]
        assert reply.get("parentid", reply["rootid"]) == reply["rootid"]
    check_threads(database, by_id)
    check_channels(database, posts)


def check_threads(database: Database, by_id: dict[str, dict[str, Any]]) -> None:
    """Check that every root with replies, and no other, has its thread, and all who wrote in it follow it."""
    threads = {row["postid"]: row for row in rows(database, f"SELECT * FROM {table(database, 'threads')}")}
    followers = rows(database, f"SELECT * FROM {table(database, 'threadmemberships')}")
    roots = {post["rootid"] for post in by_id.values()} - {""}
    assert threads.keys() == roots
    for root_id, thread in threads.items():
        replies = [post for post in by_id.values() if post["rootid"] == root_id]
        assert thread["replycount"] == len(replies)
        assert thread["lastreplyat"] == max(reply["createat"] for reply in replies) == by_id[root_id]["updateat"]
        given = thread["participants"]
        repliers = {reply["userid"] for reply in replies}
        old = "threadteamid" not in thread
        assert set(json.loads(given) if isinstance(given, str) else given) == repliers | (
            {by_id[root_id]["userid"]} if old else set()
        )
        assert old or thread["threadteamid"] == ident("team")
        following = {row["userid"] for row in followers if row["postid"] == root_id and row["following"]}
        assert following == repliers | {by_id[root_id]["userid"]}


def check_channels(database: Database, posts: list[dict[str, Any]]) -> None:
    """Check the channels' counts and times, and that those who have not read all are so many posts behind."""
    for channel in rows(database, f"SELECT * FROM {table(database, 'channels')}"):
        own = sorted((post for post in posts if post["channelid"] == channel["id"]), key=lambda post: post["createat"])
        if not own:
            assert channel["totalmsgcount"] == 0
            continue
        assert channel["totalmsgcount"] == len(own) == 300
        assert channel["totalmsgcountroot"] == sum(not post["rootid"] for post in own)
        assert channel["lastpostat"] == own[-1]["createat"]
        members = rows(
            database, f"SELECT * FROM {table(database, 'channelmembers')} WHERE channelid = '{channel['id']}'"
        )
        for member in members:
            unread = [post for post in own if post["createat"] > member["lastviewedat"]]
            assert len(own) - member["msgcount"] == len(unread)
            assert channel["totalmsgcountroot"] - member["msgcountroot"] == sum(not post["rootid"] for post in unread)
        assert len(members) == MEMBERS
        assert 0.5 < sum(member["msgcount"] == 300 for member in members) / MEMBERS < 1


def test_a_second_load_adds_nothing(database: Database) -> None:
    """What is there is found by its ids, and counted."""
    populate(database)
    plan = PostPlan(environment())
    load(database, plan)
    before = rows(database, f"SELECT * FROM {table(database, 'channelmembers')} ORDER BY 1, 2")
    assert load(database, plan) == PostsLoaded(0, 600, 2, 0)
    assert rows(database, f"SELECT * FROM {table(database, 'channelmembers')} ORDER BY 1, 2") == before


def test_more_posts_go_on_top(database: Database) -> None:
    """With more posts asked for, a load adds the difference and the figures stay right."""
    populate(database)
    load(database, PostPlan(environment(num_posts=200)))
    assert load(database, PostPlan(environment())) == PostsLoaded(400, 200, 2, 0)
    check_channels(database, rows(database, f"SELECT * FROM {table(database, 'posts')}"))


@pytest.mark.parametrize("chance", [0.0, 1.0])
def test_all_or_none_have_read(database: Database, chance: float) -> None:
    """The key's ends mean what they say."""
    populate(database)
    load(database, PostPlan(environment()), chance)
    counts = rows(database, f"SELECT msgcount FROM {table(database, 'channelmembers')}")
    assert {row["msgcount"] == 300 for row in counts} == {chance == 1.0}


def test_a_channel_without_people_is_told(make_database: Callable[[str], Database]) -> None:
    """Where nobody could have written nothing is written, and the channel is counted."""
    database = make_database("postgres-5.37")
    populate(database)
    with database.transaction("leaving") as connection:
        connection.execute(text(f"DELETE FROM channelmembers WHERE channelid = '{ident('channel1')}'"))
    assert load(database, PostPlan(environment())) == PostsLoaded(300, 0, 1, 1)


def test_a_server_without_the_population_is_told(database: Database) -> None:
    """Without a channel of the population the message says what to do first."""
    with pytest.raises(OperationError, match="load the population first"):
        load(database, PostPlan(environment()))


@pytest.mark.parametrize("kind", ["postgres", "mysql"])
def test_the_database_goes_away(kind: str, request: pytest.FixtureRequest) -> None:
    """Killed in the middle, the database is named, what was committed is whole, and the next load completes it."""
    server = request.getfixturevalue(f"mortal_{kind}")
    database = Database(server.create("mortal", "5.37"))
    populate(database)
    plan = PostPlan(environment(num_posts=60_000))

    def kill(done: int, total: int) -> None:
        if done == 20_000:
            server.kill()

    with pytest.raises(DatabaseUnreachableError, match="while writing posts") as caught:
        load(database, plan, progress=kill)
    assert "run the command again" in str(caught.value)
    server.start()
    there = rows(database, f"SELECT count(*) AS count FROM {table(database, 'posts')}")[0]["count"]
    assert there == 20_000
    totals = rows(database, f"SELECT totalmsgcount FROM {table(database, 'channels')} WHERE id = '{ident('channel0')}'")
    assert totals == [{"totalmsgcount": 20_000}]
    assert load(database, plan) == PostsLoaded(40_000, 20_000, 2, 0)
    counted = rows(database, f"SELECT channelid, count(*) AS count FROM {table(database, 'posts')} GROUP BY channelid")
    assert {row["count"] for row in counted} == {30_000}


def test_an_interrupted_load_leaves_no_half_part(database: Database) -> None:
    """An exception in the middle, as Ctrl-C is one, leaves whole parts only; the lock is free again."""
    populate(database)

    def interrupt(done: int, total: int) -> None:
        if done == 300:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        load(database, PostPlan(environment()), progress=interrupt)
    assert load(database, PostPlan(environment())) == PostsLoaded(300, 300, 2, 0)


def test_two_agents_write_one_history(database: Database) -> None:
    """While one loads the other waits and is told so; then it finds all done."""
    populate(database)
    plan = PostPlan(environment())

    class GaveUpError(Exception):
        pass

    def give_up() -> None:
        raise GaveUpError

    def try_as_well(done: int, total: int) -> None:
        if done == 300:
            with pytest.raises(GaveUpError):
                load(database, plan, waiting=give_up)

    load(database, plan, progress=try_as_well)
    assert load(database, plan).found == 600
