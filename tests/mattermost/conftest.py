"""Servers whose every byte a test writes, and certificates that nobody signed."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
import uvloop
from tests.self_signed import SelfSigned
from tests.self_signed import self_signed as make_self_signed

from mattermost_load_test.mattermost.opening import open_transport
from mattermost_load_test.mattermost.transport import ServerTransport, TransportOptions


@dataclass
class Exchange:
    """One request as it came over the wire, and the way to answer it."""

    number: int  # of the request, over all connections, from 1
    connection: int  # from 1
    head: str
    body: bytes
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, *parts: bytes) -> None:
        """Write bytes as they are."""
        for part in parts:
            self.writer.write(part)
        await self.writer.drain()

    async def answer(self, body: bytes = b"{}", status: str = "200 OK", **headers: str) -> None:
        """Write a whole answer; underscores in the names of headers become hyphens."""
        fields = {"Content-Type": "application/json", "Content-Length": str(len(body))}
        fields |= {name.replace("_", "-").title(): value for name, value in headers.items()}
        head = f"HTTP/1.1 {status}\r\n" + "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        await self.send(head.encode() + b"\r\n", body)

    def cut(self) -> None:
        """End the connection at once."""
        self.writer.transport.abort()

    def header(self, name: str) -> str | None:
        """Return a header of the request."""
        for line in self.head.split("\r\n")[1:]:
            key, _, value = line.partition(":")
            if key.lower() == name.lower():
                return value.strip()
        return None


Script = Callable[[Exchange], Awaitable[None]]


class RawServer:
    """A server that hands each request to a script and keeps what it saw; `bodies` are read before, or not."""

    def __init__(self, script: Script, bodies: bool = True) -> None:
        self.script = script
        self.bodies = bodies
        self.url = ""
        self.requests: list[Exchange] = []
        self.connections = 0
        self.ended = 0
        self._changed = asyncio.Condition()

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until something that this server counts has come about."""
        async with asyncio.timeout(10), self._changed:
            await self._changed.wait_for(condition)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take one connection."""
        self.connections += 1
        connection = self.connections
        try:
            while (exchange := await self._read(reader, writer, connection)) is not None:
                await self._notify()
                await self.script(exchange)
        except (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            pass  # the client went away in the middle
        finally:
            self.ended += 1
            writer.close()
            await self._notify()

    async def _notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    async def _read(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, connection: int
    ) -> Exchange | None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
        except asyncio.IncompleteReadError:
            return None
        exchange = Exchange(len(self.requests) + 1, connection, head, b"", reader, writer)
        if self.bodies:
            exchange.body = await reader.readexactly(int(exchange.header("Content-Length") or 0))
        self.requests.append(exchange)
        return exchange


@pytest.fixture
def raw_server() -> Callable[..., AbstractAsyncContextManager[RawServer]]:
    """Return a function that opens a raw server on a free port; `tls` makes it an https one."""

    @asynccontextmanager
    async def opened(
        script: Script, tls: ssl.SSLContext | None = None, bodies: bool = True
    ) -> AsyncIterator[RawServer]:
        raw = RawServer(script, bodies)
        tasks: set[asyncio.Task[None]] = set()

        def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.get_running_loop().create_task(raw.serve(reader, writer))
            tasks.add(task)
            task.add_done_callback(tasks.discard)

        server = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=tls, backlog=1000)
        raw.url = f"{'https' if tls else 'http'}://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        try:
            yield raw
        finally:
            server.close()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    return opened


@pytest.fixture(scope="session")
def self_signed(tmp_path_factory: pytest.TempPathFactory) -> SelfSigned:
    """Make a certificate that no known authority signed."""
    return make_self_signed(tmp_path_factory.mktemp("tls"))


@pytest.fixture(params=["httptools", "aiohttp"])
def library(request: pytest.FixtureRequest) -> str:
    """Name each library that speaks HTTP."""
    return str(request.param)


@pytest.fixture
def connect(library: str) -> Callable[..., AbstractAsyncContextManager[ServerTransport]]:
    """Give what opens a transport of each library, given a server's URL and further `TransportOptions`."""

    def opened(url: str, **options: Any) -> AbstractAsyncContextManager[ServerTransport]:
        return open_transport(TransportOptions(url, library=library, **options))

    return opened


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Run these tests on both event loops: uvloop is what the agent uses where it is installed."""
    return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}
