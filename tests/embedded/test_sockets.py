"""Websockets of the embedded server: letting clients in, their actions, slow and silent clients, bad messages."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
import uvloop
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from mattermost_load_test.embedded.server import ServerOptions, serve
from mattermost_load_test.embedded.sockets import SocketTimes

if TYPE_CHECKING:
    from tests.conftest import AddPerson, StartServer

    from mattermost_load_test.embedded.server import EmbeddedServer

NOBODY = "aaaaaaaaaaaaaaaaaaaaaaaaaa"
HURRIED = SocketTimes(ping_interval_s=0.05, pong_wait_s=0.2, write_wait_s=0.5, authentication_s=0.05)
"""Times with which tests need not wait."""


# --- letting clients in ---


async def test_a_bearer_token_lets_in(embedded: EmbeddedServer, add_person: AddPerson) -> None:
    """A client with a good token gets `hello`, numbered 0, with its connection's id and the server's version."""
    admin = await add_person(embedded, "admin")
    async with admin.socket() as socket:
        hello, status = await socket.news()
    assert hello["event"] == "hello"
    assert hello["seq"] == 0
    assert hello["broadcast"]["user_id"] == admin.id
    assert set(hello["data"]) == {"connection_id", "server_hostname", "server_version"}
    assert hello["data"]["server_version"] == embedded.site.version_id()
    assert (status["event"], status["data"]) == ("status_change", {"status": "online", "user_id": admin.id})


async def test_a_challenge_lets_in(embedded: EmbeddedServer, add_person: AddPerson) -> None:
    """A client without a token on the upgrade is let in by `authentication_challenge`, and not heard before."""
    admin = await add_person(embedded, "admin")
    async with admin.socket(authorized=False) as socket:
        await socket.connection.send(json.dumps({"seq": 7, "action": "get_statuses"}))
        assert await socket.ask("authentication_challenge", token=admin.token) == {"status": "OK", "seq_reply": 1}
        assert await socket.names() == ["hello", "status_change"]
        assert not any(frame.get("seq_reply") == 7 for frame in socket.frames)
        before = len(socket.frames)
        await socket.connection.send(json.dumps({"seq": 8, "action": "authentication_challenge"}))
        await socket.ask("ping")
        assert len(socket.frames) == before + 1, "a second challenge is passed over"


async def test_a_bad_challenge_ends_the_socket(embedded: EmbeddedServer, add_person: AddPerson) -> None:
    """A challenge with a token that is no good closes the socket without a word."""
    admin = await add_person(embedded, "admin")
    async with admin.socket(authorized=False) as socket:
        challenge = {"seq": 1, "action": "authentication_challenge", "data": {"token": NOBODY}}
        await socket.connection.send(json.dumps(challenge))
        assert (await socket.until_closed()).rcvd is None
    assert socket.frames == []


async def test_who_stays_unknown_is_cut(start_server: StartServer, add_person: AddPerson) -> None:
    """A client that has not authenticated in time, or came with a token that is no good, is cut."""
    server = await start_server(socket_times=SocketTimes(authentication_s=0.05))
    await add_person(server, "admin")
    for headers in ({}, {"Authorization": f"Bearer {NOBODY}"}):
        async with connect(server.websocket_url, additional_headers=headers) as connection:
            async with asyncio.timeout(5):
                await connection.wait_closed()
            assert connection.close_code == 1006


async def test_a_plain_request_is_refused(embedded: EmbeddedServer, add_person: AddPerson) -> None:
    """A request that is no upgrade is answered 400, also with a slash behind."""
    admin = await add_person(embedded, "admin")
    for path in ("/websocket", "/websocket/"):
        assert "api.web_socket.connect.upgrade.app_error" in await admin.ask("GET", path, status=400)


async def test_a_foreign_page_is_refused(embedded: EmbeddedServer, add_person: AddPerson) -> None:
    """A browser's page from another origin gets no websocket, one from the server itself does."""
    admin = await add_person(embedded, "admin")
    headers = {"Authorization": f"Bearer {admin.token}"}
    with pytest.raises(InvalidStatus, match="403"):
        await connect(embedded.websocket_url, additional_headers=headers, origin="http://elsewhere.example")
    async with connect(embedded.websocket_url, additional_headers=headers, origin=embedded.url) as connection:
        assert json.loads(await connection.recv())["event"] == "hello"


async def test_a_second_socket_is_a_connection_of_its_own(embedded: EmbeddedServer, add_person: AddPerson) -> None:
    """Two sockets of a user have ids and numbers of their own, and going offline waits for the last of them."""
    admin = await add_person(embedded, "admin")
    async with admin.socket() as first:
        await first.news()
        async with admin.socket() as second:
            (hello,) = await second.news()
            assert hello["seq"] == 0
        statuses = await admin.ask("POST", "/users/status/ids", [admin.id])
        assert statuses[0]["status"] == "online"
        assert await first.names() == []


# --- actions ---


async def test_actions(embedded: EmbeddedServer, add_person: AddPerson) -> None:
    """Each action is answered as real servers answer it."""
    admin = await add_person(embedded, "admin")
    other = await add_person(embedded, "other", by=admin)
    async with admin.socket() as socket:
        pong = await socket.ask("ping")
        assert pong["status"] == "OK"
        assert pong["data"]["text"] == "pong"
        assert pong["data"]["version"] == "11.6.0"
        assert (await socket.ask("get_statuses"))["data"] == {admin.id: "online"}
        by_ids = await socket.ask("get_statuses_by_ids", user_ids=[admin.id, other.id, NOBODY])
        assert by_ids["data"] == {admin.id: "online", other.id: "offline", NOBODY: "offline"}
        assert await socket.ask("presence", channel_id=NOBODY) == {"status": "OK", "seq_reply": 4}


@pytest.mark.parametrize(
    ("request_", "error_id", "status"),
    [
        ({"seq": 1, "action": "nosuch"}, "api.web_socket_router.bad_action.app_error", 500),
        ({"seq": 1}, "api.web_socket_router.no_action.app_error", 400),
        ({"action": "ping"}, "api.web_socket_router.bad_seq.app_error", 400),
        ({"seq": -1, "action": "ping"}, "api.web_socket_router.bad_seq.app_error", 400),
        ({"seq": 1, "action": "get_statuses_by_ids"}, "api.websocket_handler.invalid_param.app_error", 400),
        ({"seq": 1, "action": "user_typing"}, "api.websocket_handler.invalid_param.app_error", 400),
        ({"seq": 1, "action": "user_update_active_status"}, "api.websocket_handler.invalid_param.app_error", 400),
        (
            {"seq": 1, "action": "user_typing", "data": {"channel_id": NOBODY}},
            "api.websocket_handler.invalid_param.app_error",
            400,
        ),
    ],
)
async def test_refused_actions(
    request_: dict[str, Any], error_id: str, status: int, embedded: EmbeddedServer, add_person: AddPerson
) -> None:
    """An action that cannot be carried out is answered with the server's error, and the socket stays."""
    admin = await add_person(embedded, "admin")
    async with admin.socket() as socket:
        await socket.connection.send(json.dumps(request_))
        await socket.ask("ping")
        (refusal,) = [frame for frame in socket.frames if frame.get("status") == "FAIL"]
        assert refusal["error"]["id"] == error_id
        assert refusal["error"]["status_code"] == status
        assert refusal.get("seq_reply", 0) == request_.get("seq", 0)


async def test_presence_is_unknown_to_old_servers(start_server: StartServer, add_person: AddPerson) -> None:
    """A 5.37 does not know the action `presence`."""
    admin = await add_person(await start_server(version="5.37"), "admin")
    async with admin.socket() as socket:
        assert (await socket.ask("presence"))["error"]["id"] == "api.web_socket_router.bad_action.app_error"


async def test_being_active(embedded: EmbeddedServer, add_person: AddPerson) -> None:
    """A user may go away by hand, and only by hand comes back from it."""
    admin = await add_person(embedded, "admin")
    async with admin.socket() as socket:
        await socket.news()
        await socket.ask("user_update_active_status", user_is_active=False)
        assert await socket.names() == [], "active a moment ago"
        await socket.ask("user_update_active_status", user_is_active=False, manual=True)
        assert [event["data"]["status"] for event in await socket.news()] == ["away"]
        await socket.ask("user_update_active_status", user_is_active=True)
        assert await socket.names() == [], "what is set by hand stays"
        await socket.ask("user_update_active_status", user_is_active=True, manual=True)
        assert [event["data"]["status"] for event in await socket.news()] == ["online"]
    async with admin.socket() as socket:
        assert await socket.names() == ["hello", "status_change"], "online is never by hand: the end of it went offline"


async def test_typing_reaches_the_others(embedded: EmbeddedServer, add_person: AddPerson) -> None:
    """`user_typing` reaches the other members of the channel, never the one who types."""
    admin = await add_person(embedded, "admin")
    team = await admin.ask("POST", "/teams", {"name": "team", "display_name": "Team", "type": "O"})
    ann, bob = [await add_person(embedded, name, by=admin) for name in ("ann", "bob")]
    await admin.ask("POST", f"/teams/{team['id']}/members", {"team_id": team["id"], "user_id": ann.id})
    channel = await admin.ask("GET", f"/teams/{team['id']}/channels/name/town-square")
    async with admin.socket() as typing, ann.socket() as reading, bob.socket() as outside:
        for socket in (typing, reading, outside):
            await socket.news()
        assert await typing.ask("user_typing", channel_id=channel["id"]) == {"status": "OK", "seq_reply": 2}
        (event,) = await reading.news()
        assert (event["event"], event["data"]) == ("typing", {"parent_id": "", "user_id": admin.id})
        assert event["broadcast"]["omit_users"] == {admin.id: True}
        assert await typing.names() == await outside.names() == []


# --- messages that are none ---


@pytest.mark.parametrize(
    "message",
    ["nonsense", "[]", '{"seq":"1","action":"ping"}', '{"seq":1.5,"action":"ping"}', '{"seq":1,"data":[]}'],
)
async def test_nonsense_ends_the_socket(message: str, embedded: EmbeddedServer, add_person: AddPerson) -> None:
    """A message that is no request closes the socket without a word."""
    admin = await add_person(embedded, "admin")
    async with admin.socket() as socket:
        await socket.connection.send(message)
        assert (await socket.until_closed()).rcvd is None


@pytest.mark.parametrize(
    "message",
    ['{"SEQ":9,"Action":"ping"}', '{"seq":9,"action":"ping"} and more', '{"seq":9,"action":"ping","data":null,"x":1}'],
)
async def test_sloppy_messages_are_understood(message: str, embedded: EmbeddedServer, add_person: AddPerson) -> None:
    """Requests are read as leniently as real servers read them, binary frames included."""
    admin = await add_person(embedded, "admin")
    async with admin.socket() as socket:
        for sent in (message, message.encode()):
            await socket.connection.send(sent)
        await socket.until(lambda: sum(frame.get("seq_reply") == 9 for frame in socket.frames) == 2)


async def test_a_message_too_long(embedded: EmbeddedServer, add_person: AddPerson) -> None:
    """A message beyond 8 KiB ends the socket with code 1009."""
    admin = await add_person(embedded, "admin")
    async with admin.socket() as socket:
        await socket.connection.send(json.dumps({"seq": 1, "action": "p" * 9000}))
        closed = await socket.until_closed()
        assert closed.rcvd is not None
        assert closed.rcvd.code == 1009


# --- slow and silent clients ---


async def test_the_server_pings(start_server: StartServer, add_person: AddPerson) -> None:
    """A client that answers pings is kept, one that does not is cut after the pong's time."""
    server = await start_server(socket_times=HURRIED)
    admin = await add_person(server, "admin")
    async with admin.socket() as answering, admin.socket() as silent:
        silent.connection.transport.pause_reading()
        while len(server.sockets.open) == 2:
            await answering.ask("ping")
        assert len(server.sockets.open) == 1
        silent.connection.transport.resume_reading()
        await silent.until_closed()


async def test_a_client_that_reads_nothing_is_given_up(start_server: StartServer, add_person: AddPerson) -> None:
    """Events for a client that takes none are kept up to the queue's length, then the connection is given up."""
    server = await start_server(socket_times=SocketTimes(write_wait_s=30))
    admin = await add_person(server, "admin")
    events = server.hub.events
    row = {"id": NOBODY, "name": "x" * 50_000}
    async with admin.socket() as socket:
        await socket.news()
        socket.connection.transport.pause_reading()
        sent = 0
        while server.hub.user_count:
            server.hub.publish(*events.emoji_added(row))
            sent += 1
            await asyncio.sleep(0)
            assert sent < 5_000
        assert sent > 256
        socket.connection.transport.resume_reading()
        closed = await socket.until_closed()
        assert closed.rcvd is not None, "all that waited was sent, then a close frame"
        numbers = [frame["seq"] for frame in socket.frames if "seq" in frame]
        assert numbers == list(range(len(numbers)))
        assert len(numbers) == 2 + sent - 1


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def test_a_client_that_has_just_left_is_written_to_no_more(loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
    """An event for a client whose connection is gone already disturbs nobody, on whichever loop the server runs."""

    async def leave_and_write() -> None:
        async with serve(ServerOptions()) as server:
            reader, writer = await asyncio.open_connection(*server.url.removeprefix("http://").split(":"))
            writer.write(
                b"GET /api/v4/websocket HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
            )
            assert b" 101 " in await reader.readline()
            (socket,) = server.sockets.open
            writer.transport.abort()
            async with asyncio.timeout(20):
                while server.sockets.open:  # noqa: ASYNC110 - nobody tells
                    await asyncio.sleep(0.01)
            socket.write(b"{}")

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(leave_and_write())
