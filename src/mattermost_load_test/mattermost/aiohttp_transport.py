"""The transport on aiohttp: one pool of connections to one server, shared by all sessions of a process.

A request is sent once and ends after the request time-out. No cookies are kept (a session cookie would win over the
Bearer header and then want a CSRF token), no redirect is followed, connections in use are never limited.
"""

from __future__ import annotations

import io
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import aiohttp
from yarl import URL

from mattermost_load_test.errors import ServerError
from mattermost_load_test.mattermost import http_failures
from mattermost_load_test.mattermost.transport import USER_AGENT, Request, Response, TransportOptions

# aiohttp warns of larger bodies given as bytes: it would write them in one go and hold up the loop.
LARGE_BODY_BYTES = 1 << 20

IDLE_COUNTS_NOTE = (
    "ConnectionConfiguration.MaxIdleConns and MaxIdleConnsPerHost are not applied by HTTPTransport aiohttp: "
    "idle connections are bounded by IdleConnTimeoutMilliseconds alone"
)


class AiohttpTransport:
    """A `Transport` over an aiohttp session, which stays its opener's to close."""

    notes = (IDLE_COUNTS_NOTE,)

    def __init__(self, session: aiohttp.ClientSession, options: TransportOptions) -> None:
        self.server = options.base_url.rstrip("/")
        self._session = session
        self._timeout_s = options.request_timeout_s
        self._url_key = options.url_key
        self._largest_bytes = options.largest_answer_bytes

    async def send(self, request: Request) -> Response:
        """Send `request` exactly once, see `Transport.send`; what is no HTTP is an `UnexpectedAnswerError`."""
        url = URL(self.server + request.path, encoded=True)
        data = request.body
        try:
            async with self._session.request(
                request.method,
                url,
                data=io.BytesIO(data) if data is not None and len(data) > LARGE_BODY_BYTES else data,
                headers=request.headers,
                allow_redirects=False,
            ) as answer:
                return Response(answer.status, answer.headers, await self._body(answer, request.route))
        except _SentOnceError as error:
            raise self._translated(error.reason, request.route) from error.reason
        except (aiohttp.ClientError, OSError) as error:
            raise self._translated(error, request.route) from error

    async def _body(self, answer: aiohttp.ClientResponse, route: str) -> bytes:
        """Return the body of an answer, unpacked; raises `UnexpectedAnswerError` for one that is too large."""
        parts, size_bytes = [], 0
        async for part in answer.content.iter_any():
            size_bytes += len(part)
            if size_bytes > self._largest_bytes:
                raise http_failures.too_large(self.server, route, self._largest_bytes)
            parts.append(part)
        return b"".join(parts)

    def _translated(self, error: Exception, route: str) -> ServerError:
        """Return the error of our tree that `error` amounts to."""
        if isinstance(error, aiohttp.ClientConnectorCertificateError):
            return http_failures.not_connected(self.server, self._url_key, error.certificate_error)
        if isinstance(error, aiohttp.ClientConnectorError):
            return http_failures.not_connected(self.server, self._url_key, _cause(error))
        if isinstance(error, TimeoutError):
            return http_failures.timed_out(self.server, route, self._timeout_s)
        if isinstance(error, aiohttp.ClientResponseError):
            return http_failures.no_http(self.server, self._url_key, route)
        return http_failures.broken_off(self.server, route, error)


def _cause(error: aiohttp.ClientConnectorError) -> BaseException:
    """Return what the resolver, ssl or the system said, which aiohttp wraps."""
    if isinstance(error, aiohttp.ClientConnectorSSLError) and not isinstance(error.os_error, ssl.SSLError):
        return ssl.SSLError()
    if isinstance(error, aiohttp.ClientConnectorDNSError) and not isinstance(error.os_error, socket.gaierror):
        return socket.gaierror()
    return error.os_error


class _SentOnceError(Exception):
    """Carries a broken connection past aiohttp, which would send an idempotent request again."""

    def __init__(self, reason: Exception) -> None:
        super().__init__(str(reason))
        self.reason = reason


async def _send_once(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """Keep aiohttp from its retry: a request of the load is sent once, and its failure is a result.

    aiohttp repeats idempotent methods when a connection breaks, and offers no option against it; it does so for its own
    classes of error only, so a middleware that raises another class ends the request.
    """
    try:
        return await handler(request)
    except (aiohttp.ClientConnectorError, aiohttp.ServerTimeoutError):
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise _SentOnceError(error) from error


def _bound_socket(options: TransportOptions, info: aiohttp.AddrInfoType) -> socket.socket:
    """Return a socket for one connection, bound to the port whose turn it is; aiohttp's own option knows one only."""
    family, kind, protocol, _, _ = info
    made = socket.socket(family, kind, protocol)
    try:
        made.setblocking(False)
        if (address := options.local_address()) is not None:
            made.bind(address)
    except OSError:
        made.close()
        raise
    return made


@asynccontextmanager
async def open_aiohttp(options: TransportOptions, tls: ssl.SSLContext | None) -> AsyncIterator[AiohttpTransport]:
    """Open a pool of connections to one server, and close it at the end. No connection is made yet."""
    connector = aiohttp.TCPConnector(
        limit=0,
        limit_per_host=0,
        keepalive_timeout=options.idle_timeout_s or None,
        ssl=tls or True,
        socket_factory=partial(_bound_socket, options) if options.source is not None else None,
    )
    async with aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=options.request_timeout_s),
        headers={"User-Agent": USER_AGENT, "Accept-Encoding": "gzip"},
        middlewares=(_send_once,),
    ) as session:
        yield AiohttpTransport(session, options)
