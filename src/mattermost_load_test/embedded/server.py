"""The embedded Mattermost as a running server: put together, listening, and shut down cleanly.

::

    async with serve(ServerOptions()) as server:
        ...  # server.url, server.websocket_url, server.state, server.faults
"""

from __future__ import annotations

import asyncio
import gc
import random
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from aiohttp import web

from mattermost_load_test.embedded.app import SITE, build_app
from mattermost_load_test.embedded.events import Events
from mattermost_load_test.embedded.faults import AT_REST, Dials, Faults
from mattermost_load_test.embedded.hub import Hub
from mattermost_load_test.embedded.listeners import Listeners
from mattermost_load_test.embedded.metrics import PATH as METRICS_PATH
from mattermost_load_test.embedded.metrics import Metrics, Readings
from mattermost_load_test.embedded.site import Site
from mattermost_load_test.embedded.sockets import PATH as SOCKET_PATH
from mattermost_load_test.embedded.sockets import REAL_TIMES, Sockets, SocketTimes
from mattermost_load_test.embedded.state import State

SHUTDOWN_S = 2.0
"""How long requests in hand may take when the server stops."""

REAP_INTERVAL_S = 60.0
"""How often connections whose client never came back are looked for."""

ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}
"""Where this machine itself reaches a server that listens on all addresses."""


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """How an embedded server is to be.

    `ports` are listened on with one state behind them all, 0 taking a free one; `version` is ``11.6`` or ``5.37``;
    `licensed` plays a licensed server; `post_metadata` False leaves `metadata` out of posts, as older servers do;
    `faults` is how its dials stand at first; `seed` is where its randomness (ids, faults) comes from, None for another
    each time.
    """

    host: str = "127.0.0.1"
    ports: tuple[int, ...] = (0,)
    version: str = "11.6"
    licensed: bool = False
    post_metadata: bool = True
    faults: Faults = AT_REST
    socket_times: SocketTimes = REAL_TIMES
    seed: int | None = None


class EmbeddedServer:
    """A running embedded server: where it is, what it holds, and the dials of its faults."""

    def __init__(self, host: str, ports: Sequence[int], site: Site, sockets: Sockets, faults: Dials) -> None:
        address = ANY_ADDRESS.get(host, host)
        shown = f"[{address}]" if ":" in address else address
        self.urls = tuple(f"http://{shown}:{port}" for port in ports)
        """Its URL on each of its ports."""
        self.site = site
        self.state = site.state
        self.sockets = sockets
        self.hub = sockets.hub
        self.faults = faults

    @property
    def url(self) -> str:
        """Its URL, on its first port."""
        return self.urls[0]

    @property
    def websocket_url(self) -> str:
        """The URL of its websocket route, on its first port."""
        return self.url.replace("http", "ws", 1) + SOCKET_PATH


@asynccontextmanager
async def serve(options: ServerOptions) -> AsyncIterator[EmbeddedServer]:
    """Run an embedded server while the context lasts.

    Raises `PortInUseError` when a port is taken and `UsageError` when an address cannot be listened on.
    """
    chance = random.Random(options.seed)
    state = State(options.version, licensed=options.licensed, randomness=chance)
    metrics = Metrics(lambda: _read(sockets, state), modern=state.version.modern)
    hub = Hub(state, Events(modern=state.version.modern), metrics.observe_event)
    app = build_app(state, hub, options)
    sockets = Sockets(hub, app[SITE], options.socket_times, metrics.observe_reconnect)
    dials = Dials(options.faults, sockets, chance)
    _add_routes(app, sockets, metrics, dials)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_S)
    await runner.setup()
    assert runner.server is not None  # setup() made it
    listeners = Listeners(options.host, options.ports, runner.server)
    try:
        await listeners.open()
        await dials.rule(listeners)
        server = EmbeddedServer(options.host, listeners.ports, app[SITE], sockets, dials)
        app[SITE].listens_at(server.url)
        gc.callbacks.append(metrics.pauses)
        async with _background(dials.cut_sockets(), dials.make_outages(), _reap(hub, state)):
            yield server
    finally:
        with suppress(ValueError):  # it was never there
            gc.callbacks.remove(metrics.pauses)
        listeners.close()
        sockets.close_all()
        await runner.cleanup()


def _add_routes(app: web.Application, sockets: Sockets, metrics: Metrics, dials: Dials) -> None:
    """Add what is not REST: websockets, metrics, faults."""
    for path in (SOCKET_PATH, f"{SOCKET_PATH}/"):
        app.router.add_get(path, sockets.connect)
    app.router.add_get(METRICS_PATH, metrics.answer)
    app.middlewares.extend((dials.middleware(), metrics.middleware()))


def _read(sockets: Sockets, state: State) -> Readings:
    return Readings(state.counts, state.users.active_count, len(sockets.open), sockets.hub.user_count)


async def _reap(hub: Hub, state: State) -> None:
    """Forget connections whose client never came back, until cancelled."""
    while True:
        await asyncio.sleep(REAP_INTERVAL_S)
        hub.forget_absent(state.now_ms())


@asynccontextmanager
async def _background(*work: Coroutine[None, None, None]) -> AsyncIterator[None]:
    """Run endless work beside the context; not a TaskGroup, which would wrap the errors of the context's body."""
    tasks = [asyncio.create_task(coroutine) for coroutine in work]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await task
