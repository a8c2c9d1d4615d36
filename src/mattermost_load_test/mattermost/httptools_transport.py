"""The transport on httptools: HTTP/1.1 over the event loop's own connections, with nothing in between.

It does what the one on aiohttp does: a request is sent once and ends after the request time-out, no cookies are kept,
no redirect is followed, connections in use are never limited. Idle connections are bounded in number and age.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from mattermost_load_test.mattermost import http_failures
from mattermost_load_test.mattermost.addresses import Addresses
from mattermost_load_test.mattermost.deadlines import Deadlines
from mattermost_load_test.mattermost.http_connection import BrokenOffError, HttpConnection, NoHttpError, TooLargeError
from mattermost_load_test.mattermost.transport import USER_AGENT, Request, Response, TransportOptions

LARGE_BODY_BYTES = 256 << 10  # beyond, a body goes out part by part, as fast as the server reads it


class _TooLateError(Exception):
    """The answer was not complete in time."""


class HttptoolsTransport:
    """A `Transport` over connections of our own; `close` ends them all."""

    notes: tuple[str, ...] = ()

    def __init__(self, options: TransportOptions, tls: ssl.SSLContext | None) -> None:
        parts = urlsplit(options.base_url)
        host, port = parts.hostname or "", parts.port or (443 if tls else 80)
        self.server = options.base_url.rstrip("/")
        self._tls = tls
        self._host = host
        self._port = port
        self._local_address = options.local_address  # a function: each connection has its own
        self._addresses = Addresses(host, port)
        self._timeout_s = options.request_timeout_s
        self._largest_bytes = options.largest_answer_bytes
        self._url_key = options.url_key
        self._target = parts.path.rstrip("/")
        self._fields = (
            f" HTTP/1.1\r\nHost: {parts.netloc.rpartition('@')[2]}\r\nUser-Agent: {USER_AGENT}\r\n"
            "Accept: */*\r\nAccept-Encoding: gzip\r\n"
        )
        bounds = (options.max_idle_connections, options.max_idle_connections_per_host)  # there is but one host
        self._most_idle = min((bound for bound in bounds if bound), default=0)
        self._busy = Deadlines[HttpConnection](self._timeout_s, lambda connection: connection.end(_TooLateError()))
        self._idle = Deadlines[HttpConnection](options.idle_timeout_s, lambda connection: connection.end())

    async def send(self, request: Request) -> Response:
        """Send `request` exactly once, see `Transport.send`; what is no HTTP is an `UnexpectedAnswerError`."""
        connection = self._idle.take_last()
        try:
            if connection is None:
                return await self._on_new_connection(request)
            self._busy.add(connection)
            return await self._exchange(connection, request)
        except _TooLateError as error:
            raise http_failures.timed_out(self.server, request.route, self._timeout_s) from error
        except BrokenOffError as error:
            raise http_failures.broken_off(self.server, request.route, error.__cause__) from error
        except TooLargeError as error:
            raise http_failures.too_large(self.server, request.route, self._largest_bytes) from error
        except NoHttpError as error:
            raise http_failures.no_http(self.server, self._url_key, request.route) from error

    def close(self) -> None:
        """End all connections."""
        for connection in (*self._idle.clear(), *self._busy.clear()):
            connection.end()

    async def _on_new_connection(self, request: Request) -> Response:
        """Connect and send `request`, all within the time-out."""
        connection: HttpConnection | None = None
        try:
            async with asyncio.timeout(self._timeout_s) as limit:
                connection = await self._connected()
                self._busy.add(connection)
                return await self._exchange(connection, request)
        except TimeoutError as error:
            if limit.expired():
                raise _TooLateError from error
            raise http_failures.not_connected(self.server, self._url_key, error) from error

    async def _exchange(self, connection: HttpConnection, request: Request) -> Response:
        """Send `request` on `connection` and return the answer."""
        body = request.body
        try:
            if body is None or len(body) <= LARGE_BODY_BYTES:
                return await connection.ask(self._head(request) + (body or b""))
            return await connection.ask_at_length(self._head(request), body)
        except asyncio.CancelledError:
            connection.end()  # half an answer may be on its way
            raise

    def _head(self, request: Request) -> bytes:
        """Return a request's line and headers as they go out."""
        head = f"{request.method} {self._target}{request.path}{self._fields}"
        for name, value in request.headers.items():
            head += f"{name}: {value}\r\n"
        if request.body is not None:
            head += f"Content-Length: {len(request.body)}\r\n"
        elif request.method not in ("GET", "DELETE"):
            head += "Content-Length: 0\r\n"
        return (head + "\r\n").encode()

    async def _connected(self) -> HttpConnection:
        """Return a new connection; raises `ServerUnreachableError`."""
        loop = asyncio.get_running_loop()
        try:
            last: OSError = OSError()
            for address in await self._addresses.in_turn():
                try:
                    _, connection = await loop.create_connection(
                        lambda: HttpConnection(self._freed, self._ended, self._largest_bytes),
                        address,
                        self._port,
                        ssl=self._tls,
                        server_hostname=self._host if self._tls else None,
                        local_addr=self._local_address(),
                    )
                except ssl.SSLError:
                    raise
                except OSError as error:
                    last = error
                else:
                    return connection
            raise last
        except OSError as error:
            raise http_failures.not_connected(self.server, self._url_key, error) from error

    def _freed(self, connection: HttpConnection) -> None:
        """Keep a connection for another request, unless enough are kept."""
        self._busy.discard(connection)
        if self._most_idle and len(self._idle) >= self._most_idle:
            connection.end()
        else:
            self._idle.add(connection)

    def _ended(self, connection: HttpConnection) -> None:
        """Forget a connection."""
        self._busy.discard(connection)
        self._idle.discard(connection)


@asynccontextmanager
async def open_httptools(options: TransportOptions, tls: ssl.SSLContext | None) -> AsyncIterator[HttptoolsTransport]:
    """Open a pool of connections to one server, and close it at the end. No connection is made yet."""
    transport = HttptoolsTransport(options, tls)
    try:
        yield transport
    finally:
        transport.close()
