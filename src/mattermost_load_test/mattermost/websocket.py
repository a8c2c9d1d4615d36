"""A user's websocket: connected as long as its `run` lasts, read as fast as events come.

`EventStream` is the I/O around `events.EventSequence`. It connects, resumes what it missed, backs off with jitter
when it cannot, and never gives up. It keeps no event; what holds the socket is `websocket_connection`'s to choose.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable

from pydantic import SecretStr

from mattermost_load_test.errors import ApiError, ServerError
from mattermost_load_test.mattermost.events import EventCounters, EventSequence
from mattermost_load_test.mattermost.websocket_connection import (
    WebsocketConnection,
    WebsocketOptions,
    open_websocket,
)

UNAUTHORIZED = 401

# After this many connections in a row that the server ended before any event, the token is taken for dead: a server
# accepts the connection of a dead session, waits 5 s for another authentication and hangs up.
SILENT_CONNECTIONS = 2


class EventStream:
    """One user's websocket.

    `token` gives the session's token each time it is needed. `renew_token` logs in again when the server does not take
    it any more; without, `run` then raises `ApiError` of status 401. `on_event` is called with the name of each event,
    `on_connect` after each connection, `on_failure` with each failed attempt; none of them may block. `counters` may be
    shared with other streams. `sleep` waits so many seconds.
    """

    __slots__ = (
        "_connection",
        "_frames",
        "_on_connect",
        "_on_event",
        "_on_failure",
        "_options",
        "_random",
        "_renew_token",
        "_sequence",
        "_silent",
        "_sleep",
        "_token",
        "_was_connected",
        "counters",
    )

    def __init__(
        self,
        options: WebsocketOptions,
        token: Callable[[], SecretStr | None],
        random: random.Random,
        *,
        renew_token: Callable[[], Awaitable[object]] | None = None,
        on_event: Callable[[str], object] | None = None,
        on_connect: Callable[[], object] | None = None,
        on_failure: Callable[[ServerError], object] | None = None,
        counters: EventCounters | None = None,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self.counters = counters if counters is not None else EventCounters()
        self._options = options
        self._token = token
        self._random = random
        self._renew_token = renew_token
        self._on_event = on_event
        self._on_connect = on_connect
        self._on_failure = on_failure
        self._sleep = sleep
        self._sequence = EventSequence(self.counters)
        self._connection: WebsocketConnection | None = None
        self._frames = 0  # of the present connection, or the last one
        self._silent = 0
        self._was_connected = False

    @property
    def connected(self) -> bool:
        """Whether the websocket is open."""
        return self._connection is not None

    def drop(self) -> None:
        """Cut the connection, if there is one, without a close frame as a lost network does; `run` connects again."""
        if self._connection is not None:
            self._connection.cut()

    async def run(self) -> None:
        """Stay connected and take events until cancelled; owned by the caller's task group.

        Raises `ApiError` when the token is refused and cannot be renewed.
        """
        failures = 0
        while True:
            wait_s = 0.0
            try:
                if await self._follow(await self._connect()):
                    failures = 0
                elif self._silent >= SILENT_CONNECTIONS:
                    await self._renew()
            except ServerError as error:
                wait_s = await self._failed(error)
            await self._sleep(max(wait_s, self._backoff_s(failures)))
            failures += 1

    async def _connect(self) -> WebsocketConnection:
        """Open the websocket; raises a `ServerError` of any kind."""
        self._frames = 0
        return await open_websocket(self._options, self._sequence.query(), self._token(), self._take)

    def _take(self, frame: bytes) -> None:
        """Take note of a frame."""
        self._frames += 1
        name = self._sequence.take(frame)
        if name and self._on_event is not None:
            self._on_event(name)

    async def _follow(self, connection: WebsocketConnection) -> bool:
        """Take events until the connection ends; return whether there were any."""
        self._connection = connection
        try:
            self._count_connection()
            if await connection.follow():
                self._sequence.skip()
        finally:
            self._connection = None
            await connection.close()
        resumed = bool(self._sequence.connection_id)
        self._silent = 0 if self._frames or resumed else self._silent + 1
        self._sequence.closed(self._frames)
        return self._frames > 0

    def _count_connection(self) -> None:
        """Count a connection that was made, and tell the owner."""
        self.counters.connects += 1
        self.counters.reconnects += self._was_connected
        self._was_connected = True
        if self._on_connect is not None:
            self._on_connect()

    async def _failed(self, error: ServerError) -> float:
        """Tell of a failed attempt, renew a refused token, and return how long the server asks to wait, in seconds."""
        refused = isinstance(error, ApiError) and error.status == UNAUTHORIZED
        if refused and self._renew_token is None:
            raise error
        if self._on_failure is not None:
            self._on_failure(error)
        if refused:
            await self._renew()
        return (error.retry_after_s or 0.0) if isinstance(error, ApiError) else 0.0

    async def _renew(self) -> None:
        """Ask for another token; if that fails, the next attempt asks again."""
        self._silent = 0
        if self._renew_token is None:
            return
        try:
            await self._renew_token()
        except ServerError as error:
            if self._on_failure is not None:
                self._on_failure(error)

    def _backoff_s(self, failures: int) -> float:
        """Return how long to wait after so many failures: a random part of a span that doubles each time."""
        span_s = self._options.first_backoff_s * 2.0 ** min(failures, 32)
        return self._random.random() * min(span_s, self._options.longest_backoff_s)
