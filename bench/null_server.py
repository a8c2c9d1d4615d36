"""A server that costs next to nothing: every request gets the same answer, every websocket the same events.

It is the target of the benchmarks, in a process of its own, so that what is measured is the load generator. It reads no
more of a request than its end, and answers with the bytes of a real 11.6 server's answer to
``GET /users/me/teams/unread``, with that server's headers, or with the events of a real post.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import gc
import hashlib
import re
import resource
import signal
import ssl
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import cast

import click
import uvloop
from tests.self_signed import self_signed

from bench.measuring import Figures, child

_ACCEPT_KEY = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, 1.3
_KEY = re.compile(rb"sec-websocket-key:\s*(\S+)", re.IGNORECASE)
_LENGTH = re.compile(rb"\r\ncontent-length:\s*(\d+)", re.IGNORECASE)
_END = b"\r\n\r\n"
WEBSOCKET = b"GET /api/v4/websocket"  # how the handshake of a websocket begins
_TICK_S = 0.01
_BURST_EVENTS = 64  # written at once where events go out as fast as they are read
_FILES = 60_000
_OTHER_FILES = 1000  # beside websockets: connections for requests above all
TLS = "--tls"

_UNREAD = (
    b'{"team_id":"j8c5bnozktnezy3rhogr36mnfw","msg_count":0,"mention_count":0,"mention_count_root":0,'
    b'"msg_count_root":0,"thread_count":0,"thread_mention_count":0,"thread_urgent_mention_count":0}'
)
_BODY = b"[" + b",".join([_UNREAD] * 2) + b"]"
ANSWER = (
    b"HTTP/1.1 200 OK\r\n"
    b"Content-Type: application/json\r\n"
    b"Expires: 0\r\n"
    b"Permissions-Policy: \r\n"
    b"Referrer-Policy: no-referrer\r\n"
    b"Vary: Accept-Encoding\r\n"
    b"X-Content-Type-Options: nosniff\r\n"
    b"X-Request-Id: 7dq3kz8s3pbb9m7u6xh1rc5m4o\r\n"
    b"X-Version-Id: 11.6.0..3b96a1b32c04bc5b339f9fae688654f1f20b44bd0402d064b77e9ac84c275187.false\r\n"
    b"Date: Thu, 26 Nov 2026 05:00:00 GMT\r\n"
    b"Content-Length: " + str(len(_BODY)).encode() + _END + _BODY
)

_POST = (
    r"{\"id\":\"z43c6okicigjzdgzka9no5qjch\",\"create_at\":1795463185339,\"update_at\":1795463185339,\"edit_at\":0,"
    r"\"delete_at\":0,\"is_pinned\":false,\"user_id\":\"xy9ywrsh9i8ptdx68fwham1c9r\","
    r"\"channel_id\":\"ipaie8b1cbr5bxiumj61rm468w\",\"root_id\":\"\",\"original_id\":\"\",\"message\":\"%s\","
    r"\"type\":\"\",\"props\":{},\"hashtags\":\"\",\"file_ids\":[],\"pending_post_id\":\"\",\"reply_count\":0,"
    r"\"last_reply_at\":0,\"participants\":null,\"metadata\":{}}"
)
_EVENT = (
    r'{"event": "posted", "data": {"channel_display_name":"Probe","channel_name":"probe-1795463185",'
    r'"channel_type":"O","post":"' + _POST + r'","sender_name":"@user0","set_online":true,'
    r'"team_id":"j8c5bnozktnezy3rhogr36mnfw"}, "broadcast": {"omit_users":null,"user_id":"",'
    r'"channel_id":"ipaie8b1cbr5bxiumj61rm468w","team_id":"","connection_id":"","omit_connection_id":""}, "seq": '
)
EVENT = (_EVENT % ("lorem ipsum dolor sit amet " * 9)).encode()  # 1.1 kB with its number, as a post of four sentences
_HELLO = b'{"event":"hello","data":{"connection_id":"5hhscm4583rwx8x1n4d3faekpw"},"broadcast":{},"seq":0}'


def frame(payload: bytes) -> bytes:
    """Return a text frame as servers send it."""
    length = len(payload)
    head = b"\x81" + (bytes([length]) if length < 126 else b"\x7e" + length.to_bytes(2, "big"))
    return head + payload


class Connection(asyncio.Protocol):
    """One connection: HTTP until it asks to be a websocket."""

    def __init__(self, server: NullServer) -> None:
        self._server = server
        self._rest = b""
        self._seq = 1
        self._paused = False
        self._is_websocket = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is one by its methods alone

    def connection_lost(self, exc: Exception | None) -> None:
        """Send nothing more."""
        self._server.websockets.pop(self, None)

    def data_received(self, data: bytes) -> None:
        """Answer each whole request."""
        if self._is_websocket:
            return self._transport.abort() if data[0] & 0x0F == 8 else None  # a close frame
        if self._rest:
            data = self._rest + data
        while True:
            end = data.find(_END)
            if end < 0:
                break
            length = 0 if data.startswith(b"GET") else int(match[1]) if (match := _LENGTH.search(data, 0, end)) else 0
            if len(data) < end + 4 + length:
                break
            if data.startswith(WEBSOCKET):
                return self._upgrade(data)
            self._transport.write(ANSWER)
            data = data[end + 4 + length :]
        self._rest = data
        return None

    def _upgrade(self, head: bytes) -> None:
        """Answer the handshake, say hello, and take part in the events."""
        match = _KEY.search(head)
        assert match is not None
        accept = base64.b64encode(hashlib.sha1(match[1] + _ACCEPT_KEY).digest())
        self._is_websocket = True
        self._rest = b""
        self._transport.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept + _END + frame(_HELLO)
        )
        self._server.websockets[self] = None
        if self._server.flood:
            asyncio.get_running_loop().call_later(_TICK_S, self.flood)

    def send(self, count: int = 1) -> None:
        """Send the next events."""
        first, self._seq = self._seq, self._seq + count
        self._transport.write(b"".join([frame(EVENT + b"%d}" % seq) for seq in range(first, self._seq)]))

    def flood(self) -> None:
        """Send events for as long as they are read."""
        if self._paused or self._transport.is_closing():
            return
        self.send(_BURST_EVENTS)
        if not self._paused:  # else `resume_writing` goes on
            asyncio.get_running_loop().call_soon(self.flood)

    def pause_writing(self) -> None:
        """Wait for the reader."""
        self._paused = True

    def resume_writing(self) -> None:
        """Go on."""
        self._paused = False
        if self._server.flood:
            self.flood()


class NullServer:
    """Serves until it is told to stop; `events_per_s` is each websocket's share, `flood` is without end.

    With `tls` it speaks that.
    """

    def __init__(self, events_per_s: float, flood: bool, tls: ssl.SSLContext | None = None) -> None:
        self._tls = tls
        self.events_per_s = events_per_s
        self.flood = flood
        self.websockets: dict[Connection, None] = {}

    async def serve(self, port: int, connection: Callable[[], Connection] | None = None) -> None:
        """Listen on loopback, print the port, and serve until SIGTERM; other processes may share the port."""
        loop = asyncio.get_running_loop()
        stopped = asyncio.Event()
        loop.add_signal_handler(signal.SIGTERM, stopped.set)
        factory = connection or (lambda: Connection(self))
        server = await loop.create_server(factory, "127.0.0.1", port, backlog=4096, reuse_port=True, ssl=self._tls)
        print(server.sockets[0].getsockname()[1], flush=True)
        pacing = loop.create_task(self._pace()) if self.events_per_s else None
        await stopped.wait()
        if pacing is not None:
            pacing.cancel()

    async def _pace(self) -> None:
        """Send each websocket its events, spread evenly over time: never to all of them at once."""
        loop = asyncio.get_running_loop()
        due, last_s = 0.0, loop.time()
        turns: Iterator[Connection] = iter(())
        while True:
            await asyncio.sleep(_TICK_S)
            now_s = loop.time()
            due += (now_s - last_s) * self.events_per_s * len(self.websockets)
            last_s = now_s
            while due >= 1.0 and self.websockets:
                connection = next(turns, None)
                if connection is None:
                    turns = iter(list(self.websockets))
                    continue
                due -= 1.0
                if connection in self.websockets:
                    connection.send()


@contextlib.contextmanager
def null_server(*options: str) -> Iterator[str]:
    """Run a null server in a process of its own, and give its URL."""
    command = [sys.executable, "-m", "bench.null_server", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield f"http{'s' * (TLS in options)}://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.terminate()


def load_on_null_server(options: Sequence[str], module: str, *arguments: object) -> Figures:
    """Run a load on a null server of its own: connections of an earlier one, still in TIME_WAIT, take it no ports."""
    with null_server(*options) as url:
        return child(module, "--url", url, *arguments)


def at_most(connections: int) -> int:
    """Return as many connections as one process here may hold at the most."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return connections if hard == resource.RLIM_INFINITY else min(connections, hard - _OTHER_FILES)


def raise_open_files() -> None:
    """Raise the limit of open files as far as this process may."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(hard, _FILES), max(hard, _FILES)))
    except (ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _server_tls() -> ssl.SSLContext:
    """Return what a server on loopback needs for TLS, with a certificate made anew."""
    with tempfile.TemporaryDirectory() as folder:
        return self_signed(Path(folder)).server


@click.command()
@click.option("--port", default=0, show_default=True, help="Port to listen on; 0: a free one, printed first.")
@click.option("--events-per-second", default=0.0, show_default=True, help="Events to each websocket.")
@click.option("--flood", is_flag=True, help="Events to each websocket as fast as it reads.")
@click.option(TLS, is_flag=True, help="Speak TLS, with a certificate that signs itself.")
def main(port: int, events_per_second: float, flood: bool, tls: bool) -> None:
    """Serve the benchmarks' null target on loopback until SIGTERM."""
    raise_open_files()
    gc.disable()
    uvloop.run(NullServer(events_per_second, flood, _server_tls() if tls else None).serve(port))


if __name__ == "__main__":
    main()
