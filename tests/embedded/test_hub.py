"""What the hub keeps for clients that are away, for how long, and what it drops."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from mattermost_load_test.embedded.events import Broadcast, Event
from mattermost_load_test.embedded.hub import FORGET_AFTER_MS, QUEUE_SLOTS, QUEUE_SLOW, RESENT_MAX

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.conftest import AddPerson, Person, StartServer

    from mattermost_load_test.embedded.server import EmbeddedServer

VERSIONS = ("5.37", "11.6")


def publish(server: EmbeddedServer, count: int, name: str = "emoji_added") -> None:
    """Publish events to everybody, numbered from 0."""
    server.hub.publish(*(Event(name, {"number": number}) for number in range(count)))


def resume(connection_id: str, seq: int | str) -> str:
    """Give the query that asks for a connection from a number on."""
    return f"?connection_id={connection_id}&sequence_number={seq}"


async def until_away(server: EmbeddedServer, person: Person) -> None:
    """Wait until the server has seen the end of a person's sockets."""
    async with asyncio.timeout(10):
        while server.hub.has_socket(person.id):  # noqa: ASYNC110 - the server has no event for it
            await asyncio.sleep(0)


async def connect_and_cut(server: EmbeddedServer, person: Person, extra: int = 0) -> tuple[str, int]:
    """Open a socket, let it have some more events and cut it; gives its connection's id and its next number."""
    async with person.socket() as socket:
        publish(server, extra)
        events = await socket.news()
        socket.cut()
        await until_away(server, person)
    return events[0]["data"]["connection_id"], len(events)


@asynccontextmanager
async def resumed(person: Person, connection_id: str, seq: int | str) -> AsyncIterator[list[dict[str, Any]]]:
    """Come back to a connection and give the events that wait, without the status of the moment."""
    async with person.socket(resume(connection_id, seq)) as socket:
        yield [event for event in await socket.news() if event["event"] != "status_change"]


@pytest.mark.parametrize("version", VERSIONS)
async def test_as_many_as_fit_wait_for_the_absent(
    version: str, start_server: StartServer, add_person: AddPerson
) -> None:
    """All events that fit into the queue are sent to a client that comes back, numbered on without a gap."""
    server = await start_server(version=version)
    admin = await add_person(server, "admin")
    connection_id, following = await connect_and_cut(server, admin)
    publish(server, QUEUE_SLOTS - 2)  # being offline and online again take two slots more
    async with admin.socket(resume(connection_id, following)) as socket:
        events = await socket.news()
    numbers = [event["data"]["number"] for event in events if event["event"] == "emoji_added"]
    assert numbers == list(range(QUEUE_SLOTS - 2))
    assert [event["seq"] for event in events] == list(range(following, following + len(events)))


async def test_one_more_forgets_the_absent(embedded: EmbeddedServer, add_person: AddPerson) -> None:
    """With more events than fit, the connection is given up, and its client begins anew."""
    admin = await add_person(embedded, "admin")
    connection_id, following = await connect_and_cut(embedded, admin)
    publish(embedded, QUEUE_SLOTS)
    assert embedded.hub.user_count == 0
    async with resumed(admin, connection_id, following) as events:
        assert [event["event"] for event in events] == ["hello"]
        assert events[0]["data"]["connection_id"] != connection_id


@pytest.mark.parametrize(("version", "kept"), [("11.6", QUEUE_SLOW - 1), ("5.37", 73)])
async def test_expendable_events_are_dropped(
    version: str, kept: int, start_server: StartServer, add_person: AddPerson
) -> None:
    """Typing is dropped for a client with too much waiting: on new servers as it comes, on old ones as it goes.

    Of 200 typing events behind one that went offline, a new server keeps as many as fit below its mark; an old one
    those which, when their turn comes, have fewer behind them, the event of coming online included.
    """
    server = await start_server(version=version)
    admin = await add_person(server, "admin")
    connection_id, following = await connect_and_cut(server, admin)
    publish(server, 200, "typing")
    publish(server, 54, "emoji_added")
    async with admin.socket(resume(connection_id, following)) as socket:
        events = await socket.news()
    typing = [event["data"]["number"] for event in events if event["event"] == "typing"]
    assert len(typing) == kept
    assert typing == (list(range(kept)) if version == "11.6" else list(range(200 - kept, 200)))
    assert [e["data"]["number"] for e in events if e["event"] == "emoji_added"] == list(range(54))
    assert [event["seq"] for event in events] == list(range(following, following + len(events)))


@pytest.mark.parametrize("version", VERSIONS)
async def test_the_last_events_can_be_had_again(version: str, start_server: StartServer, add_person: AddPerson) -> None:
    """A client may ask again for as many events as the server keeps; with one more it has lost some and is told so."""
    server = await start_server(version=version)
    admin = await add_person(server, "admin")
    connection_id, following = await connect_and_cut(server, admin, extra=200)
    oldest = following - RESENT_MAX
    async with resumed(admin, connection_id, oldest) as events:
        assert [event["seq"] for event in events] == list(range(oldest, following))
        assert events[-1]["data"] == {"number": 199}
    await until_away(server, admin)
    async with resumed(admin, connection_id, oldest) as events:
        assert events[0]["event"] == "hello"
        assert events[0]["seq"] == 0
        assert events[0]["data"]["connection_id"] != connection_id


async def test_number_zero_begins_to_count_anew(embedded: EmbeddedServer, add_person: AddPerson) -> None:
    """As on real servers, a known connection asked for from number 0 goes on with what waits, without a `hello`."""
    admin = await add_person(embedded, "admin")
    connection_id, _ = await connect_and_cut(embedded, admin)
    publish(embedded, 3)
    async with resumed(admin, connection_id, 0) as events:
        assert [(event["event"], event["seq"]) for event in events] == [("emoji_added", n) for n in (1, 2, 3)]


@pytest.mark.parametrize("number", ["", "x", "-1", "1.5"])
async def test_a_number_that_is_none(number: str, embedded: EmbeddedServer, add_person: AddPerson) -> None:
    """A known connection without a proper number is refused without a word, and forgotten by new servers."""
    admin = await add_person(embedded, "admin")
    connection_id, following = await connect_and_cut(embedded, admin)
    async with admin.socket(resume(connection_id, number)) as socket:
        assert (await socket.until_closed()).rcvd is None
    async with resumed(admin, connection_id, following) as events:
        assert [event["event"] for event in events] == ["hello"]


async def test_old_servers_remember_a_refused_connection(start_server: StartServer, add_person: AddPerson) -> None:
    """After a refused number an old server still knows the connection."""
    server = await start_server(version="5.37")
    admin = await add_person(server, "admin")
    connection_id, following = await connect_and_cut(server, admin)
    async with admin.socket(resume(connection_id, "x")) as socket:
        await socket.until_closed()
    async with resumed(admin, connection_id, following) as events:
        assert events == []


async def test_a_connection_in_use_is_not_shared(embedded: EmbeddedServer, add_person: AddPerson) -> None:
    """Who asks for a connection that has a socket gets a new one, and the old one goes on."""
    admin = await add_person(embedded, "admin")
    async with admin.socket() as first:
        (hello, _) = await first.news()
        async with resumed(admin, hello["data"]["connection_id"], 1) as events:
            assert events[0]["event"] == "hello"
            assert events[0]["data"]["connection_id"] != hello["data"]["connection_id"]
        publish(embedded, 1)
        assert await first.names() == ["emoji_added"]


async def test_a_connection_is_its_users_own(embedded: EmbeddedServer, add_person: AddPerson) -> None:
    """Nobody gets the events of another user's connection."""
    admin = await add_person(embedded, "admin")
    other = await add_person(embedded, "other", by=admin)
    connection_id, following = await connect_and_cut(embedded, admin)
    embedded.hub.publish(Event("secret", {}, Broadcast(user_id=admin.id)))
    async with resumed(other, connection_id, following) as events:
        assert [event["event"] for event in events] == ["hello"]
    async with resumed(admin, connection_id, following) as events:
        assert [event["event"] for event in events] == ["secret"]


async def test_the_absent_are_forgotten_in_time(embedded: EmbeddedServer, add_person: AddPerson) -> None:
    """A connection whose client stays away for five minutes is forgotten, not sooner, and never one with a socket."""
    admin = await add_person(embedded, "admin")
    async with admin.socket() as staying:
        await staying.news()
        async with admin.socket() as leaving:
            (hello,) = await leaving.news()
        now_ms = embedded.state.now_ms()
        embedded.hub.forget_absent(now_ms + FORGET_AFTER_MS - 1000)
        assert len(list(embedded.hub.connections())) == 2
        embedded.hub.forget_absent(now_ms + FORGET_AFTER_MS + 1000)
        assert len(list(embedded.hub.connections())) == 1
        async with resumed(admin, hello["data"]["connection_id"], 1) as events:
            assert events[0]["event"] == "hello"


async def test_events_for_one_connection(embedded: EmbeddedServer, add_person: AddPerson) -> None:
    """An event may be meant for one connection of a user, or for all but one."""
    admin = await add_person(embedded, "admin")
    async with admin.socket() as first, admin.socket() as second:
        connection_id = (await first.news())[0]["data"]["connection_id"]
        await second.news()
        embedded.hub.publish(
            Event("for_one", {}, Broadcast(connection_id=connection_id)),
            Event("for_the_other", {}, Broadcast(user_id=admin.id, omit_connection_id=connection_id)),
        )
        assert (await first.names(), await second.names()) == (["for_one"], ["for_the_other"])
