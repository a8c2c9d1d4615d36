"""A user's websocket on `websockets`: connected as long as its `run` lasts, read as fast as events come.

`EventStream` is the I/O around `events.EventSequence`. It connects, resumes what it missed, backs off with jitter
when it cannot, and never gives up. It reads one event at a time and keeps none; what waits in between is bounded.
"""

from __future__ import annotations

import asyncio
import logging
import os
import random
import socket
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import SecretStr
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException
from websockets.frames import CloseCode

from mattermost_load_test.errors import (
    ApiError,
    CertificateError,
    RequestTimeoutError,
    ServerError,
    ServerUnreachableError,
    UnexpectedAnswerError,
)
from mattermost_load_test.mattermost.answers import retry_after_s
from mattermost_load_test.mattermost.events import EventCounters, EventSequence
from mattermost_load_test.mattermost.tls import tls_context
from mattermost_load_test.mattermost.transport import USER_AGENT

if TYPE_CHECKING:
    from mattermost_load_test.config import ConnectionConfiguration

PATH = "/api/v4/websocket"
ROUTE = "GET /websocket"
UNAUTHORIZED = 401

# As many events as the server keeps for a connection that reads slowly; beyond, reading pauses.
QUEUED_EVENTS = 256

# How long a closing handshake may take at the end of a run.
CLOSE_TIMEOUT_S = 1.0

# After this many connections in a row that the server ended before any event, the token is taken for dead: a server
# accepts the connection of a dead session, waits 5 s for another authentication and hangs up.
SILENT_CONNECTIONS = 2

# A connection whose other end is gone is noticed by the kernel's own probes, which cost the agent no task and no timer.
_KEEPALIVE = (("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 15), ("TCP_KEEPCNT", 4))

# At debug level websockets logs the headers it sends, the token among them: its lines go nowhere.
_SILENT = logging.Logger("websocket", logging.CRITICAL)
_SILENT.addHandler(logging.NullHandler())


@dataclass(frozen=True, slots=True)
class WebsocketOptions:
    """What the websockets of one server have in common.

    `url` is the server's address; wss:// needs `tls`. A connection must be open within `connect_timeout_s`. Events of
    more than `largest_event_bytes` are not taken. After failure n (from 0) the next attempt comes after a random part
    of `first_backoff_s` × 2ⁿ, at most of `longest_backoff_s`: the first is the web client's shortest wait (3 s), so
    that many users who lost their server at once do not come back at once.
    """

    url: str
    tls: ssl.SSLContext | None = None
    connect_timeout_s: float = 60.0
    largest_event_bytes: int = 16 << 20
    first_backoff_s: float = 3.0
    longest_backoff_s: float = 60.0

    @classmethod
    async def of(cls, connection: ConnectionConfiguration) -> WebsocketOptions:
        """Return the options that a configuration asks for; raises `ConfigurationError` for an unusable CA file."""
        url = connection.websocket_url.rstrip("/")
        tls = None
        if url.startswith("wss:"):
            verify = not connection.skip_certificate_verification
            tls = await asyncio.to_thread(tls_context, connection.ca_file, verify)
        return cls(url, tls, connection.request_timeout_seconds)


class EventStream:
    """One user's websocket.

    `token` gives the session's token each time it is needed. `renew_token` logs in again when the server does not take
    it any more; without, `run` then raises `ApiError` of status 401. `on_event` is called with the name of each event,
    `on_connect` after each connection, `on_failure` with each failed attempt; none of them may block. `counters` may be
    shared with other streams. `sleep` waits so many seconds.
    """

    __slots__ = (
        "_connection",
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
        self._connection: ClientConnection | None = None
        self._silent = 0
        self._was_connected = False

    @property
    def connected(self) -> bool:
        """Whether the websocket is open."""
        return self._connection is not None

    def drop(self) -> None:
        """Cut the connection, if there is one, without a close frame as a lost network does; `run` connects again."""
        if self._connection is not None:
            self._connection.transport.abort()

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

    async def _connect(self) -> ClientConnection:
        """Open the websocket; raises a `ServerError` of any kind."""
        token = self._token()
        try:
            connection = await _Connect(
                self._options.url + PATH + self._sequence.query(),
                compression=None,
                additional_headers={"Authorization": f"Bearer {token.get_secret_value()}"} if token else None,
                user_agent_header=USER_AGENT,
                proxy=None,
                ssl=self._options.tls,
                open_timeout=self._options.connect_timeout_s,
                ping_interval=None,  # the server pings; a ping of our own would cost each connection a task
                close_timeout=CLOSE_TIMEOUT_S,
                max_size=self._options.largest_event_bytes,
                max_queue=QUEUED_EVENTS,
                logger=_SILENT,
            )
        except (OSError, WebSocketException) as error:
            raise _translated(error, self._options) from error
        _probe_when_idle(connection)
        return connection

    async def _follow(self, connection: ClientConnection) -> bool:
        """Take events until the connection ends; return whether there were any."""
        self._connection = connection
        frames = 0
        try:
            self._count_connection()
            while True:
                frame = await connection.recv(decode=False)
                frames += 1
                name = self._sequence.take(frame)
                if name and self._on_event is not None:
                    self._on_event(name)
        except ConnectionClosed as closed:
            if closed.sent is not None and closed.sent.code == CloseCode.MESSAGE_TOO_BIG:
                self._sequence.skip()
        finally:
            self._connection = None
            await _close(connection)
        resumed = bool(self._sequence.connection_id)
        self._silent = 0 if frames or resumed else self._silent + 1
        self._sequence.closed(frames)
        return frames > 0

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


class _Connect(connect):
    """The connecting of websockets, without its following of redirects: the token is for this server only."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


async def _close(connection: ClientConnection) -> None:
    """Close politely within `CLOSE_TIMEOUT_S`, and at once if cancelled meanwhile."""
    try:
        await connection.close()
    finally:
        connection.transport.abort()


def _probe_when_idle(connection: ClientConnection) -> None:
    """Have the kernel find out when the other end of a silent connection is gone."""
    raw: socket.socket | None = connection.transport.get_extra_info("socket")
    if raw is None:
        return
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in _KEEPALIVE:
        if hasattr(socket, option):  # Linux has all of them, other systems some
            raw.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)


def _translated(error: Exception, options: WebsocketOptions) -> ServerError:
    """Return the error of our tree that a failed connection amounts to."""
    url = options.url
    if isinstance(error, InvalidStatus):
        return ApiError(ROUTE, error.response.status_code, retry_after_s=retry_after_s(error.response.headers))
    if isinstance(error, TimeoutError):
        return RequestTimeoutError(f"{url} did not open a websocket within {options.connect_timeout_s:g} s")
    if isinstance(error, ssl.SSLCertVerificationError):
        return CertificateError(
            f"the certificate of {url} cannot be verified ({error.verify_message}); name the authority's certificate "
            "in ConnectionConfiguration.CAFile, or switch the check off by SkipCertificateVerification"
        )
    if isinstance(error, OSError):
        reason = os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)
        return ServerUnreachableError(
            f"no websocket to {url} ({reason}); does the server run there? (ConnectionConfiguration.WebsocketURL)"
        )
    return UnexpectedAnswerError(
        f"{url} is no websocket of a Mattermost ({error}); check ConnectionConfiguration.WebsocketURL, "
        "and that the proxy lets websockets through"
    )
