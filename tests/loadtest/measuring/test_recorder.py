"""Making samples of requests, over real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from mattermost_load_test.errors import RequestTimeoutError, ServerUnreachableError
from mattermost_load_test.loadtest.measuring.recorder import RecordingTransport, steady_epoch_ms
from mattermost_load_test.mattermost.opening import open_transport
from mattermost_load_test.mattermost.transport import Request, TransportOptions
from mattermost_load_test.timings.records import Sample

Handler = Callable[[web.Request], object]


@asynccontextmanager
async def serving(handler: Handler) -> AsyncIterator[str]:
    """Serve every path by `handler` and give the server's URL."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def request() -> Request:
    """Return some request."""
    return Request("GET", "/api/v4/users/me", "GET /users/me")


@pytest.mark.parametrize(("status", "error"), [(200, None), (204, None), (304, "304"), (404, "404"), (500, "500")])
async def test_each_answer_is_one_sample_and_only_2xx_is_no_error(status: int, error: str | None) -> None:
    """The sample carries the route; anything but a status of 2xx is counted under its status."""

    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status)

    samples: list[Sample] = []
    async with serving(answer) as url, open_transport(TransportOptions(url)) as inner:
        response = await RecordingTransport(inner, steady_epoch_ms(), samples.append).send(request())
    assert response.status == status
    assert [(sample.route, sample.error) for sample in samples] == [("GET /users/me", error)]


async def test_the_duration_lasts_until_the_last_byte_of_the_body() -> None:
    """A body whose end the server holds back holds back the sample too."""
    rest = asyncio.Event()
    begun = asyncio.Event()

    async def answer(asked: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(asked)
        await response.write(b"first half")
        begun.set()
        await rest.wait()
        await response.write(b"second half")
        return response

    times_ms = iter([1_000.0, 1_250.5])
    samples: list[Sample] = []
    async with serving(answer) as url, open_transport(TransportOptions(url)) as inner:
        sending = asyncio.create_task(RecordingTransport(inner, lambda: next(times_ms), samples.append).send(request()))
        await begun.wait()
        assert samples == []
        rest.set()
        response = await sending
    assert response.body == b"first halfsecond half"
    assert samples == [Sample("GET /users/me", 1_000.0, 250.5, None)]


async def test_failures_are_samples_of_their_kind() -> None:
    """A server that is not there and one that does not answer in time each give a sample with the kind of failure."""

    async def hang(_: web.Request) -> web.Response:
        await asyncio.Event().wait()
        return web.Response()

    samples: list[Sample] = []
    async with serving(hang) as url, open_transport(TransportOptions(url, request_timeout_s=0.05)) as inner:
        with pytest.raises(RequestTimeoutError):
            await RecordingTransport(inner, steady_epoch_ms(), samples.append).send(request())
    async with open_transport(TransportOptions(url)) as inner:
        with pytest.raises(ServerUnreachableError):
            await RecordingTransport(inner, steady_epoch_ms(), samples.append).send(request())
    assert [sample.error for sample in samples] == ["timeout", "connection"]


async def test_a_request_that_is_cancelled_is_no_sample() -> None:
    """What the agent itself broke off says nothing about the server."""
    arrived = asyncio.Event()

    async def hang(_: web.Request) -> web.Response:
        arrived.set()
        await asyncio.Event().wait()
        return web.Response()

    samples: list[Sample] = []
    async with serving(hang) as url, open_transport(TransportOptions(url)) as inner:
        sending = asyncio.create_task(RecordingTransport(inner, steady_epoch_ms(), samples.append).send(request()))
        await arrived.wait()
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
    assert samples == []


async def test_a_request_belongs_to_the_phase_in_which_it_began() -> None:
    """A login still under way when the run's samples begin stays one of the login phase."""
    arrived, answered = asyncio.Event(), asyncio.Event()

    async def answer(_: web.Request) -> web.Response:
        arrived.set()
        await answered.wait()
        return web.Response()

    login: list[Sample] = []
    run: list[Sample] = []
    async with serving(answer) as url, open_transport(TransportOptions(url)) as inner:
        recorder = RecordingTransport(inner, steady_epoch_ms(), login.append)
        sending = asyncio.create_task(recorder.send(request()))
        await arrived.wait()
        recorder.sink = run.append
        answered.set()
        await sending
        await recorder.send(request())
    assert (len(login), len(run)) == (1, 1)
