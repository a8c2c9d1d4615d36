"""A websocket held by the library *websockets*, complete and careful; to compare the lean one with."""

from __future__ import annotations

from collections.abc import Mapping

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.frames import CloseCode

from mattermost_load_test.mattermost.transport import USER_AGENT
from mattermost_load_test.mattermost.websocket_connection import (
    CLOSE_TIMEOUT_S,
    SILENT,
    Take,
    WebsocketOptions,
    probe_when_idle,
)

# As many events as the server keeps for a connection that reads slowly; beyond, reading pauses.
QUEUED_EVENTS = 256


class LibraryWebsocket:
    """A `WebsocketConnection` around one of websockets."""

    __slots__ = ("_connection", "_take")

    def __init__(self, connection: ClientConnection, take: Take) -> None:
        self._connection = connection
        self._take = take

    async def follow(self) -> bool:
        """Hand over messages until the connection ends; say whether it ended because one was too large."""
        receive, take = self._connection.recv, self._take
        try:
            while True:
                take(await receive(decode=False))
        except ConnectionClosed as closed:
            return closed.sent is not None and closed.sent.code == CloseCode.MESSAGE_TOO_BIG

    async def close(self) -> None:
        """Close politely within `CLOSE_TIMEOUT_S`, and at once if cancelled meanwhile."""
        try:
            await self._connection.close()
        finally:
            self._connection.transport.abort()

    def cut(self) -> None:
        """End the connection without a close frame."""
        self._connection.transport.abort()


class _Connect(connect):
    """The connecting of websockets, without its following of redirects: the token is for this server only."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


async def opened(options: WebsocketOptions, url: str, headers: Mapping[str, str], take: Take) -> LibraryWebsocket:
    """Open a websocket; raises `OSError` or `WebSocketException`."""
    connection = await _Connect(
        url,
        compression=None,
        additional_headers=headers,
        user_agent_header=USER_AGENT,
        proxy=None,
        local_addr=options.local_address(),
        ssl=options.tls,
        open_timeout=options.connect_timeout_s,
        ping_interval=None,  # the server pings; a ping of our own would cost each connection a task
        close_timeout=CLOSE_TIMEOUT_S,
        max_size=options.largest_event_bytes,
        max_queue=QUEUED_EVENTS,
        logger=SILENT,
    )
    probe_when_idle(connection.transport)
    return LibraryWebsocket(connection, take)
