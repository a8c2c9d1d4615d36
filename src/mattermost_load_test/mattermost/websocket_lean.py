"""A websocket on the event loop's own connection: opened by websockets' pure protocol, read by `FrameReader`.

Events are handed over as they are read, so nothing waits anywhere in the agent. What an open connection holds is its
transport, its reader and one future.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import cast

from websockets.client import ClientProtocol
from websockets.exceptions import InvalidMessage
from websockets.frames import Close, CloseCode, Frame, Opcode
from websockets.protocol import State
from websockets.uri import parse_uri

from mattermost_load_test.mattermost.transport import USER_AGENT
from mattermost_load_test.mattermost.websocket_connection import (
    CLOSE_TIMEOUT_S,
    SILENT,
    Take,
    WebsocketOptions,
    probe_when_idle,
)
from mattermost_load_test.mattermost.websocket_frames import FrameError, FrameReader

_END_OF_HEAD = b"\r\n\r\n"
_SWITCHED = b"HTTP/1.1 101"
_LONGEST_HEAD_BYTES = 64 << 10


class LeanWebsocket(asyncio.Protocol):
    """A `WebsocketConnection` that is its own protocol, see `asyncio.Protocol`.

    `transport` is paused: nothing is read on before somebody follows. `unread` came with the answer to the handshake.
    """

    __slots__ = ("_closing", "_ended", "_error", "_lost", "_reader", "_too_large", "_transport", "_unread")

    def __init__(self, transport: asyncio.Transport, take: Take, largest_bytes: int, unread: bytes) -> None:
        self._transport = transport
        self._unread: bytes | None = unread
        self._reader = FrameReader(take, self._control, largest_bytes)
        self._ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._lost = False
        self._closing = False  # a close frame was sent
        self._too_large = False
        self._error: Exception | None = None

    async def follow(self) -> bool:
        """Hand over messages until the connection ends; say whether it ended because one was too large.

        Raises what `take` raised, which ends the connection, too.
        """
        self._read_on()
        await self._ended
        if self._error is not None:
            raise self._error
        return self._too_large

    async def close(self) -> None:
        """Close politely within `CLOSE_TIMEOUT_S`, and at once if cancelled meanwhile."""
        try:
            if not self._lost and not self._transport.is_closing():
                self._ended = asyncio.get_running_loop().create_future()
                self._read_on()
                self._say_goodbye(Close(CloseCode.NORMAL_CLOSURE, "").serialize())
                async with asyncio.timeout(CLOSE_TIMEOUT_S):
                    await self._ended
        except TimeoutError:
            pass  # the server does not answer: it has been told
        finally:
            if not self._transport.is_closing():
                self._transport.abort()

    def cut(self) -> None:
        """End the connection without a close frame."""
        self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """Hand over what is whole."""
        try:
            self._reader.feed(data)
        except FrameError as error:
            self._too_large = error.code == CloseCode.MESSAGE_TOO_BIG
            self._close_with(Close(error.code, "").serialize())
        except Exception as error:  # of `take`: it is its owner's to handle
            self._error = error
            self._transport.abort()

    def _read_on(self) -> None:
        """Begin to read, with what came before."""
        unread, self._unread = self._unread, None
        if unread is None or self._transport.is_closing():
            return
        self._transport.resume_reading()
        if unread:
            self.data_received(unread)

    def connection_lost(self, exc: Exception | None) -> None:
        """Let go of whoever follows or closes."""
        self._lost = True
        if not self._ended.done():
            self._ended.set_result(None)

    def _control(self, opcode: Opcode, payload: bytes) -> None:
        """Answer a ping and a close, as the protocol wants."""
        if opcode is Opcode.PING:
            self._send(Opcode.PONG, payload)
        elif opcode is Opcode.CLOSE:
            self._close_with(payload)

    def _close_with(self, payload: bytes) -> None:
        """Send a close frame, unless one was sent, and end the connection once it is out."""
        self._say_goodbye(payload)
        self._transport.close()

    def _say_goodbye(self, payload: bytes) -> None:
        """Send a close frame, the only one."""
        if not self._closing:
            self._closing = True
            self._send(Opcode.CLOSE, payload)

    def _send(self, opcode: Opcode, payload: bytes) -> None:
        """Send a control frame."""
        self._transport.write(Frame(opcode, payload).serialize(mask=True))


class _Opening(asyncio.Protocol):
    """The opening handshake: `websocket` will hold the connection, or what was wrong with the answer."""

    def __init__(self, protocol: ClientProtocol, take: Take, largest_bytes: int) -> None:
        self.websocket: asyncio.Future[LeanWebsocket] = asyncio.get_running_loop().create_future()
        self._protocol = protocol
        self._take = take
        self._largest_bytes = largest_bytes
        self._head = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the request."""
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(b"".join(self._protocol.data_to_send()))

    def data_received(self, data: bytes) -> None:
        """Read the answer's head; what comes behind a good one is the websocket's first frames."""
        self._head += data
        head, end, rest = self._head.partition(_END_OF_HEAD)
        if not end:
            if len(head) > _LONGEST_HEAD_BYTES:
                self._refuse(InvalidMessage("the answer has no end"))
        elif head.startswith(_SWITCHED):
            self._protocol.receive_data(head + end)
            self._conclude(rest)
        else:
            self._head = end  # the next bytes are the answer's body, which the protocol reads before it says no
            self._protocol.receive_data(head + end + rest)
            self._conclude()

    def connection_lost(self, exc: Exception | None) -> None:
        """Say no, if nothing else was said."""
        if not self.websocket.done():
            self._protocol.receive_eof()
            self._refuse(self._protocol.handshake_exc or InvalidMessage("the connection was closed"))

    def _conclude(self, rest: bytes = b"") -> None:
        """Hand the connection over if the answer is good, say no if it is bad, and wait if it has not come whole."""
        if self._protocol.handshake_exc is not None:
            self._refuse(self._protocol.handshake_exc)
        elif self._protocol.state is State.OPEN and not self.websocket.done():
            self._transport.pause_reading()
            websocket = LeanWebsocket(self._transport, self._take, self._largest_bytes, rest)
            self._transport.set_protocol(websocket)
            self.websocket.set_result(websocket)

    def _refuse(self, error: Exception) -> None:
        """End in failure."""
        if not self.websocket.done():
            self.websocket.set_exception(error)
        self._transport.abort()


async def opened(options: WebsocketOptions, url: str, headers: Mapping[str, str], take: Take) -> LeanWebsocket:
    """Open a websocket; raises `OSError` or `WebSocketException`."""
    uri = parse_uri(url)
    protocol = ClientProtocol(uri, logger=SILENT)
    request = protocol.connect()
    request.headers.update({"User-Agent": USER_AGENT, **headers})
    protocol.send_request(request)
    async with asyncio.timeout(options.connect_timeout_s):
        transport, opening = await asyncio.get_running_loop().create_connection(
            lambda: _Opening(protocol, take, options.largest_event_bytes),
            uri.host,
            uri.port,
            ssl=options.tls,
            server_hostname=uri.host if options.tls else None,
            local_addr=options.local_address(),
        )
        try:
            websocket = await opening.websocket
        except BaseException:
            transport.abort()
            raise
    probe_when_idle(transport)
    return websocket
