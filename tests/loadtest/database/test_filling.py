"""A population put into the tables of real databases: complete, once, in one transaction, and taken back."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text
from tests.loadtest.database import populating

from mattermost_load_test.errors import DatabaseUnreachableError, OperationError
from mattermost_load_test.loadtest.database.connection import Database
from mattermost_load_test.loadtest.database.filling import Filled, SessionWish, Template, check_database, fill
from mattermost_load_test.loadtest.database.undoing import undo
from mattermost_load_test.loadtest.population.population import Population, email, username
from mattermost_load_test.loadtest.setup.directs import channel_name

TABLES = ("users", "preferences", "teammembers", "channels", "channelmembers", "sessions")


def load(database: Database, people: Population, template: Template, **hooks: Any) -> Filled:
    """Load a population; `hooks` may be `wish`, `progress` and `waiting`."""
    return fill(
        database,
        people,
        populating.teams_of(people),
        populating.channels_of(people),
        template,
        hooks.get("wish", SessionWish()),
        hooks.get("progress", lambda done, total: None),
        hooks.get("waiting", lambda: None),
    )


def snapshot(database: Database) -> dict[str, list[dict[str, Any]]]:
    """Return everything that a load may touch."""
    return {name: populating.whole(database, name) for name in TABLES}


def check_users(database: Database, people: Population) -> dict[int, str]:
    """Check that the users are the population's, and return their ids by number."""
    found = {row["username"]: row for row in populating.whole(database, "users")}
    assert found.keys() == {username(number) for number in range(people.num_users)}
    for number in range(people.num_users):
        row = found[username(number)]
        assert row["email"] == email(number)
        assert row["password"] == "$2a$10$hash"
        assert row["roles"] == "system_user"
        assert row["notifyprops"] in (populating.NOTIFY_USER, {"channel": "true", "desktop": "mention"})
        if number:
            assert (row["nickname"], row["failedattempts"], bool(row["emailverified"])) == ("", 0, True)
    return {number: found[username(number)]["id"] for number in range(people.num_users)}


def check_memberships(database: Database, people: Population, ids: dict[int, str]) -> None:
    """Check teams and channels of every user against the population, exactly."""
    teams, channels = populating.teams_of(people), populating.channels_of(people)
    in_teams = {(row["teamid"], row["userid"]) for row in populating.whole(database, "teammembers")}
    assert in_teams == {(teams[team], ids[user]) for user in ids for team in people.teams_of(user)}
    personal = {row["id"] for row in populating.whole(database, "channels") if row["type"] in ("D", "G")}
    members = [row for row in populating.whole(database, "channelmembers") if row["channelid"] not in personal]
    wanted = {(channels[channel], ids[user]) for user in ids for channel in people.channels_of(user)}
    for user in ids:
        for team in people.teams_of(user):
            wanted |= {
                (populating.ident("town-square", team), ids[user]),
                (populating.ident("off-topic", team), ids[user]),
            }
    assert {(row["channelid"], row["userid"]) for row in members} == wanted
    others = [row for row in members if row["userid"] != ids[0]]
    assert all(bool(row["schemeuser"]) and not row["schemeadmin"] for row in others)
    assert sum(bool(row["schemeadmin"]) for row in populating.whole(database, "teammembers")) == 1


def check_personal(database: Database, people: Population, ids: dict[int, str]) -> None:
    """Check direct and group channels with their members against the population."""
    personal = {row["name"]: row for row in populating.whole(database, "channels") if row["type"] in ("D", "G")}
    wanted = [*people.directs(), *people.groups()]
    assert personal.keys() == {channel_name([ids[member] for member in channel.members]) for channel in wanted}
    members = {(row["channelid"], row["userid"]) for row in populating.whole(database, "channelmembers")}
    for channel in wanted:
        row = personal[channel_name([ids[member] for member in channel.members])]
        assert row["type"] == ("D" if len(channel.members) == 2 else "G")
        assert row["header"] == channel.header
        assert not row["teamid"]
        assert all((row["id"], ids[member]) in members for member in channel.members)


def test_a_population_is_whole(database: Database) -> None:
    """Users, preferences, memberships, direct and group channels are the population's, like the server's own rows."""
    people = populating.population()
    template = populating.serve(database, people)
    told: list[tuple[int, int]] = []
    filled = load(database, people, template, progress=lambda *so_far: told.append(so_far))
    ids = check_users(database, people)
    assert ids[0] == template.user_id
    check_memberships(database, people, ids)
    check_personal(database, people, ids)
    preferences = {(row["userid"], row["category"], row["name"]) for row in populating.whole(database, "preferences")}
    assert (ids[4], "tutorial_step", ids[4]) in preferences
    assert (ids[4], "recommended_next_steps", "hide") in preferences
    assert not any(row[1] == "direct_channel_show" and row[0] != ids[0] for row in preferences)
    assert filled.anything
    assert len(filled.accounts.new) == 29
    assert told[-1][0] == told[-1][1] > 100


def test_a_second_load_changes_nothing(database: Database) -> None:
    """What is there stays, down to every column."""
    people = populating.population()
    template = populating.serve(database, people)
    load(database, people, template)
    before = snapshot(database)
    assert not load(database, people, template).anything
    assert snapshot(database) == before


def test_more_of_everything_is_added(database: Database) -> None:
    """With more users, channels each is in, and direct channels, a load adds what is missing, to old users, too."""
    template = populating.serve(database, populating.population())
    load(database, populating.population(num_users=12, num_direct_message_channels=5), template)
    people = populating.population(percent_users_mid_volume_channel=1.0, percent_users_mid_volume_teams=1.0)
    filled = load(database, people, template)
    assert len(filled.accounts.new) == 18
    ids = check_users(database, people)
    check_members_at_least(database, people, ids)


def check_members_at_least(database: Database, people: Population, ids: dict[int, str]) -> None:
    """Check that every user is in all of its teams and channels."""
    in_teams = {(row["teamid"], row["userid"]) for row in populating.whole(database, "teammembers")}
    in_channels = {(row["channelid"], row["userid"]) for row in populating.whole(database, "channelmembers")}
    for number, user_id in ids.items():
        assert all((populating.teams_of(people)[team], user_id) in in_teams for team in people.teams_of(number))
        assert all((populating.channels_of(people)[one], user_id) in in_channels for one in people.channels_of(number))


def test_who_joins_a_channel_with_a_history_has_read_it(database: Database) -> None:
    """Counts of new members are those of the channel, as of somebody who looked at it just now."""
    people = populating.population()
    template = populating.serve(database, people)
    with database.transaction("posting") as connection:
        named = f"WHERE id = '{populating.ident('channel', 0)}'"
        counts = "totalmsgcount = 40, totalmsgcountroot = 30, lastpostat = 1234"
        connection.execute(text(f"UPDATE {populating.table(database, 'channels')} SET {counts} {named}"))
    load(database, people, template)
    members = [
        row
        for row in populating.whole(database, "channelmembers")
        if row["channelid"] == populating.ident("channel", 0)
    ]
    assert len(members) > 20
    assert {(row["msgcount"], row["msgcountroot"], row["lastviewedat"]) for row in members} == {(40, 30, 1234)}
    assert {(row["mentioncount"], row["mentioncountroot"]) for row in members} == {(0, 0)}


def test_a_user_who_left_a_team_comes_back(database: Database) -> None:
    """A membership that was marked as left is one again."""
    people = populating.population()
    template = populating.serve(database, people)
    load(database, people, template)
    with database.transaction("leaving") as connection:
        connection.execute(text(f"UPDATE {populating.table(database, 'teammembers')} SET deleteat = 99"))
    load(database, people, template)
    assert {row["deleteat"] for row in populating.whole(database, "teammembers")} == {0}


def test_sessions_are_made_where_none_is_alive(database: Database) -> None:
    """Users who are to have one get a token; one that still works is kept, one expired or gone is replaced."""
    people = populating.population()
    template = populating.serve(database, people)
    session = {
        "id": populating.ident("session"),
        "token": populating.ident("token"),
        "userid": template.user_id,
        "createat": 5,
    }
    session |= {"expiresat": 32503680000000, "roles": "system_user", "isoauth": False, "props": '{"csrf": "x"}'}
    populating.add(database, "sessions", [session])
    filled = load(database, people, template, wish=SessionWish(range(2, 20)))
    assert filled.tokens.keys() == set(range(2, 20))
    found = {row["token"]: row for row in populating.whole(database, "sessions")}
    for number, token in filled.tokens.items():
        assert len(token) == 26
        assert found[token]["userid"] == filled.accounts.ids[number]
        assert found[token]["expiresat"] == 32503680000000
        assert found[token]["props"] in ("{}", {})
    kept = dict(filled.tokens)
    with database.transaction("expiring") as connection:
        sessions = populating.table(database, "sessions")
        connection.execute(text(f"UPDATE {sessions} SET expiresat = 1 WHERE token = '{kept[4]}'"))
        connection.execute(text(f"DELETE FROM {sessions} WHERE token = '{kept[7]}'"))
    again = load(database, people, template, wish=SessionWish(range(2, 20), kept))
    assert again.tokens.keys() == {4, 7}


def test_what_was_loaded_is_taken_back(database: Database) -> None:
    """Undoing a load leaves every table as it was, after a first load and after one that added to it."""
    first = populating.population(num_users=12, num_direct_message_channels=5)
    template = populating.serve(database, populating.population())
    before = snapshot(database)
    undo(database, load(database, first, template), populating.teams_of(first))
    assert snapshot(database) == before
    load(database, first, template)
    before = snapshot(database)
    more = populating.population(percent_users_mid_volume_channel=1.0, percent_users_mid_volume_teams=1.0)
    undo(database, load(database, more, template), populating.teams_of(more))
    assert snapshot(database) == before


def test_interrupted_it_leaves_nothing(database: Database) -> None:
    """An exception in the middle, as Ctrl-C is one, rolls all of it back."""
    people = populating.population()
    template = populating.serve(database, people)
    before = snapshot(database)

    def interrupt(done: int, total: int) -> None:
        if done > total // 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        load(database, people, template, progress=interrupt)
    assert snapshot(database) == before


@pytest.mark.parametrize("kind", ["postgres", "mysql"])
def test_the_database_goes_away(kind: str, request: pytest.FixtureRequest) -> None:
    """Killed in the middle, it is named, nothing of the load is there afterwards, and the next load succeeds."""
    server = request.getfixturevalue(f"mortal_{kind}")
    database = Database(server.create("mortal", "5.37"))
    people = populating.population()
    template = populating.serve(database, people)
    before = snapshot(database)

    def kill(done: int, total: int) -> None:
        if done > total // 2 and server.process is not None:
            server.kill()

    with pytest.raises(DatabaseUnreachableError, match="while loading the population"):
        load(database, people, template, progress=kill)
    server.start()
    assert snapshot(database) == before
    assert load(database, people, template).anything


def test_another_servers_database_is_told(database: Database) -> None:
    """A database without the server's teams, or without the user just made, is not the server's."""
    people = populating.population()
    template = populating.serve(database, people)
    check_database(database, set(populating.teams_of(people).values()))
    with pytest.raises(OperationError, match="has 0 of 1 teams"):
        check_database(database, {populating.ident("elsewhere")})
    with pytest.raises(OperationError, match="another server's"):
        load(database, people, dataclasses.replace(template, user_id=populating.ident("elsewhere")))


def test_two_loads_at_once_are_one_after_the_other(make_database: Callable[[str], Database]) -> None:
    """While one loads, another waits and is told so."""
    database = make_database("postgres-5.37")
    people = populating.population()
    template = populating.serve(database, people)

    class GaveUpError(Exception):
        pass

    def give_up() -> None:
        raise GaveUpError

    def try_as_well(done: int, total: int) -> None:
        if done == total:
            with pytest.raises(GaveUpError):
                load(database, people, template, waiting=give_up)

    assert load(database, people, template, progress=try_as_well).anything
    assert not load(database, people, template).anything
