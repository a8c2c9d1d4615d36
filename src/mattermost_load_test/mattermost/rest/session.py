"""One session with a server: its token, and the way every request of it goes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import orjson
from pydantic import SecretStr

from mattermost_load_test.mattermost.answers import decoded, expect_json, expect_success
from mattermost_load_test.mattermost.transport import Request, Response, Transport

T = TypeVar("T")

API = "/api/v4"
JSON_HEADERS: Mapping[str, str] = {"Content-Type": "application/json"}
NO_HEADERS: Mapping[str, str] = {}


class Session:
    """Sends requests with the session's token and checks their answers.

    A route is given as it is measured, ``GET /users/[user id]/status``: its first word is the method. `server` is the
    server's name in messages.
    """

    __slots__ = ("_json_headers", "_plain_headers", "_token", "_transport", "server")

    def __init__(self, transport: Transport, token: SecretStr | None, server: str) -> None:
        self.server = server
        self._transport = transport
        self._token: SecretStr | None = None
        self._json_headers = JSON_HEADERS
        self._plain_headers = NO_HEADERS
        self.token = token

    @property
    def token(self) -> SecretStr | None:
        """The session's token; nothing before the login."""
        return self._token

    @token.setter
    def token(self, token: SecretStr | None) -> None:
        self._token = token
        # Made once per login, not once per request.
        self._plain_headers = {"Authorization": f"Bearer {token.get_secret_value()}"} if token else NO_HEADERS
        self._json_headers = {**self._plain_headers, **JSON_HEADERS}

    async def send(self, route: str, path: str, body: object = None) -> Response:
        """Send a request whose body, if any, is JSON; return the answer whatever its status."""
        if body is None:
            return await self._transport.send(_request(route, API + path, None, self._plain_headers))
        return await self._transport.send(_request(route, API + path, orjson.dumps(body), self._json_headers))

    async def send_bytes(self, route: str, path: str, body: bytes, content_type: str) -> Response:
        """Send a request with a body of another type than JSON; return the answer whatever its status."""
        headers = {**self._plain_headers, "Content-Type": content_type}
        return await self._transport.send(_request(route, API + path, body, headers))

    async def send_outside(self, route: str, path: str, body: object) -> Response:
        """Send JSON without the token, to a path that may be outside the API's."""
        return await self._transport.send(_request(route, path, orjson.dumps(body), JSON_HEADERS))

    async def one(self, route: str, path: str, decode: Callable[[Any], T], body: object = None) -> T:
        """Send a request and read the one thing it is answered with."""
        return self.read(route, await self.send(route, path, body), decode)

    async def many(self, route: str, path: str, decode: Callable[[Any], T], body: object = None) -> tuple[T, ...]:
        """Send a request and read the list it is answered with; servers write null for some empty lists."""
        return self.read(route, await self.send(route, path, body), lambda data: list_of(decode, data))

    async def done(self, route: str, path: str, body: object = None) -> None:
        """Send a request whose good answer holds nothing of interest: it is checked and not decoded."""
        expect_json(route, self.server, await self.send(route, path, body))

    def read(self, route: str, answer: Response, decode: Callable[[Any], T]) -> T:
        """Return what `decode` makes of a good answer."""
        return decoded(route, self.server, answer, decode)

    def expect_success(self, route: str, answer: Response) -> None:
        """Check the status of an answer that is no JSON."""
        expect_success(route, self.server, answer)


def list_of(decode: Callable[[Any], T], data: Any) -> tuple[T, ...]:
    """Decode each element of a list; raises `TypeError` for anything else."""
    if data is None:
        return ()
    if not isinstance(data, list):
        raise TypeError("not a list")
    return tuple(decode(element) for element in data)


def _request(route: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> Request:
    return Request(route.partition(" ")[0], path, route, body, headers)
