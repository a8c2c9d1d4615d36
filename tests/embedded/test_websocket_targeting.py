"""Events reach exactly those whom they are meant for, in situations beyond the recorded session."""

from __future__ import annotations

import json
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.conftest import AddPerson, Person, Socket, StartServer


@dataclass
class Town:
    """A server with a team and people: ann, bob and cat are in the team, dan is not; all have a socket open."""

    modern: bool
    team: dict[str, Any]
    square: dict[str, Any]
    people: dict[str, Person]
    sockets: dict[str, Socket]

    async def settle(self) -> None:
        """Pass over all events until now."""
        await self.news()

    async def news(self) -> dict[str, list[dict[str, Any]]]:
        """Give each person's events since the last time."""
        return {name: await socket.news() for name, socket in self.sockets.items()}

    async def heard(self, event: str) -> set[str]:
        """Give who got an event of that name since the last time."""
        return {name for name, events in (await self.news()).items() if any(e["event"] == event for e in events)}

    async def channel(self, owner: str, kind: str, *members: str) -> dict[str, Any]:
        """Make a channel with members."""
        name = f"{owner}-{kind.lower()}"
        body = {"team_id": self.team["id"], "name": name, "display_name": name, "type": kind}
        channel: dict[str, Any] = await self.people[owner].ask("POST", "/channels", body)
        for member in members:
            await self.add(owner, channel, member)
        await self.settle()
        return channel

    async def add(self, adder: str, channel: dict[str, Any], member: str) -> None:
        """Put somebody into a channel."""
        body = {"user_id": self.people[member].id}
        await self.people[adder].ask("POST", f"/channels/{channel['id']}/members", body)

    async def post(self, author: str, channel: dict[str, Any], message: str = "hello", **more: Any) -> dict[str, Any]:
        """Post a message."""
        body = {"channel_id": channel["id"], "message": message, **more}
        post: dict[str, Any] = await self.people[author].ask("POST", "/posts", body)
        return post


@pytest.fixture(params=["5.37", "11.6"])
async def town(request: pytest.FixtureRequest, start_server: StartServer, add_person: AddPerson) -> AsyncIterator[Town]:
    """Give a town on a server of each version."""
    server = await start_server(version=request.param)
    admin = await add_person(server, "admin")
    team = await admin.ask("POST", "/teams", {"name": "team", "display_name": "Team", "type": "O"})
    square = await admin.ask("GET", f"/teams/{team['id']}/channels/name/town-square")
    people = {"admin": admin} | {
        name: await add_person(server, name, by=admin) for name in ("ann", "bob", "cat", "dan")
    }
    for name in ("ann", "bob", "cat"):
        body = {"team_id": team["id"], "user_id": people[name].id}
        await admin.ask("POST", f"/teams/{team['id']}/members", body)
    async with AsyncExitStack() as opened:
        sockets = {name: await opened.enter_async_context(person.socket()) for name, person in people.items()}
        town = Town(server.state.version.modern, team, square, people, sockets)
        await town.settle()
        yield town


@pytest.mark.parametrize("kind", ["O", "P"])
async def test_posts_reach_members_only(kind: str, town: Town) -> None:
    """A post reaches the members of its channel, public or private, and nobody else of the team or the system."""
    channel = await town.channel("ann", kind, "bob")
    post = await town.post("ann", channel)
    assert await town.heard("posted") == {"ann", "bob"}
    await town.people["ann"].ask("PUT", f"/posts/{post['id']}/patch", {"message": "edited"})
    assert await town.heard("post_edited") == {"ann", "bob"}
    await town.people["bob"].ask(
        "POST", "/reactions", {"user_id": town.people["bob"].id, "post_id": post["id"], "emoji_name": "smile"}
    )
    assert await town.heard("reaction_added") == {"ann", "bob"}
    await town.people["ann"].ask("DELETE", f"/posts/{post['id']}")
    assert await town.heard("post_deleted") == {"ann", "bob"}


async def test_a_direct_message_is_between_two(town: Town) -> None:
    """A new direct channel and its posts reach its two users alone."""
    ids = [town.people["ann"].id, town.people["dan"].id]
    channel = await town.people["ann"].ask("POST", "/channels/direct", ids)
    assert await town.heard("direct_added") == {"ann", "dan"}
    await town.people["dan"].ask("POST", "/channels/direct", ids[::-1])
    assert await town.heard("direct_added") == set(), "it is there already"
    await town.post("dan", channel)
    news = await town.news()
    assert {name for name, events in news.items() if events} == {"ann", "dan"}
    (posted,) = [event for event in news["ann"] if event["event"] == "posted"]
    assert posted["data"]["channel_type"] == "D"
    assert posted["data"]["team_id"] == ""
    assert town.people["ann"].id in posted["data"]["mentions"], "a direct message always concerns the other"


async def test_mentions_are_told_to_whom_they_concern(town: Town) -> None:
    """Old servers name all mentioned users to everybody, new ones tell each mentioned user of itself alone."""
    channel = await town.channel("ann", "O", "bob", "cat")
    await town.post("ann", channel, "hello @bob and @cat and @dan and @nobody")
    posted = {
        name: json.loads(event["data"]["mentions"]) if "mentions" in event["data"] else None
        for name, events in (await town.news()).items()
        for event in events
        if event["event"] == "posted"
    }
    bob, cat = town.people["bob"].id, town.people["cat"].id
    if town.modern:
        assert posted == {"ann": None, "bob": [bob], "cat": [cat]}
    else:
        assert {name: set(mentioned) for name, mentioned in posted.items()} == {name: {bob, cat} for name in posted}


async def test_who_is_added_hears_from_then_on(town: Town) -> None:
    """A user put into a private channel learns of it as its members do, and gets its posts from then on."""
    channel = await town.channel("ann", "P", "bob")
    await town.add("ann", channel, "cat")
    assert await town.heard("user_added") == {"ann", "bob", "cat"}
    await town.post("ann", channel)
    assert await town.heard("posted") == {"ann", "bob", "cat"}


async def test_who_leaves_a_channel_hears_no_more(town: Town) -> None:
    """A user who leaves a channel is told so, apart from those who stay, and gets none of its posts any more."""
    channel = await town.channel("ann", "O", "bob")
    bob = town.people["bob"]
    await bob.ask("DELETE", f"/channels/{channel['id']}/members/{bob.id}")
    news = await town.news()
    own = [event for event in news["bob"] if event["event"] == "user_removed"]
    others = [event for event in news["ann"] if event["event"] == "user_removed"]
    assert [event["data"] for event in own] == [{"channel_id": channel["id"], "remover_id": bob.id}]
    assert [event["data"] for event in others] == [{"remover_id": bob.id, "user_id": bob.id}]
    assert not news["cat"] + news["dan"] + news["admin"]
    await town.post("ann", channel)
    assert await town.heard("posted") == {"ann"}


async def test_who_leaves_the_team_hears_no_more(town: Town) -> None:
    """A user who leaves a team is told so as its members are, once, and gets none of its posts any more."""
    bob = town.people["bob"]
    await bob.ask("DELETE", f"/teams/{town.team['id']}/members/{bob.id}")
    news = await town.news()
    counts = {name: sum(event["event"] == "leave_team" for event in events) for name, events in news.items()}
    assert counts == {"admin": 1, "ann": 1, "bob": 1, "cat": 1, "dan": 0}
    await town.post("ann", town.square)
    assert await town.heard("posted") == {"admin", "ann", "cat"}


async def test_who_joins_the_team_hears_of_it(town: Town) -> None:
    """A user put into a team is told so, and the members of its first channels that somebody came."""
    dan = town.people["dan"]
    body = {"team_id": town.team["id"], "user_id": dan.id}
    await town.people["admin"].ask("POST", f"/teams/{town.team['id']}/members", body)
    news = await town.news()
    assert [name for name, events in news.items() if "added_to_team" in (e["event"] for e in events)] == ["dan"]
    assert "user_added" in [event["event"] for event in news["ann"]]
    await town.post("ann", town.square)
    assert "dan" in await town.heard("posted")


async def test_two_sockets_of_a_user_both_hear(town: Town) -> None:
    """Every socket of a user gets its events, each with numbers of its own."""
    async with town.people["ann"].socket() as second:
        (hello,) = await second.news()
        await town.post("bob", town.square)
        (first_event,) = [e for e in await town.sockets["ann"].news() if e["event"] == "posted"]
        (second_event,) = [e for e in await second.news() if e["event"] == "posted"]
    assert first_event["data"] == second_event["data"]
    assert (hello["seq"], second_event["seq"]) == (0, 1)


async def test_admins_see_more_of_a_deletion(town: Town) -> None:
    """Who deleted a post is told to system admins only, who get no event without it."""
    post = await town.post("ann", town.square)
    await town.settle()
    await town.people["admin"].ask("DELETE", f"/posts/{post['id']}")
    told = {
        name: [event["data"].get("delete_by") for event in events if event["event"] == "post_deleted"]
        for name, events in (await town.news()).items()
    }
    assert told == {"admin": [town.people["admin"].id], "ann": [None], "bob": [None], "cat": [None], "dan": []}


async def test_a_changed_user_is_seen_by_everybody(town: Town) -> None:
    """A changed account reaches everybody once; on new servers it and system admins also see its settings."""
    await town.people["ann"].ask("PUT", "/users/me/patch", {"nickname": "nan"})
    seen = {
        name: [event["data"]["user"] for event in events if event["event"] == "user_updated"]
        for name, events in (await town.news()).items()
    }
    assert {name: [user["nickname"] for user in users] for name, users in seen.items()} == {
        who: ["nan"] for who in seen
    }
    assert [name for name, (user,) in seen.items() if "notify_props" in user] == (
        ["admin", "ann"] if town.modern else []
    )


async def test_statuses_preferences_and_views_are_private(town: Town) -> None:
    """What a user sets and looks at for itself reaches its own sockets alone."""
    ann = town.people["ann"]
    await town.post("bob", town.square)
    await town.settle()
    await ann.ask("PUT", "/users/me/status", {"user_id": ann.id, "status": "dnd"})
    preference = {"user_id": ann.id, "category": "tutorial_step", "name": ann.id, "value": "2"}
    await ann.ask("PUT", "/users/me/preferences", [preference])
    await ann.ask("POST", "/channels/members/me/view", {"channel_id": town.square["id"]})
    news = await town.news()
    assert {name for name, events in news.items() if events} == {"ann"}
    viewed = "multiple_channels_viewed" if town.modern else "channel_viewed"
    assert {event["event"] for event in news["ann"]} >= {"status_change", "preferences_changed", viewed}


async def test_the_deactivated_hear_no_more(town: Town) -> None:
    """A deactivated user's socket stays, is told that the user is offline, and gets nothing afterwards."""
    bob = town.people["bob"]
    await town.people["admin"].ask("PUT", f"/users/{bob.id}/active", {"active": False})
    refusal = await town.sockets["bob"].ask("ping")
    assert refusal["error"]["id"] == "api.web_socket_router.not_authenticated.app_error"
    assert [event["event"] for event in town.sockets["bob"].events[-1:]] == ["status_change"]
    assert town.sockets["bob"].events[-1]["data"]["status"] == "offline"
    before = len(town.sockets["bob"].events)
    await town.post("ann", town.square)
    await town.people["admin"].ask("PUT", f"/users/{bob.id}/active", {"active": True})
    await town.post("ann", town.square)
    await town.sockets["bob"].ask("ping")
    assert len(town.sockets["bob"].events) == before
    assert town.sockets["bob"].closed is None


async def test_the_logged_out_hear_no_more(town: Town) -> None:
    """A socket whose session has ended gets nothing; the user's other sockets do.

    A real 5.37 goes on sending until something else makes it look at the session again: that is not played.
    """
    server, http = town.people["bob"].server, town.people["bob"].http
    async with http.post(
        f"{server.url}/api/v4/users/login", json={"login_id": "bob", "password": "Loadtestpassword1"}
    ) as answer:
        token = answer.headers["Token"]
    bob = type(town.people["bob"])(server, http, town.people["bob"].id, token)
    async with bob.socket() as other:
        await other.news()
        await town.settle()
        before = len(town.sockets["bob"].events)
        await town.people["bob"].ask("POST", "/users/logout")
        await town.post("ann", town.square)
        assert "posted" in await other.names()
        assert (await town.sockets["bob"].ask("ping"))["status"] == "FAIL"
        assert len(town.sockets["bob"].events) == before


async def test_everybody_hears_of_the_system(town: Town) -> None:
    """New accounts, custom emoji and role changes are told to everybody."""
    account = {"username": "eve", "email": "eve@example.com", "password": "Loadtestpassword1"}
    await town.people["admin"].ask("POST", "/users", account)
    assert await town.heard("new_user") == set(town.people)
    role = await town.people["admin"].ask("GET", "/roles/name/team_user")
    hooks = "manage_own_incoming_webhooks" if town.modern else "manage_incoming_webhooks"
    await town.people["admin"].ask("PUT", f"/roles/{role['id']}/patch", {"permissions": [*role["permissions"], hooks]})
    assert await town.heard("role_updated") == set(town.people)


async def test_an_archived_channel_is_told_to_the_team(town: Town) -> None:
    """Archiving a public channel is told to its team; a private one's to the members only, on new servers."""
    public = await town.channel("ann", "O", "bob")
    await town.people["ann"].ask("DELETE", f"/channels/{public['id']}")
    assert await town.heard("channel_deleted") == {"admin", "ann", "bob", "cat"}
    private = await town.channel("ann", "P", "bob")
    await town.people["ann"].ask("DELETE", f"/channels/{private['id']}")
    everybody = {"admin", "ann", "bob", "cat"}
    assert await town.heard("channel_deleted") == ({"ann", "bob"} if town.modern else everybody)
