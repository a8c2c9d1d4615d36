"""A user's websocket against real websocket servers that do what a test tells them."""

from __future__ import annotations

import asyncio
import contextlib
import random
import resource
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from pydantic import SecretStr
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.utils import accept_key

from mattermost_load_test.config import ConnectionConfiguration
from mattermost_load_test.errors import (
    ApiError,
    CertificateError,
    RequestTimeoutError,
    ServerError,
    ServerUnreachableError,
    UnexpectedAnswerError,
)
from mattermost_load_test.mattermost.events import EventCounters
from mattermost_load_test.mattermost.websocket import EventStream
from mattermost_load_test.mattermost.websocket_connection import WebsocketOptions

DEADLINE_S = 10
ID = "abcdefghijklmnopqrstuvwxyz"


def event(number: int, name: str = "posted", padding: int = 0) -> str:
    """Return an event as servers write it."""
    return f'{{"event": "{name}", "data": {{"pad": "{"x" * padding}"}}, "broadcast": {{}}, "seq": {number}}}'


def hello(connection_id: str = ID) -> str:
    """Return the first event of a connection."""
    return f'{{"event":"hello","data":{{"connection_id":"{connection_id}"}},"broadcast":{{}},"seq":0}}'


Handler = Callable[["Visit"], Awaitable[None]]


class Visit:
    """One connection as the server sees it."""

    def __init__(self, number: int, connection: ServerConnection) -> None:
        assert connection.request is not None
        self.number = number  # from 1
        self.connection = connection
        self.headers = connection.request.headers
        self.query = {key: value[0] for key, value in parse_qs(urlsplit(connection.request.path).query).items()}

    async def send(self, *messages: str) -> None:
        """Send messages."""
        for message in messages:
            await self.connection.send(message)

    def cut(self) -> None:
        """End the connection without a close frame."""
        self.connection.transport.abort()


class Watched:
    """An event stream under test, with all that it told its owner."""

    def __init__(self, options: WebsocketOptions, **further: Any) -> None:
        self.events: list[str] = []
        self.failures: list[ServerError] = []
        self.connects = 0
        self.waits_s: list[float] = []
        self.token = "s3cret"
        self._changed = asyncio.Event()
        self.stream = EventStream(
            options,
            lambda: SecretStr(self.token),
            random.Random(1),
            on_event=lambda name: self._note(self.events.append, name),
            on_connect=self._connected,
            on_failure=lambda error: self._note(self.failures.append, error),
            sleep=self._sleep,
            **further,
        )

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait until something has come about that the stream told of."""
        async with asyncio.timeout(DEADLINE_S):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    def _note(self, keep: Callable[[Any], None], what: Any) -> None:
        keep(what)
        self._changed.set()

    def _connected(self) -> None:
        self.connects += 1
        self._changed.set()

    async def _sleep(self, duration_s: float) -> None:
        """Note how long to wait, and do not."""
        self.waits_s.append(duration_s)
        self._changed.set()
        await asyncio.sleep(0)


Running = Callable[..., AbstractAsyncContextManager[Watched]]
"""Runs an event stream for as long as the block lasts, given options and further arguments of `EventStream`."""


@pytest.fixture(params=["lean", "websockets"])
def library(request: pytest.FixtureRequest) -> str:
    """Name each library that holds websockets."""
    return str(request.param)


@pytest.fixture
def many_files() -> Iterator[None]:
    """Let this process open as many files as a thousand websockets and their server need."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 4096), max(hard, 4096)))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.fixture
def running(library: str) -> Running:
    """Give what runs an event stream on each library."""

    @asynccontextmanager
    async def run(options: WebsocketOptions, **further: Any) -> AsyncIterator[Watched]:
        watched = Watched(replace(options, library=library), **further)
        task = asyncio.create_task(watched.stream.run())
        try:
            yield watched
            assert not task.done(), "the stream gave up"
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    return run


@asynccontextmanager
async def server(handler: Handler, **further: Any) -> AsyncIterator[WebsocketOptions]:
    """Run a websocket server on a free port; give the options to connect to it."""
    visits = 0

    async def serve_visit(connection: ServerConnection) -> None:
        nonlocal visits
        visits += 1
        await handler(Visit(visits, connection))

    async with serve(serve_visit, "127.0.0.1", 0, ping_interval=None, close_timeout=1, **further) as listening:
        port = next(iter(listening.sockets)).getsockname()[1]
        scheme = "wss" if further.get("ssl") else "ws"
        yield WebsocketOptions(f"{scheme}://127.0.0.1:{port}")


async def stay(visit: Visit) -> None:
    """Say hello and stay until the client goes."""
    await visit.send(hello())
    await visit.connection.wait_closed()


async def test_it_connects_and_counts(running: Running) -> None:
    """The stream connects with the Bearer header, without compression, and calls for every event."""
    seen: list[Visit] = []

    async def handler(visit: Visit) -> None:
        seen.append(visit)
        await visit.send(hello(), event(1), event(2, "typing"))
        await visit.connection.wait_closed()

    async with server(handler) as options, running(options) as watched:
        await watched.until(lambda: len(watched.events) == 3)
        assert watched.events == ["hello", "posted", "typing"]
        assert watched.stream.connected
        assert watched.stream.counters == EventCounters(events=3, connects=1)
        assert seen[0].headers["Authorization"] == "Bearer s3cret"
        assert "Sec-WebSocket-Extensions" not in seen[0].headers
        assert seen[0].query == {}
        assert watched.connects == 1


async def test_it_closes_properly_when_cancelled(running: Running) -> None:
    """The end of a run is a closing handshake, not a cut."""
    codes: list[int | None] = []

    async def handler(visit: Visit) -> None:
        await stay(visit)
        codes.append(visit.connection.close_code)

    async with server(handler) as options:
        async with running(options) as watched:
            await watched.until(lambda: watched.events)
        assert not watched.stream.connected
    assert codes == [1000]


async def test_it_resumes_after_a_cut(running: Running) -> None:
    """A new connection asks for what comes next, and what was missed is not missed."""
    queries: list[dict[str, str]] = []

    async def handler(visit: Visit) -> None:
        queries.append(visit.query)
        if visit.number == 1:
            await visit.send(hello(), event(1))
            await visit.connection.send("")  # flushed with the events before the cut
            visit.cut()
        else:
            await visit.send(event(2), event(3))
            await visit.connection.wait_closed()

    async with server(handler) as options, running(options) as watched:
        await watched.until(lambda: watched.stream.counters.events == 4)
        assert queries == [{}, {"connection_id": ID, "sequence_number": "2"}]
        counters = watched.stream.counters
        assert (counters.reconnects, counters.missed, counters.resets) == (1, 0, 0)


async def test_a_drop_cuts_and_the_stream_comes_back(running: Running) -> None:
    """The action *drop websocket* ends the connection without a close frame; the owner hears of each connection."""
    codes: list[int | None] = []

    async def handler(visit: Visit) -> None:
        if visit.number == 1:
            await stay(visit)
            codes.append(visit.connection.close_code)
        else:
            await visit.send(event(1))
            await visit.connection.wait_closed()

    async with server(handler) as options, running(options) as watched:
        watched.stream.drop()  # not connected yet: nothing to cut
        await watched.until(lambda: watched.events == ["hello"])
        watched.stream.drop()
        await watched.until(lambda: watched.events == ["hello", "posted"])
        assert codes == [1006]
        assert watched.connects == 2
        assert watched.failures == []


async def test_a_server_that_forgot_the_connection_is_counted(running: Running) -> None:
    """A hello with another id means that an unknown number of events was lost."""

    async def handler(visit: Visit) -> None:
        await visit.send(hello(str(visit.number) * 26))
        if visit.number == 1:
            await visit.connection.close()
        await visit.connection.wait_closed()

    async with server(handler) as options, running(options) as watched:
        await watched.until(lambda: len(watched.events) == 2)
        assert watched.stream.counters.resets == 1


async def test_an_id_that_the_server_hangs_up_on_is_given_up(running: Running) -> None:
    """A connection closed without a word, twice, is followed by a new one instead of the same again for ever."""
    queries: list[dict[str, str]] = []

    async def handler(visit: Visit) -> None:
        queries.append(visit.query)
        if visit.query:
            visit.cut()
        elif len(queries) == 1:
            await visit.send(hello())
            await visit.connection.close()
        else:
            await stay(visit)

    async with server(handler) as options, running(options) as watched:
        await watched.until(lambda: len(watched.events) == 2)
        assert [bool(query) for query in queries] == [False, True, True, False]


async def test_missed_events_are_counted(running: Running) -> None:
    """A gap in the numbers counts, whatever made it."""

    async def handler(visit: Visit) -> None:
        await visit.send(hello(), event(1), event(12))
        await visit.connection.wait_closed()

    async with server(handler) as options, running(options) as watched:
        await watched.until(lambda: len(watched.events) == 3)
        assert watched.stream.counters.missed == 10


async def test_an_event_too_large_is_dropped_once(running: Running) -> None:
    """It is counted as dropped by the agent; the next connection asks for the one behind it."""
    queries: list[dict[str, str]] = []

    async def handler(visit: Visit) -> None:
        queries.append(visit.query)
        if visit.number == 1:
            await visit.send(hello(), event(1, padding=5000))
        else:
            await visit.send(event(2))
        await visit.connection.wait_closed()

    async with server(handler) as options:
        small = WebsocketOptions(options.url, largest_event_bytes=1000)
        async with running(small) as watched:
            await watched.until(lambda: "posted" in watched.events)
            assert queries[1]["sequence_number"] == "2"
            assert watched.stream.counters.dropped == 1
            assert watched.stream.counters.missed == 0


async def test_messages_in_parts_pings_and_large_ones_are_read(running: Running) -> None:
    """Whatever a server may send between events, and however it cuts a message up, every event is taken once."""
    large = event(2, padding=200_000)

    async def handler(visit: Visit) -> None:
        await visit.send(hello())
        await visit.connection.send(iter((event(1)[:10], event(1)[10:])))
        latency_s = await visit.connection.ping()
        await visit.send(large)
        await visit.connection.send(event(3).encode(), text=True)
        await visit.connection.send(event(4).encode(), text=False)
        assert await latency_s >= 0
        await visit.send(event(5, "pinged"))
        await visit.connection.wait_closed()

    async with server(handler) as options, running(options) as watched:
        await watched.until(lambda: "pinged" in watched.events)
        assert watched.stream.counters == EventCounters(events=6, connects=1)


async def test_a_message_too_large_in_parts_is_dropped_once(running: Running) -> None:
    """The bound holds for a message whose parts are small."""
    queries: list[dict[str, str]] = []

    async def handler(visit: Visit) -> None:
        queries.append(visit.query)
        if visit.number == 1:
            await visit.send(hello())
            with contextlib.suppress(ConnectionClosed):
                await visit.connection.send("x" * 100 for _ in range(100))
        else:
            await visit.send(event(2))
        await visit.connection.wait_closed()

    async with server(handler) as options, running(replace(options, largest_event_bytes=1000)) as watched:
        await watched.until(lambda: "posted" in watched.events)
        assert queries[1]["sequence_number"] == "2"
        assert watched.stream.counters.dropped == 1


async def test_a_close_is_answered(running: Running) -> None:
    """A server that closes, as one going down does, gets its closing handshake, and the stream comes back."""
    codes: list[int | None] = []

    async def handler(visit: Visit) -> None:
        await visit.send(hello())
        if visit.number == 1:
            await visit.connection.close(1012)
            codes.append(visit.connection.close_code)
        await visit.connection.wait_closed()

    async with server(handler) as options, running(options) as watched:
        await watched.until(lambda: len(watched.events) == 2 and codes)
        assert codes == [1012]


async def test_an_owner_that_fails_is_told(library: str) -> None:
    """What the owner's own callback raises ends the stream: nothing of it is lost in the event loop."""

    def fail(name: str) -> None:
        raise RuntimeError(f"cannot bear {name}")

    async with server(stay) as options:
        stream = EventStream(replace(options, library=library), lambda: None, random.Random(1), on_event=fail)
        with pytest.raises(RuntimeError, match="cannot bear hello"):
            await stream.run()
        assert not stream.connected


async def test_a_server_that_stops_reading_does_not_hold_the_end_up(running: Running, raw_server: Any) -> None:
    """At the end of a run a closing handshake that is never answered is waited for a second, no longer."""

    async def script(exchange: Any) -> None:
        key = exchange.header("Sec-WebSocket-Key")
        await exchange.send(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept_key(key).encode() + b"\r\n\r\n"
        )
        await exchange.reader.read()

    async with raw_server(script) as raw:
        async with running(WebsocketOptions(raw.url.replace("http", "ws"))) as watched:
            await watched.until(lambda: watched.connects)
            begun_s = asyncio.get_running_loop().time()
        assert asyncio.get_running_loop().time() - begun_s < 5
        await raw.until(lambda: raw.ended == 1)


@pytest.mark.parametrize(
    "frames",
    [
        b"\x81\x85\0\0\0\0hello",  # masked
        b"\xc1\x05hello",  # compressed, which nobody asked for
        b"\x83\x05hello",  # of an unknown kind
        b"\x80\x05hello",  # the rest of nothing
        b"\x01\x02he\x81\x02ll",  # a message within another
        b"\x09\x01a",  # a ping in parts
        b"\x89\x7e\x00\x80" + bytes(128),  # a ping too long
    ],
    ids=["masked", "compressed", "unknown", "continued", "nested", "ping in parts", "long ping"],
)
async def test_a_server_that_breaks_the_protocol_is_left(running: Running, raw_server: Any, frames: bytes) -> None:
    """Frames that no server may send end the connection with code 1002, and the stream connects anew."""
    closing: list[bytes] = []

    async def script(exchange: Any) -> None:
        key = exchange.header("Sec-WebSocket-Key")
        await exchange.send(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept_key(key).encode() + b"\r\n\r\n" + frames
        )
        closing.append(await exchange.reader.readexactly(8))
        exchange.writer.close()

    async with raw_server(script) as raw:
        async with running(WebsocketOptions(raw.url.replace("http", "ws"))) as watched:
            await watched.until(lambda: watched.connects > 1)
        head, mask, code = closing[0][:2], closing[0][2:6], closing[0][6:8]
        assert head[0] == 0x88
        assert bytes(byte ^ key for byte, key in zip(code, mask, strict=False)) == (1002).to_bytes(2, "big")


async def test_it_drains_a_flood(running: Running) -> None:
    """Far more events than wait anywhere are all read, in order."""
    flood = 20_000

    async def handler(visit: Visit) -> None:
        await visit.send(hello())
        for number in range(1, flood + 1):
            await visit.connection.send(event(number, padding=200))
        await visit.connection.wait_closed()

    async with server(handler) as options, running(options) as watched:
        await watched.until(lambda: watched.stream.counters.events == flood + 1)
        assert (watched.stream.counters.missed, watched.stream.counters.dropped) == (0, 0)


async def test_it_never_gives_up_and_backs_off_with_jitter(running: Running) -> None:
    """While nobody listens the waits grow at random up to their bound; back again, they begin anew."""

    async def handler(visit: Visit) -> None:
        await visit.send(hello())
        await visit.connection.close()

    async with server(handler) as options:
        pass  # its port is free again
    async with running(options) as watched:
        await watched.until(lambda: len(watched.failures) == 200)
        failures, waits_s = len(watched.failures), watched.waits_s[:]
        assert {type(error) for error in watched.failures} == {ServerUnreachableError}
        assert "WebsocketURL" in str(watched.failures[0])
        bounds_s = [min(3.0 * 2**number, 60.0) for number in range(len(waits_s))]
        assert all(0 <= wait_s < bound_s for wait_s, bound_s in zip(waits_s, bounds_s, strict=True))
        assert max(waits_s) > 50
        assert len({round(wait_s, 6) for wait_s in waits_s}) > failures / 2
        port = int(options.url.rpartition(":")[2])

        async def serve_visit(connection: ServerConnection) -> None:
            await connection.send(hello())
            await connection.close()

        async with serve(serve_visit, "127.0.0.1", port):
            await watched.until(lambda: watched.connects == 3)
            assert watched.waits_s[-1] < 3.0


async def test_streams_do_not_come_back_at_once() -> None:
    """Users who lost their server at the same moment wait for different times."""
    waits_s = set()
    for seed in range(50):
        stream = EventStream(WebsocketOptions("ws://127.0.0.1:1"), lambda: None, random.Random(seed))
        waits_s.add(round(stream._backoff_s(0), 1))
    assert len(waits_s) > 15


async def test_a_refused_token_is_renewed(running: Running) -> None:
    """A 401 asks for another token, and the next connection takes it."""
    tokens: list[str] = []

    def check(connection: ServerConnection, request: Request) -> Response | None:
        tokens.append(request.headers["Authorization"])
        return None if tokens[-1] == "Bearer new" else connection.respond(HTTPStatus.UNAUTHORIZED, "")

    async def renew() -> None:
        watched.token = "new"

    async with server(stay, process_request=check) as options, running(options, renew_token=renew) as watched:
        await watched.until(lambda: watched.events)
        assert tokens == ["Bearer s3cret", "Bearer new"]
        (failure,) = watched.failures
        assert isinstance(failure, ApiError)
        assert failure.status == 401


async def test_a_refused_token_that_cannot_be_renewed_ends_the_stream(library: str) -> None:
    """Without a way to a new token the refusal is the owner's to handle."""

    def refuse(connection: ServerConnection, request: Request) -> Response:
        return connection.respond(HTTPStatus.UNAUTHORIZED, "")

    async with server(stay, process_request=refuse) as options:
        stream = EventStream(replace(options, library=library), lambda: SecretStr("s3cret"), random.Random(1))
        with pytest.raises(ApiError, match="GET /websocket was answered 401") as caught:
            await stream.run()
        assert "s3cret" not in str(caught.value)


async def test_a_token_that_is_dead_but_not_refused_is_renewed(running: Running) -> None:
    """Real servers accept a dead session's connection and hang up without a word: after two, a token is asked for."""

    async def handler(visit: Visit) -> None:
        if visit.headers["Authorization"] == "Bearer new":
            await stay(visit)
        else:
            visit.cut()

    async def renew() -> None:
        watched.token = "new"

    async with server(handler) as options, running(options, renew_token=renew) as watched:
        await watched.until(lambda: watched.events)
        assert watched.stream.counters.connects == 3


async def test_a_renewal_that_fails_is_tried_again(running: Running) -> None:
    """A login that is refused for the moment does not end the stream."""
    tries = 0

    def check(connection: ServerConnection, request: Request) -> Response | None:
        return None if tries == 3 else connection.respond(HTTPStatus.UNAUTHORIZED, "")

    async def renew() -> None:
        nonlocal tries
        tries += 1
        if tries < 3:
            raise ApiError("POST /users/login", 401, "api.user.login.inactive.app_error")

    async with server(stay, process_request=check) as options, running(options, renew_token=renew) as watched:
        await watched.until(lambda: watched.events)
        assert [getattr(error, "route", "") for error in watched.failures] == [
            "GET /websocket",
            "POST /users/login",
        ] * 2 + ["GET /websocket"]


async def test_retry_after_is_honoured(running: Running) -> None:
    """A server that limits connections says how long to stay away."""
    refused = 0

    def check(connection: ServerConnection, request: Request) -> Response | None:
        nonlocal refused
        refused += 1
        if refused > 1:
            return None
        response = connection.respond(HTTPStatus.TOO_MANY_REQUESTS, "slower")
        response.headers["Retry-After"] = "33"
        return response

    async with server(stay, process_request=check) as options, running(options) as watched:
        await watched.until(lambda: watched.events)
        assert watched.waits_s == [33.0]


async def test_a_redirect_is_not_followed(running: Running) -> None:
    """The token is for this server only."""

    def redirect(connection: ServerConnection, request: Request) -> Response:
        response = connection.respond(HTTPStatus.FOUND, "")
        response.headers["Location"] = request.path
        return response

    async with server(stay, process_request=redirect) as options, running(options) as watched:
        await watched.until(lambda: watched.failures)
        assert isinstance(watched.failures[0], ApiError)
        assert watched.failures[0].status == 302


async def test_something_that_is_no_websocket(running: Running, raw_server: Any) -> None:
    """A server that speaks something else is named with the key to check."""

    async def script(exchange: Any) -> None:
        await exchange.send(b"220 mail ready\r\n\r\n")
        exchange.writer.close()

    async with raw_server(script) as raw:
        async with running(WebsocketOptions(raw.url.replace("http", "ws"))) as watched:
            await watched.until(lambda: watched.failures)
        assert isinstance(watched.failures[0], UnexpectedAnswerError)
        assert "WebsocketURL" in str(watched.failures[0])


async def test_a_server_that_hangs(running: Running, raw_server: Any) -> None:
    """A handshake that is never answered ends after the time-out."""
    released = asyncio.Event()

    async def script(exchange: Any) -> None:
        await released.wait()

    async with raw_server(script) as raw:
        options = WebsocketOptions(raw.url.replace("http", "ws"), connect_timeout_s=0.05)
        async with running(options) as watched:
            await watched.until(lambda: watched.failures)
        released.set()
        assert isinstance(watched.failures[0], RequestTimeoutError)


async def test_too_many_open_files_are_named(running: Running) -> None:
    """A machine out of file descriptors is told as that, with the command that helps, and the stream goes on trying."""
    async with server(stay) as options:
        limits = resource.getrlimit(resource.RLIMIT_NOFILE)
        try:
            async with running(options) as watched:
                resource.setrlimit(resource.RLIMIT_NOFILE, (3, limits[1]))  # all numbers below are taken
                await watched.until(lambda: watched.failures)
                resource.setrlimit(resource.RLIMIT_NOFILE, limits)
                await watched.until(lambda: watched.events)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, limits)
        assert isinstance(watched.failures[0], ServerUnreachableError)
        assert "too many open files; raise the limit by `ulimit -n`" in str(watched.failures[0])


async def test_an_unsigned_certificate(running: Running, self_signed: Any) -> None:
    """A certificate that nobody signed is told as such; trusted by a CA file it is good."""
    async with server(stay, ssl=self_signed.server) as options:
        keys = {"WebsocketURL": options.url}
        untrusting = await WebsocketOptions.of(ConnectionConfiguration.model_validate(keys))
        async with running(untrusting) as watched:
            await watched.until(lambda: watched.failures)
        assert isinstance(watched.failures[0], CertificateError)
        keys["CAFile"] = str(self_signed.certificate)
        trusting = await WebsocketOptions.of(ConnectionConfiguration.model_validate(keys))
        async with running(trusting) as watched:
            await watched.until(lambda: watched.events)
        assert watched.failures == []


async def test_many_streams_share_their_counters(running: Running) -> None:
    """One object counts for all, so that totals cost nothing."""
    shared = EventCounters()
    async with server(stay) as options, contextlib.AsyncExitStack() as streams:
        all_of_them = [await streams.enter_async_context(running(options, counters=shared)) for _ in range(20)]
        for watched in all_of_them:
            await watched.until(lambda watched=watched: watched.events)
        assert shared == EventCounters(events=20, connects=20)


@pytest.mark.slow
async def test_a_thousand_who_lost_their_server_come_back(library: str, many_files: None) -> None:
    """All resume where they stopped, and none waits for another: nothing is missed, however many were cut at once."""
    everybody = 1000
    resumed = 0

    async def handler(visit: Visit) -> None:
        nonlocal resumed
        if not visit.query:
            await visit.send(hello(f"{visit.number:026}"))
        else:
            assert visit.query["sequence_number"] == "1"
            resumed += 1
            await visit.send(event(1))
        await visit.connection.wait_closed()

    counters = EventCounters()
    async with server(handler, open_timeout=60) as reached, asyncio.TaskGroup() as group:
        options = replace(reached, library=library, first_backoff_s=0.5)
        streams = [
            EventStream(options, lambda: None, random.Random(number), counters=counters) for number in range(everybody)
        ]
        tasks = [group.create_task(stream.run()) for stream in streams]
        async with asyncio.timeout(90):
            while counters.events < everybody:  # noqa: ASYNC110 — counters tell nobody
                await asyncio.sleep(0.01)
            for stream in streams:
                stream.drop()
            while counters.events < 2 * everybody:  # noqa: ASYNC110 — likewise
                await asyncio.sleep(0.01)
        for task in tasks:
            task.cancel()
    assert resumed == everybody
    assert counters == EventCounters(events=2 * everybody, connects=2 * everybody, reconnects=everybody)
