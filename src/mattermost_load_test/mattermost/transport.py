"""The one-method interface that every REST request goes through.

A transport sends one request and gives back its answer, whatever the status; it knows nothing of Mattermost. The
recorder of the agent is a transport around another, so that everything an entity sends is measured in one place.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from mattermost_load_test import __version__
from mattermost_load_test.mattermost.source_ports import SourcePorts

if TYPE_CHECKING:
    from mattermost_load_test.config import ConnectionConfiguration

USER_AGENT = f"mattermost-load-test/{__version__}"


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request to a Mattermost server.

    `path` is everything behind the server's URL, query included and already encoded. `route` is the name under which it
    is measured, such as ``GET /users/[user id]/status``: the caller knows it, nobody guesses it back from the path.
    `headers` holds what the request needs beyond the transport's own; a token stands there only and is never logged.
    """

    method: str
    path: str
    route: str
    body: bytes | None = field(default=None, repr=False)  # may hold a password
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)  # may hold a token


@dataclass(frozen=True, slots=True)
class Response:
    """The answer to a request, its body read to the last byte. Header names compare without regard to case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Transport(Protocol):
    """Something that carries requests to a server."""

    async def send(self, request: Request) -> Response:
        """Send `request` exactly once and return the answer, whatever its status.

        Raises `ServerUnreachableError` (`CertificateError` among them) when there is no connection or it breaks, and
        `RequestTimeoutError` when the answer is not complete in time.
        """
        ...


class ServerTransport(Transport, Protocol):
    """A transport to one server.

    `server` is its address, for messages. `notes` are sentences for the user about options that could not be applied,
    to be said once.
    """

    @property
    def server(self) -> str:
        """The server's address."""
        ...

    @property
    def notes(self) -> tuple[str, ...]:
        """What the user should know."""
        ...


@dataclass(frozen=True, slots=True)
class TransportOptions:
    """How to reach a server.

    `base_url` is the server's address, a sub-path included. `request_timeout_s` bounds a request from the call to the
    last byte of the answer. The three idle values bound idle connections only, 0 meaning no bound. `ca_file` names
    further authorities to trust (PEM). `library` names what speaks HTTP: see `opening`. `url_key` is the key that the
    address comes from, for messages. `source` is where to connect from; None: the system's choice. More than
    `largest_answer_bytes` of an answer is an `UnexpectedAnswerError`: the default is far beyond Mattermost's files.
    """

    base_url: str
    request_timeout_s: float = 60.0
    max_idle_connections: int = 100
    max_idle_connections_per_host: int = 128
    idle_timeout_s: float = 90.0
    ca_file: str = ""
    verify_certificate: bool = True
    library: str = "httptools"
    url_key: str = "ConnectionConfiguration.ServerURL"
    source: SourcePorts | None = None
    largest_answer_bytes: int = 256 << 20

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
            library=connection.http_transport,
        )

    def local_address(self) -> tuple[str, int] | None:
        """Return what the next connection is to be bound to, None for the system's choice."""
        return self.source.take() if self.source is not None else None
