"""One open websocket, whatever library holds it, and how one is opened (`WebsocketTransport` chooses)."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from pydantic import SecretStr
from websockets.exceptions import InvalidStatus, WebSocketException

from mattermost_load_test.errors import (
    ApiError,
    CertificateError,
    RequestTimeoutError,
    ServerError,
    ServerUnreachableError,
    UnexpectedAnswerError,
)
from mattermost_load_test.mattermost.answers import retry_after_s
from mattermost_load_test.mattermost.source_ports import SourcePorts
from mattermost_load_test.mattermost.tls import tls_context

if TYPE_CHECKING:
    from mattermost_load_test.config import ConnectionConfiguration

PATH = "/api/v4/websocket"
ROUTE = "GET /websocket"

# How long a closing handshake may take at the end of a run.
CLOSE_TIMEOUT_S = 1.0

# A connection whose other end is gone is noticed by the kernel's own probes, which cost the agent no task and no timer.
_KEEPALIVE = (("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 15), ("TCP_KEEPCNT", 4))

# At debug level websockets logs the headers it sends, the token among them: its lines go nowhere.
SILENT = logging.Logger("websocket", logging.CRITICAL)
SILENT.addHandler(logging.NullHandler())

Take = Callable[[bytes], object]
"""Is given each message as it came."""


@dataclass(frozen=True, slots=True)
class WebsocketOptions:
    """What the websockets of one server have in common.

    `url` is the server's address; wss:// needs `tls`. A connection must be open within `connect_timeout_s`. Events of
    more than `largest_event_bytes` are not taken. After failure n (from 0) the next attempt comes after a random part
    of `first_backoff_s` × 2ⁿ, at most of `longest_backoff_s`: the first is the web client's shortest wait (3 s), so
    that many users who lost their server at once do not come back at once. `library` names what holds a websocket.
    `source` is where to connect from; None: the system's choice.
    """

    url: str
    tls: ssl.SSLContext | None = None
    connect_timeout_s: float = 60.0
    largest_event_bytes: int = 16 << 20
    first_backoff_s: float = 3.0
    longest_backoff_s: float = 60.0
    library: str = "lean"
    source: SourcePorts | None = None

    @classmethod
    async def of(cls, connection: ConnectionConfiguration) -> WebsocketOptions:
        """Return the options that a configuration asks for; raises `ConfigurationError` for an unusable CA file."""
        url = connection.websocket_url.rstrip("/")
        tls = None
        if url.startswith("wss:"):
            verify = not connection.skip_certificate_verification
            tls = await asyncio.to_thread(tls_context, connection.ca_file, verify)
        return cls(url, tls, connection.request_timeout_seconds, library=connection.websocket_transport)

    def local_address(self) -> tuple[str, int] | None:
        """Return what the next connection is to be bound to, None for the system's choice."""
        return self.source.take() if self.source is not None else None


class WebsocketConnection(Protocol):
    """An open websocket; its messages are handed to the `take` that it was opened with."""

    async def follow(self) -> bool:
        """Hand over messages until the connection ends; say whether it ended because one was too large."""
        ...

    async def close(self) -> None:
        """Close politely within `CLOSE_TIMEOUT_S`, and at once if cancelled meanwhile."""
        ...

    def cut(self) -> None:
        """End the connection without a close frame, as a lost network does."""
        ...


async def open_websocket(
    options: WebsocketOptions, query: str, token: SecretStr | None, take: Take
) -> WebsocketConnection:
    """Open a websocket with a session's token; raises a `ServerError` of any kind."""
    url = options.url + PATH + query
    headers = {"Authorization": f"Bearer {token.get_secret_value()}"} if token else {}
    try:
        if options.library == "websockets":
            from mattermost_load_test.mattermost import websocket_websockets

            return await websocket_websockets.opened(options, url, headers, take)
        from mattermost_load_test.mattermost import websocket_lean

        return await websocket_lean.opened(options, url, headers, take)
    except (OSError, WebSocketException) as error:
        raise _translated(error, options) from error


def probe_when_idle(transport: asyncio.BaseTransport) -> None:
    """Have the kernel find out when the other end of a silent connection is gone."""
    raw: socket.socket | None = transport.get_extra_info("socket")
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
    if isinstance(error, OSError) and error.errno == errno.EMFILE:
        return ServerUnreachableError(f"no websocket to {url}: too many open files; raise the limit by `ulimit -n`")
    if isinstance(error, OSError):
        reason = os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)
        return ServerUnreachableError(
            f"no websocket to {url} ({reason}); does the server run there? (ConnectionConfiguration.WebsocketURL)"
        )
    return UnexpectedAnswerError(
        f"{url} is no websocket of a Mattermost ({error}); check ConnectionConfiguration.WebsocketURL, "
        "and that the proxy lets websockets through"
    )
