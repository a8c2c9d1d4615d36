"""The set-up's admin session, renewed where the server ends it: a bulk load can outlast a session.

A session ends when its time is up, when somebody ends it, when the account's password is changed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

from mattermost_load_test.mattermost.rest import Client
from mattermost_load_test.mattermost.transport import Request, Response, Transport

UNAUTHORIZED = 401
AUTHORIZATION = "Authorization"


class AdminTransport:
    """Sends the admin's requests through `inner`; one refused for its session is sent again after a login.

    `renewing` says whose session it is and how to log in; before that, and for the login itself, nothing is renewed.
    """

    def __init__(self, inner: Transport) -> None:
        self._inner = inner
        self._admin: Client | None = None
        self._log_in: Callable[[Client], Awaitable[object]] | None = None
        self._turn = asyncio.Lock()

    def renewing(self, admin: Client, log_in: Callable[[Client], Awaitable[object]]) -> None:
        """Renew the session of `admin` from now on by `log_in`, which raises `AdminLoginError` if it is refused."""
        self._admin, self._log_in = admin, log_in

    async def send(self, request: Request) -> Response:
        """Send `request`, see `Transport.send`; raises `AdminLoginError`, too."""
        answer = await self._inner.send(request)
        if answer.status != UNAUTHORIZED or AUTHORIZATION not in request.headers or self._admin is None:
            return answer
        return await self._inner.send(replace(request, headers=await self._renewed(self._admin, request)))

    async def _renewed(self, admin: Client, request: Request) -> dict[str, str]:
        """Return the headers of a refused request with the session's new token."""
        async with self._turn:  # of many requests refused at once, one logs in
            if self._log_in is not None and request.headers[AUTHORIZATION] == _bearer(admin):
                fresh = Client(self._inner, server=admin.server)
                await self._log_in(fresh)
                admin.token = fresh.token
            return {**request.headers, AUTHORIZATION: _bearer(admin)}


def _bearer(client: Client) -> str:
    """Return the header's value for a client's token."""
    return f"Bearer {client.token.get_secret_value()}" if client.token else ""
