"""The aiohttp transport against servers that misbehave, byte by byte."""

from __future__ import annotations

import asyncio
import gzip
import socket
from typing import Any

import pytest

from mattermost_load_test.config import ConnectionConfiguration
from mattermost_load_test.errors import (
    CertificateError,
    ConfigurationError,
    RequestTimeoutError,
    ServerUnreachableError,
    UnexpectedAnswerError,
)
from mattermost_load_test.mattermost.aiohttp_transport import LARGE_BODY_BYTES, TransportOptions, open_transport
from mattermost_load_test.mattermost.transport import Request

GET = Request("GET", "/api/v4/users/me", "GET /users/me")
PUT = Request("PUT", "/api/v4/users/me/patch", "PUT /users/me/patch", b"{}")
POST = Request("POST", "/api/v4/posts", "POST /posts", b"{}")


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


async def test_an_answer_comes_whole(raw_server: Any) -> None:
    """Status, headers regardless of case, and the whole body are handed on."""

    async def script(exchange: Any) -> None:
        await exchange.answer(b'{"id":"x"}', "201 Created", Token="secret")

    async with raw_server(script) as server, open_transport(TransportOptions(server.url)) as transport:
        answer = await transport.send(POST)
        assert (answer.status, answer.headers["tOKEN"], answer.body) == (201, "secret", b'{"id":"x"}')
        head = server.requests[0].head
        assert head.startswith("POST /api/v4/posts HTTP/1.1\r\n")
        assert "mattermost-load-test/" in head


async def test_a_path_goes_out_as_it_is(raw_server: Any) -> None:
    """What the client encoded is not encoded again, and a server below a sub-path is reached."""

    async def script(exchange: Any) -> None:
        await exchange.answer()

    async with raw_server(script) as server, open_transport(TransportOptions(server.url + "/chat/")) as transport:
        await transport.send(Request("GET", "/api/v4/users/email/a+b%2Fc@d?x=%C3%A4", "GET /users/email/[email]"))
        assert server.requests[0].head.startswith("GET /chat/api/v4/users/email/a+b%2Fc@d?x=%C3%A4 HTTP/1.1\r\n")


@pytest.mark.parametrize("request_", [GET, PUT, POST], ids=["GET", "PUT", "POST"])
async def test_a_request_is_sent_once_on_a_reused_connection(raw_server: Any, request_: Request) -> None:
    """A connection that the server ends instead of answering is an error at once: nothing is sent a second time."""

    async def script(exchange: Any) -> None:
        if exchange.number == 1:
            await exchange.answer()
        else:
            exchange.cut()

    async with raw_server(script) as server, open_transport(TransportOptions(server.url)) as transport:
        await transport.send(GET)
        with pytest.raises(ServerUnreachableError, match="broke the connection off") as caught:
            await transport.send(request_)
        assert server.url in str(caught.value)
        assert caught.value.kind == "connection"
        assert [exchange.connection for exchange in server.requests] == [1, 1]


@pytest.mark.parametrize("request_", [GET, PUT, POST], ids=["GET", "PUT", "POST"])
async def test_a_request_is_sent_once_on_a_new_connection(raw_server: Any, request_: Request) -> None:
    """The same on the first request of a connection."""

    async def script(exchange: Any) -> None:
        exchange.cut()

    async with raw_server(script) as server, open_transport(TransportOptions(server.url)) as transport:
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
async def test_an_answer_cut_short_is_an_error(raw_server: Any, beginning: bytes) -> None:
    """Half an answer is no answer, wherever it stops, and is not asked for again."""

    async def script(exchange: Any) -> None:
        await exchange.send(beginning)
        exchange.writer.close()

    async with raw_server(script) as server, open_transport(TransportOptions(server.url)) as transport:
        with pytest.raises(ServerUnreachableError):
            await transport.send(GET)
        assert len(server.requests) == 1


async def test_a_server_that_hangs_ends_as_timeout(raw_server: Any) -> None:
    """Without an answer the request ends after the time-out, with a message that names server, route and key."""
    released = asyncio.Event()

    async def script(exchange: Any) -> None:
        await released.wait()

    async with (
        raw_server(script) as server,
        open_transport(TransportOptions(server.url, request_timeout_s=0.05)) as transport,
    ):
        with pytest.raises(RequestTimeoutError, match=r"GET /users/me .*0\.05 s.*RequestTimeoutSeconds") as caught:
            await transport.send(GET)
        assert server.url in str(caught.value)
        assert caught.value.kind == "timeout"
        released.set()


async def test_a_trickling_answer_ends_as_timeout(raw_server: Any) -> None:
    """The time-out bounds the whole answer: a byte now and then does not extend it."""

    async def script(exchange: Any) -> None:
        await exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
        while True:
            await exchange.send(b" ")
            await asyncio.sleep(0)

    async with (
        raw_server(script) as server,
        open_transport(TransportOptions(server.url, request_timeout_s=0.1)) as transport,
    ):
        with pytest.raises(RequestTimeoutError):
            await transport.send(GET)


async def test_a_redirect_is_not_followed(raw_server: Any) -> None:
    """A redirect is handed on as the answer it is."""

    async def script(exchange: Any) -> None:
        await exchange.answer(b"", "302 Found", Location="/elsewhere")

    async with raw_server(script) as server, open_transport(TransportOptions(server.url)) as transport:
        assert (await transport.send(GET)).status == 302
        assert len(server.requests) == 1


async def test_garbage_is_named(raw_server: Any) -> None:
    """Something that speaks no HTTP is told from a broken connection."""

    async def script(exchange: Any) -> None:
        await exchange.send(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")
        exchange.writer.close()

    async with raw_server(script) as server, open_transport(TransportOptions(server.url)) as transport:
        with pytest.raises(UnexpectedAnswerError, match=r"not HTTP; check ConnectionConfiguration\.ServerURL"):
            await transport.send(GET)


async def test_no_cookie_is_kept(raw_server: Any) -> None:
    """A session cookie would win over the Bearer header: none is sent back."""

    async def script(exchange: Any) -> None:
        await exchange.answer(Set_Cookie="MMAUTHTOKEN=x; Path=/")

    async with raw_server(script) as server, open_transport(TransportOptions(server.url)) as transport:
        await transport.send(GET)
        await transport.send(GET)
        assert [exchange.header("Cookie") for exchange in server.requests] == [None, None]


async def test_connections_in_use_are_not_limited(raw_server: Any) -> None:
    """Far more requests than aiohttp's 100 are on their way at once: none waits inside the agent."""
    everybody = 300
    arrived = asyncio.Event()

    async def script(exchange: Any) -> None:
        if exchange.number == everybody:
            arrived.set()
        await arrived.wait()  # answered only when all requests are here
        await exchange.answer()

    async with raw_server(script) as server, open_transport(TransportOptions(server.url)) as transport:
        answers = await asyncio.gather(*(transport.send(GET) for _ in range(everybody)))
        assert [answer.status for answer in answers] == [200] * everybody
        assert server.connections == everybody


async def test_idle_connections_are_kept_and_then_closed(raw_server: Any) -> None:
    """A connection serves the next request, and is closed after the idle time-out."""

    async def script(exchange: Any) -> None:
        await exchange.answer()

    options = TransportOptions("", idle_timeout_s=0.05)
    async with raw_server(script) as server:
        options = TransportOptions(server.url, idle_timeout_s=0.05)
        async with open_transport(options) as transport:
            await transport.send(GET)
            await transport.send(GET)
            assert server.connections == 1
            await server.until(lambda: server.ended == 1)
            await transport.send(GET)
            assert server.connections == 2


async def test_what_cannot_be_applied_is_said(raw_server: Any) -> None:
    """The transport names the keys that it cannot apply, for its owner to say once."""
    async with open_transport(TransportOptions("http://127.0.0.1:1")) as transport:
        assert len(transport.notes) == 1
        assert "MaxIdleConnsPerHost" in transport.notes[0]


async def test_a_large_body_goes_out_whole(raw_server: Any) -> None:
    """A body beyond what aiohttp takes as bytes without a warning arrives unchanged, its length announced."""
    body = bytes(range(256)) * (2 * LARGE_BODY_BYTES // 256)

    async def script(exchange: Any) -> None:
        await exchange.answer()

    async with raw_server(script) as server, open_transport(TransportOptions(server.url)) as transport:
        await transport.send(Request("POST", "/api/v4/uploads/x", "POST /uploads/[upload id]", body))
        assert server.requests[0].body == body
        assert server.requests[0].header("Transfer-Encoding") is None


async def test_compressed_answers_are_unpacked(raw_server: Any) -> None:
    """Compression is asked for, as clients do, and undone."""

    async def script(exchange: Any) -> None:
        await exchange.answer(gzip.compress(b'{"a":1}'), Content_Encoding="gzip")

    async with raw_server(script) as server, open_transport(TransportOptions(server.url)) as transport:
        assert (await transport.send(GET)).body == b'{"a":1}'
        assert server.requests[0].header("Accept-Encoding") == "gzip"


async def test_a_cancelled_request_ends_its_connection(raw_server: Any) -> None:
    """Cancelling is neither swallowed nor does it leave a connection with half an answer to the next request."""

    async def script(exchange: Any) -> None:
        if exchange.number > 1:
            await exchange.answer()

    async with raw_server(script) as server, open_transport(TransportOptions(server.url)) as transport:
        task = asyncio.create_task(transport.send(GET))
        await server.until(lambda: len(server.requests) == 1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await server.until(lambda: server.ended == 1)
        assert (await transport.send(GET)).status == 200


async def test_nobody_listens() -> None:
    """A refused connection names the address and the key."""
    url = f"http://127.0.0.1:{free_port()}"
    async with open_transport(TransportOptions(url)) as transport:
        with pytest.raises(ServerUnreachableError, match=r"Connection refused.*ServerURL") as caught:
            await transport.send(GET)
        assert url in str(caught.value)


async def test_an_unknown_host_is_named() -> None:
    """A name that does not resolve is told from a host that does not answer."""
    async with open_transport(TransportOptions("http://nosuch.invalid:8065")) as transport:
        with pytest.raises(ServerUnreachableError, match=r"the host of http://nosuch\.invalid:8065 is unknown"):
            await transport.send(GET)


async def test_an_unsigned_certificate_is_refused(raw_server: Any, self_signed: Any) -> None:
    """A certificate that nobody signed is an error of its own, which names the keys that help."""

    async def script(exchange: Any) -> None:
        await exchange.answer()

    async with (
        raw_server(script, tls=self_signed.server) as server,
        open_transport(TransportOptions(server.url)) as transport,
    ):
        with pytest.raises(CertificateError, match=r"CAFile.*SkipCertificateVerification") as caught:
            await transport.send(GET)
        assert caught.value.kind == "certificate"
        assert not server.requests


@pytest.mark.parametrize("by", ["ca file", "no verification"])
async def test_a_certificate_can_be_accepted(raw_server: Any, self_signed: Any, by: str) -> None:
    """A CA file makes it trusted; with verification off anything goes."""

    async def script(exchange: Any) -> None:
        await exchange.answer()

    async with raw_server(script, tls=self_signed.server) as server:
        ca_file = str(self_signed.certificate) if by == "ca file" else ""
        options = TransportOptions(server.url, ca_file=ca_file, verify_certificate=by == "ca file")
        async with open_transport(options) as transport:
            assert (await transport.send(GET)).status == 200


async def test_tls_to_a_server_without() -> None:
    """https:// to a plain server says so."""

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as server:
        url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with open_transport(TransportOptions(url)) as transport:
            with pytest.raises(ServerUnreachableError, match="does not speak TLS"):
                await transport.send(GET)


@pytest.mark.parametrize("content", [None, "no certificate"])
async def test_an_unusable_ca_file_is_a_configuration_error(tmp_path: Any, content: str | None) -> None:
    """A CA file that is missing or holds something else is named before anything is sent."""
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content)
    with pytest.raises(ConfigurationError, match=r"CAFile: .*ca\.pem"):
        async with open_transport(TransportOptions("https://127.0.0.1:1", ca_file=str(path))):
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
