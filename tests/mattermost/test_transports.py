"""Both transports against servers that misbehave, byte by byte: what one does, the other does."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import resource
import socket
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest

from mattermost_load_test.config import ConnectionConfiguration
from mattermost_load_test.errors import (
    CertificateError,
    ConfigurationError,
    RequestTimeoutError,
    ServerError,
    ServerUnreachableError,
    UnexpectedAnswerError,
)
from mattermost_load_test.mattermost import aiohttp_transport, httptools_transport
from mattermost_load_test.mattermost.opening import open_transport
from mattermost_load_test.mattermost.transport import Request, ServerTransport, TransportOptions

GET = Request("GET", "/api/v4/users/me", "GET /users/me")
PUT = Request("PUT", "/api/v4/users/me/patch", "PUT /users/me/patch", b"{}")
POST = Request("POST", "/api/v4/posts", "POST /posts", b"{}")


LARGE_BODY_BYTES = max(aiohttp_transport.LARGE_BODY_BYTES, httptools_transport.LARGE_BODY_BYTES)

Connect = Callable[..., AbstractAsyncContextManager[ServerTransport]]
"""See the fixture `connect`."""


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


async def test_an_answer_comes_whole(connect: Connect, raw_server: Any) -> None:
    """Status, headers regardless of case, and the whole body are handed on."""

    async def script(exchange: Any) -> None:
        await exchange.answer(b'{"id":"x"}', "201 Created", Token="secret")

    async with raw_server(script) as server, connect(server.url) as transport:
        answer = await transport.send(POST)
        assert (answer.status, answer.headers["tOKEN"], answer.body) == (201, "secret", b'{"id":"x"}')
        head = server.requests[0].head
        assert head.startswith("POST /api/v4/posts HTTP/1.1\r\n")
        assert "mattermost-load-test/" in head


async def test_a_path_goes_out_as_it_is(connect: Connect, raw_server: Any) -> None:
    """What the client encoded is not encoded again, and a server below a sub-path is reached."""

    async def script(exchange: Any) -> None:
        await exchange.answer()

    async with raw_server(script) as server, connect(server.url + "/chat/") as transport:
        await transport.send(Request("GET", "/api/v4/users/email/a+b%2Fc@d?x=%C3%A4", "GET /users/email/[email]"))
        assert server.requests[0].head.startswith("GET /chat/api/v4/users/email/a+b%2Fc@d?x=%C3%A4 HTTP/1.1\r\n")


@pytest.mark.parametrize("request_", [GET, PUT, POST], ids=["GET", "PUT", "POST"])
async def test_a_request_is_sent_once_on_a_reused_connection(
    connect: Connect, raw_server: Any, request_: Request
) -> None:
    """A connection that the server ends instead of answering is an error at once: nothing is sent a second time."""

    async def script(exchange: Any) -> None:
        if exchange.number == 1:
            await exchange.answer()
        else:
            exchange.cut()

    async with raw_server(script) as server, connect(server.url) as transport:
        await transport.send(GET)
        with pytest.raises(ServerUnreachableError, match="broke the connection off") as caught:
            await transport.send(request_)
        assert server.url in str(caught.value)
        assert caught.value.kind == "connection"
        assert [exchange.connection for exchange in server.requests] == [1, 1]


@pytest.mark.parametrize("request_", [GET, PUT, POST], ids=["GET", "PUT", "POST"])
async def test_a_request_is_sent_once_on_a_new_connection(connect: Connect, raw_server: Any, request_: Request) -> None:
    """The same on the first request of a connection."""

    async def script(exchange: Any) -> None:
        exchange.cut()

    async with raw_server(script) as server, connect(server.url) as transport:
        with pytest.raises(ServerUnreachableError):
            await transport.send(request_)
        assert len(server.requests) == 1


@pytest.mark.parametrize(
    "beginning",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\nhalf",
        b"HTTP/1.1 200 OK\r\nContent-Le",
    ],
    ids=["length", "chunked", "headers"],
)
async def test_an_answer_cut_short_is_an_error(connect: Connect, raw_server: Any, beginning: bytes) -> None:
    """Half an answer is no answer, wherever it stops, and is not asked for again."""

    async def script(exchange: Any) -> None:
        await exchange.send(beginning)
        exchange.writer.close()

    async with raw_server(script) as server, connect(server.url) as transport:
        with pytest.raises(ServerUnreachableError):
            await transport.send(GET)
        assert len(server.requests) == 1


async def test_a_server_that_hangs_ends_as_timeout(connect: Connect, raw_server: Any) -> None:
    """Without an answer the request ends after the time-out, with a message that names server, route and key."""
    released = asyncio.Event()

    async def script(exchange: Any) -> None:
        await released.wait()

    async with (
        raw_server(script) as server,
        connect(server.url, request_timeout_s=0.05) as transport,
    ):
        with pytest.raises(RequestTimeoutError, match=r"GET /users/me .*0\.05 s.*RequestTimeoutSeconds") as caught:
            await transport.send(GET)
        assert server.url in str(caught.value)
        assert caught.value.kind == "timeout"
        released.set()


async def test_a_trickling_answer_ends_as_timeout(connect: Connect, raw_server: Any) -> None:
    """The time-out bounds the whole answer: a byte now and then does not extend it."""

    async def script(exchange: Any) -> None:
        await exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
        while True:
            await exchange.send(b" ")
            await asyncio.sleep(0)

    async with (
        raw_server(script) as server,
        connect(server.url, request_timeout_s=0.1) as transport,
    ):
        with pytest.raises(RequestTimeoutError):
            await transport.send(GET)


async def test_a_redirect_is_not_followed(connect: Connect, raw_server: Any) -> None:
    """A redirect is handed on as the answer it is."""

    async def script(exchange: Any) -> None:
        await exchange.answer(b"", "302 Found", Location="/elsewhere")

    async with raw_server(script) as server, connect(server.url) as transport:
        assert (await transport.send(GET)).status == 302
        assert len(server.requests) == 1


async def test_garbage_is_named(connect: Connect, raw_server: Any) -> None:
    """Something that speaks no HTTP is told from a broken connection."""

    async def script(exchange: Any) -> None:
        await exchange.send(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")
        exchange.writer.close()

    async with raw_server(script) as server, connect(server.url) as transport:
        with pytest.raises(UnexpectedAnswerError, match=r"not HTTP; check ConnectionConfiguration\.ServerURL"):
            await transport.send(GET)


async def test_no_cookie_is_kept(connect: Connect, raw_server: Any) -> None:
    """A session cookie would win over the Bearer header: none is sent back."""

    async def script(exchange: Any) -> None:
        await exchange.answer(Set_Cookie="MMAUTHTOKEN=x; Path=/")

    async with raw_server(script) as server, connect(server.url) as transport:
        await transport.send(GET)
        await transport.send(GET)
        assert [exchange.header("Cookie") for exchange in server.requests] == [None, None]


async def test_connections_in_use_are_not_limited(connect: Connect, raw_server: Any) -> None:
    """Far more requests than aiohttp's 100 are on their way at once: none waits inside the agent."""
    everybody = 300
    arrived = asyncio.Event()

    async def script(exchange: Any) -> None:
        if exchange.number == everybody:
            arrived.set()
        await arrived.wait()  # answered only when all requests are here
        await exchange.answer()

    async with raw_server(script) as server, connect(server.url) as transport:
        answers = await asyncio.gather(*(transport.send(GET) for _ in range(everybody)))
        assert [answer.status for answer in answers] == [200] * everybody
        assert server.connections == everybody


async def test_idle_connections_are_kept_and_then_closed(connect: Connect, raw_server: Any) -> None:
    """A connection serves the next request, and is closed after the idle time-out."""

    async def script(exchange: Any) -> None:
        await exchange.answer()

    async with raw_server(script) as server, connect(server.url, idle_timeout_s=0.05) as transport:
        await transport.send(GET)
        await transport.send(GET)
        assert server.connections == 1
        await server.until(lambda: server.ended == 1)
        await transport.send(GET)
        assert server.connections == 2


async def test_what_cannot_be_applied_is_said() -> None:
    """The transport names the keys that it cannot apply, for its owner to say once."""
    for library, notes in (("aiohttp", 1), ("httptools", 0)):
        async with open_transport(TransportOptions("http://127.0.0.1:1", library=library)) as transport:
            assert len(transport.notes) == notes
            assert all("MaxIdleConnsPerHost" in note for note in transport.notes)


@pytest.mark.parametrize("bounds", [(2, 0), (0, 2), (2, 3), (5, 2)])
async def test_idle_connections_are_bounded_in_number(raw_server: Any, bounds: tuple[int, int]) -> None:
    """Where the library can, no more idle connections are kept than the keys allow; those in use are not bounded."""
    arrived = asyncio.Event()

    async def script(exchange: Any) -> None:
        if exchange.number == 5:
            arrived.set()
        await arrived.wait()
        await exchange.answer()

    total, per_host = bounds
    async with raw_server(script) as server:
        options = TransportOptions(server.url, max_idle_connections=total, max_idle_connections_per_host=per_host)
        async with open_transport(options) as transport:
            await asyncio.gather(*(transport.send(GET) for _ in range(5)))
            await server.until(lambda: server.ended == 3)
            await asyncio.gather(*(transport.send(GET) for _ in range(2)))
            assert server.connections == 5


async def test_a_large_body_goes_out_whole(connect: Connect, raw_server: Any) -> None:
    """A body beyond what aiohttp takes as bytes without a warning arrives unchanged, its length announced."""
    body = bytes(range(256)) * (2 * LARGE_BODY_BYTES // 256)

    async def script(exchange: Any) -> None:
        await exchange.answer()

    async with raw_server(script) as server, connect(server.url) as transport:
        await transport.send(Request("POST", "/api/v4/uploads/x", "POST /uploads/[upload id]", body))
        assert server.requests[0].body == body
        assert server.requests[0].header("Transfer-Encoding") is None


async def test_compressed_answers_are_unpacked(connect: Connect, raw_server: Any) -> None:
    """Compression is asked for, as clients do, and undone."""

    async def script(exchange: Any) -> None:
        await exchange.answer(gzip.compress(b'{"a":1}'), Content_Encoding="gzip")

    async with raw_server(script) as server, connect(server.url) as transport:
        assert (await transport.send(GET)).body == b'{"a":1}'
        assert server.requests[0].header("Accept-Encoding") == "gzip"


@pytest.mark.parametrize("packed", [False, True])
async def test_an_answer_without_end_is_not_taken(connect: Connect, raw_server: Any, packed: bool) -> None:
    """No more is held than any Mattermost answers with, as it comes or unpacked, and the next request goes well."""
    large = bytes(2 << 20)

    async def script(exchange: Any) -> None:
        if exchange.number > 1:
            await exchange.answer(b"{}")
        elif packed:
            await exchange.answer(gzip.compress(large), Content_Encoding="gzip")
        else:
            with contextlib.suppress(ConnectionError):  # the client does not wait for the end
                await exchange.answer(large)

    async with raw_server(script) as server, connect(server.url, largest_answer_bytes=1 << 20) as transport:
        with pytest.raises(UnexpectedAnswerError, match="GET /users/me with more than 1 MiB"):
            await transport.send(GET)
        assert (await transport.send(GET)).body == b"{}"


async def test_what_is_compressed_badly_is_named(connect: Connect, raw_server: Any) -> None:
    """A body that is not what its headers say is no answer."""

    async def script(exchange: Any) -> None:
        await exchange.answer(b"plain", Content_Encoding="gzip")

    async with raw_server(script) as server, connect(server.url) as transport:
        with pytest.raises(ServerError, match="GET /users/me"):
            await transport.send(GET)


@pytest.mark.parametrize(
    ("answer", "body"),
    [
        (b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n{"a\r\n4\r\n":1}\r\n0\r\n\r\n', b'{"a":1}'),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nX-Trailer: x\r\n\r\n", b"{}"),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]", b"[]"),
        (b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", b""),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 17\r\n\r\n", b""),
    ],
    ids=["chunked", "trailer", "continue", "hints", "204", "304"],
)
async def test_every_form_of_an_answer_is_read_to_its_end(
    connect: Connect, raw_server: Any, answer: bytes, body: bytes
) -> None:
    """Wherever the answer's end stands, it is found, however the bytes come, and the connection serves on."""

    async def script(exchange: Any) -> None:
        if exchange.number == 1:
            await exchange.send(answer)
            return
        for byte in answer:
            await exchange.send(bytes([byte]))
            await asyncio.sleep(0)

    async with raw_server(script) as server, connect(server.url) as transport:
        assert [(await transport.send(GET)).body for _ in range(2)] == [body, body]
        assert server.connections == 1


@pytest.mark.parametrize("version", ["1.0", "1.1"])
async def test_an_answer_that_ends_with_the_connection_is_whole(
    connect: Connect, raw_server: Any, version: str
) -> None:
    """An answer without a length ends where its connection does, and the next request takes another one."""

    async def script(exchange: Any) -> None:
        await exchange.send(f"HTTP/{version} 200 OK\r\nContent-Type: application/json\r\n\r\n".encode(), b'{"a":1}')
        exchange.writer.close()

    async with raw_server(script) as server, connect(server.url) as transport:
        assert [(await transport.send(GET)).body for _ in range(2)] == [b'{"a":1}'] * 2
        assert server.connections == 2


async def test_a_server_that_wants_no_reuse_gets_none(connect: Connect, raw_server: Any) -> None:
    """`Connection: close` ends the connection after its answer, whoever closes it first."""

    async def script(exchange: Any) -> None:
        await exchange.answer(Connection="close")

    async with raw_server(script) as server, connect(server.url) as transport:
        await transport.send(GET)
        await transport.send(GET)
        assert server.connections == 2
        await server.until(lambda: server.ended == 2)


async def test_a_connection_that_the_server_closed_while_idle_is_not_used(connect: Connect, raw_server: Any) -> None:
    """The end of an idle connection is noticed before the next request, which takes another one."""

    async def script(exchange: Any) -> None:
        await exchange.answer()
        if exchange.number == 1:
            exchange.writer.close()

    async with raw_server(script) as server, connect(server.url) as transport:
        await transport.send(GET)
        await server.until(lambda: server.ended == 1)
        await asyncio.sleep(0.05)  # the end is on its way to the client, which tells nobody of it
        assert (await transport.send(GET)).status == 200
        assert server.connections == 2


async def test_bytes_that_nobody_asked_for_are_no_answer(connect: Connect, raw_server: Any) -> None:
    """What a server sends beyond its answer is never taken for the answer to the next request."""

    async def script(exchange: Any) -> None:
        await exchange.answer(b"[1]" if exchange.number == 1 else b"[2]")
        if exchange.number == 1:
            await exchange.answer(b"[3]")

    async with raw_server(script) as server, connect(server.url) as transport:
        assert (await transport.send(GET)).body == b"[1]"
        await asyncio.sleep(0.05)  # the rest is on its way to the client, which tells nobody of it
        with contextlib.suppress(ServerError):
            assert (await transport.send(GET)).body == b"[2]"


UPLOAD = Request("POST", "/api/v4/uploads/x", "POST /uploads/[upload id]", bytes(64 << 20))


async def test_a_large_body_may_be_refused_before_it_is_sent(connect: Connect, raw_server: Any) -> None:
    """A server that answers 413 to the head alone is heard; the connection is not used again."""

    async def script(exchange: Any) -> None:
        await exchange.answer(b"", "413 Payload Too Large", Connection="close")
        while await exchange.reader.read(1 << 16):  # one that hung up with unread bytes would take its answer back
            pass

    async with raw_server(script, bodies=False) as server, connect(server.url) as transport:
        assert [(await transport.send(UPLOAD)).status for _ in range(2)] == [413, 413]
        assert server.connections == 2


async def test_an_early_answer_ends_a_body_that_nobody_reads(connect: Connect, raw_server: Any) -> None:
    """A server that answers, then neither reads on nor closes, is heard all the same; the connection is given up."""
    released = asyncio.Event()

    async def script(exchange: Any) -> None:
        await exchange.answer(b"", "413 Payload Too Large")
        await released.wait()
        exchange.cut()

    async with raw_server(script, bodies=False) as server, connect(server.url, request_timeout_s=20) as transport:
        assert [(await transport.send(UPLOAD)).status for _ in range(2)] == [413, 413]
        assert server.connections == 2
        released.set()
        await server.until(lambda: server.ended == 2)


async def test_a_body_that_is_not_read_ends_as_timeout(connect: Connect, raw_server: Any) -> None:
    """A server that stops reading in the middle of a large body does not hold a request for ever."""
    released = asyncio.Event()

    async def script(exchange: Any) -> None:
        await released.wait()
        exchange.cut()

    async with raw_server(script, bodies=False) as server, connect(server.url, request_timeout_s=0.2) as transport:
        with pytest.raises(RequestTimeoutError):
            await transport.send(UPLOAD)
        released.set()
        await server.until(lambda: server.ended == 1)


async def test_a_host_by_name_is_tried_at_each_of_its_addresses(connect: Connect, raw_server: Any) -> None:
    """`localhost` may stand for ::1 and 127.0.0.1: a server at one of them is found, and named as it was given."""

    async def script(exchange: Any) -> None:
        await exchange.answer()

    async with raw_server(script) as server:
        port = server.url.rpartition(":")[2]
        async with connect(f"http://localhost:{port}") as transport:
            for _ in range(3):
                assert (await transport.send(GET)).status == 200
        assert server.requests[0].header("Host") == f"localhost:{port}"


async def test_the_deadline_of_each_request_is_its_own(connect: Connect, raw_server: Any) -> None:
    """Requests that began later end later: one that hangs takes none of the others with it."""
    released = asyncio.Event()

    async def script(exchange: Any) -> None:
        if "hang" in exchange.head:
            await released.wait()
        await exchange.answer()

    hang = Request("GET", "/hang", "GET /hang")
    async with raw_server(script) as server, connect(server.url, request_timeout_s=0.5) as transport:
        await transport.send(GET)  # so that there is a connection to use again
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        hanging = [asyncio.ensure_future(transport.send(hang)) for _ in range(3)]
        while not all(task.done() for task in hanging):
            assert (await transport.send(GET)).status == 200
        assert loop.time() - began_s >= 0.45
        assert {type(task.exception()) for task in hanging} == {RequestTimeoutError}
        released.set()


async def test_a_cancelled_request_ends_its_connection(connect: Connect, raw_server: Any) -> None:
    """Cancelling is neither swallowed nor does it leave a connection with half an answer to the next request."""

    async def script(exchange: Any) -> None:
        if exchange.number > 1:
            await exchange.answer()

    async with raw_server(script) as server, connect(server.url) as transport:
        task = asyncio.create_task(transport.send(GET))
        await server.until(lambda: len(server.requests) == 1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await server.until(lambda: server.ended == 1)
        assert (await transport.send(GET)).status == 200


async def test_nobody_listens(connect: Connect) -> None:
    """A refused connection names the address and the key."""
    url = f"http://127.0.0.1:{free_port()}"
    async with connect(url) as transport:
        with pytest.raises(ServerUnreachableError, match=r"Connection refused.*ServerURL") as caught:
            await transport.send(GET)
        assert url in str(caught.value)


async def test_too_many_open_files_are_named(connect: Connect, raw_server: Any) -> None:
    """A machine out of file descriptors is told as that, with the command that helps; afterwards all is well again."""

    async def script(exchange: Any) -> None:
        await exchange.answer()

    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    async with raw_server(script) as server, connect(server.url) as transport:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (3, limits[1]))  # all numbers below are taken
            with pytest.raises(ServerUnreachableError, match="too many open files; raise the limit by `ulimit -n`"):
                await transport.send(GET)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, limits)
        assert (await transport.send(GET)).status == 200


async def test_an_unknown_host_is_named(connect: Connect) -> None:
    """A name that does not resolve is told from a host that does not answer."""
    async with connect("http://nosuch.invalid:8065") as transport:
        with pytest.raises(ServerUnreachableError, match=r"the host of http://nosuch\.invalid:8065 is unknown"):
            await transport.send(GET)


async def test_an_unsigned_certificate_is_refused(connect: Connect, raw_server: Any, self_signed: Any) -> None:
    """A certificate that nobody signed is an error of its own, which names the keys that help."""

    async def script(exchange: Any) -> None:
        await exchange.answer()

    async with (
        raw_server(script, tls=self_signed.server) as server,
        connect(server.url) as transport,
    ):
        with pytest.raises(CertificateError, match=r"CAFile.*SkipCertificateVerification") as caught:
            await transport.send(GET)
        assert caught.value.kind == "certificate"
        assert not server.requests


@pytest.mark.parametrize("by", ["ca file", "no verification"])
async def test_a_certificate_can_be_accepted(connect: Connect, raw_server: Any, self_signed: Any, by: str) -> None:
    """A CA file makes it trusted; with verification off anything goes."""

    async def script(exchange: Any) -> None:
        await exchange.answer()

    async with raw_server(script, tls=self_signed.server) as server:
        ca_file = str(self_signed.certificate) if by == "ca file" else ""
        async with connect(server.url, ca_file=ca_file, verify_certificate=by == "ca file") as transport:
            assert (await transport.send(GET)).status == 200


async def test_tls_to_a_server_without(connect: Connect) -> None:
    """https:// to a plain server says so."""

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as server:
        url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with connect(url) as transport:
            with pytest.raises(ServerUnreachableError, match="does not speak TLS"):
                await transport.send(GET)


@pytest.mark.parametrize("content", [None, "no certificate"])
async def test_an_unusable_ca_file_is_a_configuration_error(
    connect: Connect, tmp_path: Any, content: str | None
) -> None:
    """A CA file that is missing or holds something else is named before anything is sent."""
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content)
    with pytest.raises(ConfigurationError, match=r"CAFile: .*ca\.pem"):
        async with connect("https://127.0.0.1:1", ca_file=str(path)):
            pass


def test_options_follow_the_configuration() -> None:
    """Each key of the configuration arrives, in its unit."""
    connection = ConnectionConfiguration.model_validate(
        {
            "ServerURL": "https://chat.example.com",
            "RequestTimeoutSeconds": 5,
            "IdleConnTimeoutMilliseconds": 1500,
            "MaxIdleConns": 3,
            "MaxIdleConnsPerHost": 4,
            "CAFile": "ca.pem",
            "SkipCertificateVerification": True,
        }
    )
    assert TransportOptions.of(connection) == TransportOptions(
        "https://chat.example.com", 5.0, 3, 4, 1.5, "ca.pem", verify_certificate=False
    )


def test_no_secret_in_a_request_s_repr() -> None:
    """Neither a token in the headers nor a password in the body is shown."""
    request = Request("POST", "/x", "POST /x", b'{"password":"hush"}', {"Authorization": "Bearer hush"})
    assert "hush" not in repr(request)
