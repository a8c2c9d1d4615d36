"""Faults of the embedded server, dialled in for tests and demonstrations, and turned while it runs.

`Faults` is how the dials stand, `Dials` is what a test turns: ``await server.faults.turn(error_rate=0.1)``. With all of
them at rest a request pays for one comparison.
"""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import Awaitable
from dataclasses import dataclass, replace
from typing import Any, Protocol

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

LOGIN_PATH = "/api/v4/users/login"

SPARED_PATHS = frozenset(("/metrics",))
"""What no fault befalls: real servers have their metrics on a port of their own."""

GONE_CHECK_S = 0.2
"""How often a request that hangs looks whether its client is still there."""

HTML_PAGE = "<!DOCTYPE html><html><head><title>Maintenance</title></head><body>Back soon.</body></html>"
"""What a proxy in front of a server that is away answers."""


class Delay(Protocol):
    """A distribution of delays."""

    def draw_s(self, chance: random.Random) -> float:
        """Draw a delay in seconds."""


@dataclass(frozen=True, slots=True)
class Fixed:
    """Always the same delay."""

    delay_ms: float

    def draw_s(self, chance: random.Random) -> float:
        """Give the delay in seconds."""
        return self.delay_ms / 1000


@dataclass(frozen=True, slots=True)
class Uniform:
    """Delays spread evenly between two."""

    low_ms: float
    high_ms: float

    def draw_s(self, chance: random.Random) -> float:
        """Draw a delay in seconds."""
        return (self.low_ms + (self.high_ms - self.low_ms) * chance.random()) / 1000


@dataclass(frozen=True, slots=True)
class LogNormal:
    """Delays as servers have them: half below `median_ms`, one in a hundred above `p99_ms`."""

    median_ms: float
    p99_ms: float

    def draw_s(self, chance: random.Random) -> float:
        """Draw a delay in seconds."""
        sigma = math.log(self.p99_ms / self.median_ms) / NORMAL_P99
        return chance.lognormvariate(math.log(self.median_ms), sigma) / 1000


NORMAL_P99 = 2.3263478740408408
"""The 99th percentile of the standard normal distribution."""


@dataclass(frozen=True, slots=True)
class Faults:
    """How the dials stand; rates are shares of requests between 0 and 1, and by default nothing is wrong."""

    latency: Delay | None = None
    """How much later than it could each request is answered."""
    error_rate: float = 0.0
    """Share of requests answered `error_status` with a Mattermost error."""
    error_status: int = 500
    html_rate: float = 0.0
    """Share of requests answered 502 with a page of HTML."""
    hang_rate: float = 0.0
    """Share of requests never answered."""
    too_many_rate: float = 0.0
    """Share of requests answered 429 in plain text with ``Retry-After``."""
    too_many_on_login_only: bool = True
    """Whether only logins are answered 429."""
    retry_after_s: int = 1
    dropped_sockets_per_minute: float = 0.0
    """How many websockets, picked by chance, are cut a minute."""
    refuse_connections: bool = False
    """Whether new connections are refused and requests on those that stand reset them."""
    outage_every_s: float = 0.0
    """After how long connections are refused for `outage_s`, again and again; 0 is never."""
    outage_s: float = 5.0


AT_REST = Faults()


class Listening(Protocol):
    """What takes new connections in."""

    async def open(self) -> None:
        """Take new connections in; nothing to do while it is done already."""

    def close(self) -> None:
        """Refuse new connections."""


class OpenSockets(Protocol):
    """All open websockets."""

    def close_all(self) -> None:
        """Cut all of them, without a close frame."""

    def close_one(self, pick: float) -> None:
        """Cut the one at the share `pick` (0 to 1) of them, without a close frame; nothing to do without any."""


class Dials:
    """The dials of a running server; `chance` is where their randomness comes from."""

    def __init__(self, faults: Faults, sockets: OpenSockets, chance: random.Random) -> None:
        self.now = faults
        """How they stand."""
        self._sockets = sockets
        self._chance = chance
        self._listening: Listening | None = None
        self._turned = (asyncio.Event(), asyncio.Event())
        """Set when a dial is turned: one each for who cuts sockets and who makes outages."""
        self._spares_requests = _spares_requests(faults)

    async def rule(self, listening: Listening) -> None:
        """Rule from now on over what takes new connections in."""
        self._listening = listening
        await self._set(self.now)

    async def turn(self, **changes: Any) -> None:
        """Turn dials, named and measured as in `Faults`; the others stay as they are. It has effect on return."""
        await self._set(replace(self.now, **changes))

    async def rest(self) -> None:
        """Turn all dials back: nothing is wrong any more."""
        await self._set(AT_REST)

    def drop_sockets(self) -> None:
        """Cut all websockets now, without a close frame."""
        self._sockets.close_all()

    async def _set(self, faults: Faults) -> None:
        self.now = faults
        self._spares_requests = _spares_requests(faults)
        for turned in self._turned:
            turned.set()
        if self._listening is None:
            return
        if faults.refuse_connections:
            self._listening.close()
        else:
            await self._listening.open()

    def middleware(self) -> Middleware:
        """Make the aiohttp middleware that does to requests what the dials say; to be the outermost."""

        @web.middleware
        def meddle(request: web.Request, handler: Handler) -> Awaitable[web.StreamResponse]:
            if self._spares_requests or request.path in SPARED_PATHS:
                return handler(request)
            return self._meddle(request, handler)

        return meddle

    async def _meddle(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        faults, chance = self.now, self._chance
        if faults.latency is not None:
            await asyncio.sleep(faults.latency.draw_s(chance))
        if faults.refuse_connections and request.transport is not None:
            request.transport.abort()
        if chance.random() < faults.hang_rate:
            await _until_gone(request)
        limited = not faults.too_many_on_login_only or request.path == LOGIN_PATH
        if limited and chance.random() < faults.too_many_rate:
            return web.Response(status=429, text="limit exceeded", headers={"Retry-After": str(faults.retry_after_s)})
        if chance.random() < faults.html_rate:
            return web.Response(status=502, text=HTML_PAGE, content_type="text/html")
        if chance.random() < faults.error_rate:
            return web.json_response(_error(faults.error_status), status=faults.error_status)
        return await handler(request)

    async def cut_sockets(self) -> None:
        """Cut websockets at the rate dialled in, until cancelled."""
        while True:
            rate = self.now.dropped_sockets_per_minute
            pause_s = -math.log(1 - self._chance.random()) * 60 / rate if rate > 0 else None
            if not await _happens(self._turned[0], pause_s):
                self._sockets.close_one(self._chance.random())

    async def make_outages(self) -> None:
        """Refuse connections for a while now and then, as dialled in, until cancelled."""
        while True:
            if not await _happens(self._turned[1], self.now.outage_every_s or None):
                await self.turn(refuse_connections=True)
                await asyncio.sleep(self.now.outage_s)
                await self.turn(refuse_connections=False)


async def _happens(event: asyncio.Event, within_s: float | None) -> bool:
    """Tell whether something happens from now on within a time; None waits for ever."""
    event.clear()
    try:
        async with asyncio.timeout(within_s):
            await event.wait()
    except TimeoutError:
        return False
    return True


def _spares_requests(faults: Faults) -> bool:
    """Tell whether requests are left alone."""
    at_rest = replace(faults, dropped_sockets_per_minute=0.0, outage_every_s=0.0, outage_s=AT_REST.outage_s)
    return at_rest == AT_REST


async def _until_gone(request: web.Request) -> None:
    """Wait until the client has hung up."""
    # aiohttp has no event for it
    while request.transport is not None and not request.transport.is_closing():  # noqa: ASYNC110
        await asyncio.sleep(GONE_CHECK_S)


def _error(status: int) -> dict[str, Any]:
    """Make a Mattermost error that no Mattermost sends."""
    message = "A fault that was dialled in."
    return {"id": "embedded.fault.app_error", "message": message, "detailed_error": "", "status_code": status}
