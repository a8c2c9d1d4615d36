"""The one-method interface that every REST request goes through.

A transport sends one request and gives back its answer, whatever the status; it knows nothing of Mattermost. The
recorder of the agent is a transport around another, so that everything an entity sends is measured in one place.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol


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
