"""The transport on aiohttp: one pool of connections to one server, shared by all sessions of a process.

A request is sent once and ends after the request time-out. No cookies are kept (a session cookie would win over the
Bearer header and then want a CSRF token), no redirect is followed, connections in use are never limited.
"""

from __future__ import annotations

import asyncio
import errno
import io
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import aiohttp
from yarl import URL

from mattermost_load_test import __version__
from mattermost_load_test.errors import (
    CertificateError,
    RequestTimeoutError,
    ServerError,
    ServerUnreachableError,
    UnexpectedAnswerError,
)
from mattermost_load_test.mattermost.tls import tls_context
from mattermost_load_test.mattermost.transport import Request, Response

if TYPE_CHECKING:
    from mattermost_load_test.config import ConnectionConfiguration

USER_AGENT = f"mattermost-load-test/{__version__}"

# aiohttp warns of larger bodies given as bytes: it would write them in one go and hold up the loop.
LARGE_BODY_BYTES = 1 << 20

IDLE_COUNTS_NOTE = (
    "ConnectionConfiguration.MaxIdleConns and MaxIdleConnsPerHost are not applied: "
    "idle connections are bounded by IdleConnTimeoutMilliseconds alone"
)


@dataclass(frozen=True, slots=True)
class TransportOptions:
    """How to reach a server.

    `base_url` is the server's address, a sub-path included. `request_timeout_s` bounds a request from the call to the
    last byte of the answer. The three idle values bound idle connections only, 0 meaning no bound; aiohttp can apply
    the time-out alone. `ca_file` names further authorities to trust (PEM).
    """

    base_url: str
    request_timeout_s: float = 60.0
    max_idle_connections: int = 100
    max_idle_connections_per_host: int = 128
    idle_timeout_s: float = 90.0
    ca_file: str = ""
    verify_certificate: bool = True

    @classmethod
    def of(cls, connection: ConnectionConfiguration) -> TransportOptions:
        """Return the options that a configuration asks for."""
        return cls(
            base_url=connection.server_url,
            request_timeout_s=connection.request_timeout_seconds,
            max_idle_connections=connection.max_idle_conns,
            max_idle_connections_per_host=connection.max_idle_conns_per_host,
            idle_timeout_s=connection.idle_conn_timeout_milliseconds / 1000,
            ca_file=connection.ca_file,
            verify_certificate=not connection.skip_certificate_verification,
        )


class AiohttpTransport:
    """A `Transport` over an aiohttp session, which stays its opener's to close.

    `notes` are sentences for the user about options that could not be applied, to be said once.
    """

    def __init__(self, session: aiohttp.ClientSession, options: TransportOptions) -> None:
        self.notes = (IDLE_COUNTS_NOTE,)
        self.server = options.base_url.rstrip("/")
        self._session = session
        self._timeout_s = options.request_timeout_s

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
                return Response(answer.status, answer.headers, await answer.read())
        except _SentOnceError as error:
            raise self._translated(error.reason, request) from error.reason
        except (aiohttp.ClientError, OSError) as error:
            raise self._translated(error, request) from error

    def _translated(self, error: Exception, request: Request) -> ServerError:
        """Return the error of our tree that `error` amounts to."""
        if isinstance(error, aiohttp.ClientConnectorError | aiohttp.ClientConnectorCertificateError):
            return _not_connected(error, self.server)
        if isinstance(error, TimeoutError):
            return RequestTimeoutError(
                f"{self.server} did not answer {request.route} completely within {self._timeout_s:g} s "
                "(ConnectionConfiguration.RequestTimeoutSeconds): is it overloaded, or is it something else?"
            )
        if isinstance(error, aiohttp.ClientResponseError):
            return UnexpectedAnswerError(
                f"{self.server} answered {request.route} with something that is not HTTP; "
                "check ConnectionConfiguration.ServerURL, scheme and port included"
            )
        return ServerUnreachableError(
            f"{self.server} broke the connection off before {request.route} was answered completely"
            f"{_reason(error)}; look into the server's and the proxy's log"
        )


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


def _reason(error: BaseException) -> str:
    """Return what the operating system says about `error`, in brackets, or nothing."""
    number = error.errno if isinstance(error, OSError) else None
    return f" ({os.strerror(number)})" if number and number > 0 else ""  # a resolver's numbers are negative


def _not_connected(error: Exception, server: str) -> ServerUnreachableError:
    """Return the error for a connection that could not be made."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return CertificateError(
            f"the certificate of {server} cannot be verified ({error.certificate_error}); name the authority's "
            "certificate in ConnectionConfiguration.CAFile, or switch the check off by SkipCertificateVerification"
        )
    if isinstance(error, aiohttp.ClientConnectorSSLError):
        return ServerUnreachableError(
            f"{server} does not speak TLS; should ConnectionConfiguration.ServerURL be http://?"
        )
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return ServerUnreachableError(f"the host of {server} is unknown; check ConnectionConfiguration.ServerURL")
    if isinstance(error, OSError) and error.errno == errno.EMFILE:
        return ServerUnreachableError(f"no connection to {server}: too many open files; raise the limit by `ulimit -n`")
    return ServerUnreachableError(
        f"no connection to {server}{_reason(error)}; does the server run there? (ConnectionConfiguration.ServerURL)"
    )


@asynccontextmanager
async def open_transport(options: TransportOptions | ConnectionConfiguration) -> AsyncIterator[AiohttpTransport]:
    """Open a pool of connections to one server, and close it at the end.

    No connection is made yet. Raises `ConfigurationError` when the CA file cannot be used.
    """
    if not isinstance(options, TransportOptions):
        options = TransportOptions.of(options)
    secure = URL(options.base_url).scheme == "https"
    context = await asyncio.to_thread(tls_context, options.ca_file, options.verify_certificate) if secure else True
    connector = aiohttp.TCPConnector(
        limit=0,
        limit_per_host=0,
        keepalive_timeout=options.idle_timeout_s or None,
        ssl=context,
    )
    async with aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=options.request_timeout_s),
        headers={"User-Agent": USER_AGENT, "Accept-Encoding": "gzip"},
        middlewares=(_send_once,),
    ) as session:
        yield AiohttpTransport(session, options)
