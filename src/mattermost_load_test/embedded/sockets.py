"""The websocket route of the embedded server: ``GET /api/v4/websocket`` on aiohttp.

A socket authenticates by Bearer token on the upgrade or by the `authentication_challenge` action, gets `hello` and the
events the hub delivers, may resume an earlier connection, and may ask for the actions in `socket_actions`. Behaviour
is that of the recorded sockets (``tests/data/exchanges/websocket-*.jsonl``) and of the servers' public source.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, Protocol
from urllib.parse import urlsplit

import orjson
from aiohttp import WSMsgType, web

from mattermost_load_test.embedded import bodies, socket_actions
from mattermost_load_test.embedded.events import Broadcast, Event
from mattermost_load_test.embedded.hub import Connection, Hub
from mattermost_load_test.embedded.ids import is_id

PATH = "/api/v4/websocket"

PING = b"\x89\x00"
"""A whole ping frame without content (RFC 6455)."""

REQUEST: bodies.Schema = {"seq": bodies.whole, "action": bodies.text, "data": bodies.mapping}
"""What a client's message may hold."""

CLOSE = b"\x88\x00"
"""A whole close frame without a code."""

HOSTNAME = "embedded"
"""What newer servers tell of the host they run on."""

MESSAGE_BYTES_MAX = 8 * 1024
"""The longest message a client may send."""

BUFFER_BYTES_MAX = 64 * 1024
"""With more than this unsent in a socket, further messages wait in the connection's queue."""


@dataclass(frozen=True, slots=True)
class SocketTimes:
    """How patient the server is with its sockets, in seconds; the defaults are those of the real servers."""

    ping_interval_s: float = 60
    pong_wait_s: float = 100
    write_wait_s: float = 30
    authentication_s: float = 5


REAL_TIMES = SocketTimes()


class Host(socket_actions.ActionHost, Protocol):
    """What sockets ask of the server around them."""

    def user_of_session(self, token: str) -> str | None:
        """Give the id of the user whose session token this is, None when it is no good (any more)."""

    def new_id(self) -> str:
        """Make an id."""

    def set_offline(self, user_id: str) -> None:
        """Set a user's status to offline unless it was set by hand, and publish it."""

    def version_id(self) -> str:
        """Give what ``X-Version-Id`` says."""


class Sockets:
    """All websockets of a server: takes new ones in, and can end those that are open."""

    def __init__(
        self,
        hub: Hub,
        host: Host,
        times: SocketTimes,
        observe_reconnect: Callable[[str], None] = lambda outcome: None,
    ) -> None:
        self.hub = hub
        self.host = host
        self.times = times
        self.observe_reconnect = observe_reconnect
        self.open: dict[Socket, None] = {}
        """The open sockets, in the order in which they came."""

    async def connect(self, request: web.Request) -> web.StreamResponse:
        """Serve one websocket until it ends; a request that is none, or comes from a foreign page, is refused."""
        refusal = _refusal(request)
        if refusal is not None:
            return refusal
        response = web.WebSocketResponse(autoping=False, compress=False, max_msg_size=MESSAGE_BYTES_MAX)
        await response.prepare(request)
        async with asyncio.TaskGroup() as tasks:
            socket = Socket(self, response, request, tasks)
            self.open[socket] = None
            try:
                await socket.serve(_bearer_token(request), request.query)
            finally:
                del self.open[socket]
                socket.leave()
        return response

    def close_all(self) -> None:
        """End all sockets without a close frame."""
        for socket in list(self.open):
            socket.close()

    def close_one(self, pick: float) -> None:
        """End the socket at the share `pick` (0 to 1) of all, without a close frame; nothing to do without any."""
        if self.open:
            next(islice(self.open, int(pick * len(self.open)), None)).close()


class Socket:
    """One websocket: reads what its client sends and is the `hub.Link` of its connection."""

    def __init__(
        self, sockets: Sockets, response: web.WebSocketResponse, request: web.Request, tasks: asyncio.TaskGroup
    ) -> None:
        transport = request.transport
        assert transport is not None  # prepare() has just answered on it
        self._sockets = sockets
        self._response = response
        self._transport = transport
        self._tasks = tasks
        self._loop = asyncio.get_running_loop()
        self._draining: asyncio.Task[None] | None = None
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._connection: Connection | None = None
        self._finishing = False

    # --- hub.Link ---

    def is_ready(self) -> bool:
        """Tell whether the client keeps up."""
        return self._draining is None and self._transport.get_write_buffer_size() <= BUFFER_BYTES_MAX

    def write(self, payload: bytes) -> None:
        """Send a text message past aiohttp's writer: a whole frame in one write, without a task for it."""
        self._send(_text_frame_header(len(payload)) + payload)

    def _send(self, frame: bytes) -> None:
        """Write a whole frame, unless the client has just left: uvloop raises where a connection is gone."""
        if not self._transport.is_closing():
            self._transport.write(frame)

    def drain(self) -> None:
        """Send what waits as the client takes it; nothing to do while that goes on already."""
        if self._draining is None and not self._transport.is_closing():
            self._draining = self._tasks.create_task(self._drain())

    def finish(self) -> None:
        """End the socket with a close frame behind all that waits."""
        self._finishing = True
        self.drain()

    def close(self) -> None:
        """End the socket at once, without a close frame."""
        self._transport.abort()

    async def _drain(self) -> None:
        connection = self._connection
        assert connection is not None  # it is what asks to be drained
        try:
            while (payload := connection.next_payload()) is not None:
                async with asyncio.timeout(self._sockets.times.write_wait_s):
                    await self._response.send_frame(payload, WSMsgType.TEXT)
            if self._finishing:
                self._send(CLOSE)
                self._transport.close()
        except (TimeoutError, ConnectionError):
            self.close()
        finally:
            self._draining = None

    # --- the life of a socket ---

    async def serve(self, token: str, query: Mapping[str, str]) -> None:
        """Attach the client to its connection, then read what it sends until it is gone."""
        user_id = self._sockets.host.user_of_session(token) if token else None
        if user_id is None:
            self._after("authentication", self._sockets.times.authentication_s, self.close)
        elif not self._attach(user_id, token, query):
            self._transport.close()
        self._after("ping", self._sockets.times.ping_interval_s, self._ping)
        self._after("pong", self._sockets.times.pong_wait_s, self.close)
        await self._read()

    def leave(self) -> None:
        """Let the connection wait for its client's return."""
        for timer in self._timers.values():
            timer.cancel()
        if self._draining is not None:
            self._draining.cancel()
        connection, host = self._connection, self._sockets.host
        if connection is not None and connection.link is self:
            connection.link = None
            connection.absent_since_ms = host.now_ms()
            if not self._sockets.hub.has_socket(connection.user_id):
                host.set_offline(connection.user_id)

    # --- what the client sends ---

    async def _read(self) -> None:
        async for message in self._response:
            if message.type is WSMsgType.PING:
                with contextlib.suppress(ConnectionError):
                    await self._response.pong(message.data)
            elif message.type is WSMsgType.PONG:
                self._ponged()
            elif message.type is WSMsgType.ERROR or not self._take(message.data):
                self._transport.close()

    def _take(self, text: str | bytes) -> bool:
        """Carry out what the client asks for; False when it is no request."""
        try:
            request = bodies.decode_object(text.encode() if isinstance(text, str) else text, REQUEST)
        except bodies.InvalidBodyError:
            return False
        connection, host, hub = self._connection, self._sockets.host, self._sockets.hub
        if connection is None:
            return self._authenticate(request)
        if request.get("action") == "authentication_challenge":
            return True
        if host.user_of_session(connection.token) is None:
            hub.reply(connection, socket_actions.refused(request["seq"], socket_actions.NOT_AUTHENTICATED))
        else:
            hub.reply(connection, socket_actions.answer(host, hub, connection.user_id, request))
        return True

    def _authenticate(self, request: Mapping[str, Any]) -> bool:
        """Let the client in by the token it sends; whatever else it sends before is passed over."""
        if request.get("action") != "authentication_challenge" or request.get("seq", 0) <= 0:
            return True
        token = (request.get("data") or {}).get("token")
        if not isinstance(token, str) or (user_id := self._sockets.host.user_of_session(token)) is None:
            return False
        connection = self._start(user_id, token)
        self._sockets.hub.reply(connection, {"status": "OK", "seq_reply": request["seq"]})
        self._sockets.host.set_online(user_id)
        return True

    # --- connections ---

    def _attach(self, user_id: str, token: str, query: Mapping[str, str]) -> bool:
        """Give the client the connection it asks for, or a new one; False when it asks for what cannot be."""
        connection_id, sequence_number = query.get("connection_id", ""), query.get("sequence_number", "")
        if connection_id and not is_id(connection_id):
            return False
        earlier = self._sockets.hub.absent(user_id, connection_id)
        if earlier is None:
            self._start(user_id, token)
            self._sockets.host.set_online(user_id)
            return True
        if not (sequence_number.isascii() and sequence_number.isdecimal()):
            if self._sockets.hub.events.modern:
                self._sockets.hub.remove(earlier)
            return False
        earlier.token = token
        self._resume(earlier, int(sequence_number))
        return True

    def _start(self, user_id: str, token: str) -> Connection:
        """Let a connection begin: `hello` first."""
        host = self._sockets.host
        self._cancel("authentication")
        connection = self._sockets.hub.new_connection(user_id, token, host.new_id())
        self._connection = connection
        connection.link = self
        self._greet(connection)
        return connection

    def _resume(self, connection: Connection, seq: int) -> None:
        """Let a connection go on from event number `seq`, or begin anew where events were lost."""
        hub, host = self._sockets.hub, self._sockets.host
        self._connection = connection
        if connection.can_resume_from(seq):
            self._sockets.observe_reconnect("lossless" if seq == connection.seq else "success")
            connection.rewind(seq)
            connection.link = self
            self.drain()
        else:
            self._sockets.observe_reconnect("failure")
            hub.start_over(connection, host.new_id())
            connection.link = self
            self._greet(connection)
            if not hub.events.modern:
                self._greet(connection, at_once=False)
        host.set_online(connection.user_id)

    def _greet(self, connection: Connection, *, at_once: bool = True) -> None:
        data = {"connection_id": connection.connection_id}
        if self._sockets.hub.events.modern:
            data["server_hostname"] = HOSTNAME
        data["server_version"] = self._sockets.host.version_id()
        hello = Event("hello", data, Broadcast(user_id=connection.user_id))
        self._sockets.hub.greet(connection, hello, at_once=at_once)

    # --- time ---

    def _ping(self) -> None:
        self._send(PING)
        self._after("ping", self._sockets.times.ping_interval_s, self._ping)

    def _ponged(self) -> None:
        self._after("pong", self._sockets.times.pong_wait_s, self.close)
        if self._connection is not None:
            self._sockets.host.set_away_if_idle(self._connection.user_id)

    def _after(self, name: str, delay_s: float, then: Callable[[], None]) -> None:
        self._cancel(name)
        self._timers[name] = self._loop.call_later(delay_s, then)

    def _cancel(self, name: str) -> None:
        timer = self._timers.pop(name, None)
        if timer is not None:
            timer.cancel()


def _bearer_token(request: web.Request) -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _refusal(request: web.Request) -> web.Response | None:
    """Refuse a request that is no upgrade (400) or that a foreign page makes (403), as the servers do."""
    origin = request.headers.get("Origin", "")
    if web.WebSocketResponse().can_prepare(request).ok:
        if not origin or urlsplit(origin).netloc == request.host:
            return None
        status, first_line = 403, "Forbidden"
    else:
        status, first_line = 400, "Bad Request"
    message = "Failed to upgrade websocket connection."
    error = {"id": "api.web_socket.connect.upgrade.app_error", "message": message, "detailed_error": ""}
    return web.Response(status=status, text=f"{first_line}\n{orjson.dumps({**error, 'status_code': 500}).decode()}")


def _text_frame_header(length: int) -> bytes:
    """Make the header of an unmasked text frame (RFC 6455, 5.2)."""
    if length < 126:
        return bytes((0x81, length))
    if length < 1 << 16:
        return b"\x81\x7e" + length.to_bytes(2, "big")
    return b"\x81\x7f" + length.to_bytes(8, "big")
