"""The dials of the embedded server: each does what it says, while the server runs, and back again."""

from __future__ import annotations

import asyncio
import random
import statistics
import time
from typing import TYPE_CHECKING

import aiohttp
import pytest
from websockets.exceptions import InvalidStatus

from mattermost_load_test.embedded.faults import Delay, Faults, Fixed, LogNormal, Uniform

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.conftest import AddPerson, StartServer

    from mattermost_load_test.embedded.server import EmbeddedServer

PING = "/api/v4/system/ping"
LOGIN = {"login_id": "nobody", "password": "Loadtestpassword1"}


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    """Give a client that keeps its connections."""
    async with aiohttp.ClientSession() as session:
        yield session


async def ping(http: aiohttp.ClientSession, server: EmbeddedServer) -> tuple[int, str]:
    """Ask whether the server lives; gives status and content type."""
    async with http.get(server.url + PING) as response:
        return response.status, response.content_type


async def test_the_error_rate_is_a_share_of_requests(start_server: StartServer, http: aiohttp.ClientSession) -> None:
    """About the dialled share of requests is answered with the dialled status, and the same ones for the same seed."""
    outcomes = []
    for _ in range(2):
        server = await start_server(seed=7, faults=Faults(error_rate=0.3, error_status=503))
        outcomes.append([(await ping(http, server))[0] for _ in range(200)])
        await server.faults.rest()
        assert await ping(http, server) == (200, "application/json")
    assert outcomes[0] == outcomes[1]
    assert set(outcomes[0]) == {200, 503}
    assert 35 <= outcomes[0].count(503) <= 85


async def test_errors_are_mattermost_errors(embedded: EmbeddedServer, http: aiohttp.ClientSession) -> None:
    """A dialled error has the form of the server's own."""
    await embedded.faults.turn(error_rate=1.0)
    async with http.get(embedded.url + PING) as response:
        error = await response.json()
    assert error["status_code"] == response.status == 500
    assert error["id"] == "embedded.fault.app_error"


async def test_html_instead_of_json(embedded: EmbeddedServer, http: aiohttp.ClientSession) -> None:
    """The dial for HTML answers as a proxy does whose server is away."""
    await embedded.faults.turn(html_rate=1.0)
    assert await ping(http, embedded) == (502, "text/html")


async def test_latency_is_added(embedded: EmbeddedServer, http: aiohttp.ClientSession) -> None:
    """A request takes at least the dialled delay, until the dial is turned back."""
    await embedded.faults.turn(latency=Fixed(80))
    started = time.monotonic()
    assert await ping(http, embedded) == (200, "application/json")
    assert time.monotonic() - started >= 0.08
    await embedded.faults.turn(latency=None)
    assert embedded.faults.now == Faults()


@pytest.mark.parametrize(
    ("delay", "median_ms", "p99_ms"),
    [(Fixed(20), 20, 20), (Uniform(10, 30), 20, 29.8), (LogNormal(20, 200), 20, 200)],
)
def test_delays_have_their_distribution(delay: Delay, median_ms: float, p99_ms: float) -> None:
    """Each distribution has the median and the 99th percentile that it was given."""
    chance = random.Random(1)
    drawn = sorted(delay.draw_s(chance) * 1000 for _ in range(20_000))
    assert statistics.median(drawn) == pytest.approx(median_ms, rel=0.05)
    assert drawn[int(0.99 * len(drawn))] == pytest.approx(p99_ms, rel=0.1)


async def test_a_hanging_server_answers_nothing(embedded: EmbeddedServer, http: aiohttp.ClientSession) -> None:
    """A hanging request is never answered; those made after the dial is turned back are."""
    await embedded.faults.turn(hang_rate=1.0)
    hanging = asyncio.create_task(ping(http, embedded))
    done, _ = await asyncio.wait((hanging,), timeout=0.3)
    assert not done
    await embedded.faults.rest()
    assert await ping(http, embedded) == (200, "application/json")
    assert not hanging.done()
    hanging.cancel()
    await asyncio.gather(hanging, return_exceptions=True)


async def test_too_many_logins(embedded: EmbeddedServer, http: aiohttp.ClientSession) -> None:
    """Logins are answered 429 in plain text with `Retry-After`, and other requests only if it is dialled for all."""
    await embedded.faults.turn(too_many_rate=1.0, retry_after_s=3)
    async with http.post(f"{embedded.url}/api/v4/users/login", json=LOGIN) as response:
        assert (response.status, response.content_type) == (429, "text/plain")
        assert response.headers["Retry-After"] == "3"
    assert (await ping(http, embedded))[0] == 200
    await embedded.faults.turn(too_many_on_login_only=False)
    assert (await ping(http, embedded))[0] == 429


async def test_refused_connections(embedded: EmbeddedServer, http: aiohttp.ClientSession) -> None:
    """New connections are refused and standing ones reset; afterwards the same port answers again."""
    assert (await ping(http, embedded))[0] == 200
    await embedded.faults.turn(refuse_connections=True)
    with pytest.raises(aiohttp.ClientConnectionError):
        await http.post(f"{embedded.url}/api/v4/users/login", json=LOGIN)
    async with aiohttp.ClientSession() as fresh:
        with pytest.raises(aiohttp.ClientConnectorError):
            await ping(fresh, embedded)
    await embedded.faults.rest()
    assert (await ping(http, embedded))[0] == 200


async def test_a_server_may_begin_by_refusing(start_server: StartServer, http: aiohttp.ClientSession) -> None:
    """A server whose dials stand on refusal from the start keeps its port for later."""
    server = await start_server(faults=Faults(refuse_connections=True))
    with pytest.raises(aiohttp.ClientConnectorError):
        await ping(http, server)
    await server.faults.rest()
    assert (await ping(http, server))[0] == 200


async def test_all_sockets_dropped_at_once(embedded: EmbeddedServer, add_person: AddPerson) -> None:
    """Every websocket ends without a close frame, and its client may come back."""
    admin = await add_person(embedded, "admin")
    async with admin.socket() as one, admin.socket() as other:
        await one.news()
        await other.news()
        embedded.faults.drop_sockets()
        for socket in (one, other):
            assert (await socket.until_closed()).rcvd is None
    async with admin.socket() as again:
        assert await again.names() == ["hello", "status_change"]


async def test_sockets_dropped_at_a_rate(start_server: StartServer, add_person: AddPerson) -> None:
    """Websockets are cut one after the other at the dialled rate, from the moment it is dialled."""
    server = await start_server(seed=1)
    admin = await add_person(server, "admin")
    async with admin.socket() as one, admin.socket() as other:
        await one.news()
        await other.news()
        await server.faults.turn(dropped_sockets_per_minute=60_000)
        await one.until_closed()
        await other.until_closed()


async def test_upgrades_suffer_and_metrics_do_not(embedded: EmbeddedServer, add_person: AddPerson) -> None:
    """A websocket's upgrade suffers as any request does; the metrics page, which no client uses, is spared."""
    admin = await add_person(embedded, "admin")
    await embedded.faults.turn(error_rate=1.0, error_status=503)
    with pytest.raises(InvalidStatus, match="503"):
        async with admin.socket():
            pass
    async with admin.http.get(f"{embedded.url}/metrics") as response:
        assert response.status == 200
