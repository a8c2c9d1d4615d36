"""Whether a server answers, asked from here, with one request."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

from mattermost_load_test.config import ConnectionConfiguration
from mattermost_load_test.errors import ApiError, OperationError, ServerError
from mattermost_load_test.mattermost.opening import open_transport
from mattermost_load_test.mattermost.rest import Client
from mattermost_load_test.mattermost.transport import TransportOptions

TIMEOUT_S = 5.0
LOGINS = 3
_POLL_S = 0.2


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server said to a ping: its version, and after how long."""

    version: str
    duration_ms: float


def ping(url: str) -> Answer:
    """Ask a Mattermost server whether it is there; raises `ServerError`."""
    return asyncio.run(_ping(url))


def answers(url: str) -> bool:
    """Say whether a Mattermost server answers."""
    try:
        ping(url)
    except ServerError:
        return False
    return True


async def _ping(url: str) -> Answer:
    async with open_transport(TransportOptions(url, request_timeout_s=TIMEOUT_S)) as transport:
        begun_s = time.monotonic()
        status = await Client(transport, server=transport.server).system.ping()
        return Answer(str(status.version), (time.monotonic() - begun_s) * 1000)


def is_licensed(url: str) -> bool:
    """Say whether a server has a licence that it takes; raises `ServerError`."""
    return asyncio.run(_is_licensed(url))


async def _is_licensed(url: str) -> bool:
    async with open_transport(TransportOptions(url, request_timeout_s=TIMEOUT_S)) as transport:
        told = await Client(transport, server=transport.server).system.client_license()
        return told.get("IsLicensed") == "true"


def server_id(url: str) -> str:
    """Return the id that a server gave itself when its database was made, empty if it tells none.

    Raises `ServerError`. It tells a population's server from one that was made anew in its place.
    """
    return asyncio.run(_server_id(url))


async def _server_id(url: str) -> str:
    async with open_transport(TransportOptions(url, request_timeout_s=TIMEOUT_S)) as transport:
        try:
            told = await Client(transport, server=transport.server).system.client_config()
        except ApiError:
            return ""
        return told.get("TelemetryId") or told.get("DiagnosticId", "")


def login_duration_s(connection: ConnectionConfiguration) -> float | None:
    """Return how long the server takes for a login of its admin, the least of some; None when it refuses."""
    try:
        return asyncio.run(_login_duration_s(connection))
    except ServerError:
        return None


async def _login_duration_s(connection: ConnectionConfiguration) -> float:
    durations = []
    async with open_transport(TransportOptions.of(connection)) as transport:
        for _ in range(LOGINS):
            client = Client(transport, server=transport.server)
            begun_s = time.monotonic()
            await client.login(connection.admin_email, connection.admin_password)
            durations.append(time.monotonic() - begun_s)
            await client.logout()
    return min(durations)


def wait_until_up(url: str, timeout_s: float, ended: Callable[[], str | None]) -> Answer:
    """Wait until a server answers; `ended` returns why it never will, once that is so.

    Raises `OperationError` with that reason, or `ServerError` when it does not answer in time.
    """
    deadline_s = time.monotonic() + timeout_s
    while True:
        try:
            return ping(url)
        except ServerError as error:
            if reason := ended():
                raise OperationError(reason) from error
            if time.monotonic() > deadline_s:
                raise ServerError(f"{url} did not come up within {timeout_s:g} s: {error}") from error
        time.sleep(_POLL_S)
