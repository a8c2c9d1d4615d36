"""A front of several processes for the embedded server, which holds all connections in one, as many as that may open.

Requests go on to the embedded server, byte for byte, and are answered by it. Websockets end here: like the null server,
each process answers the handshake and sends events of a real post at a steady rate. The processes share one port.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import cast
from urllib.parse import urlsplit

import click
import uvloop

from bench.null_server import WEBSOCKET, Connection, NullServer, raise_open_files


class FrontConnection(Connection):
    """One connection of a client: a websocket of this process, or one that is passed on."""

    def __init__(self, server: NullServer, upstream: tuple[str, int]) -> None:
        super().__init__(server)
        self._upstream_address = upstream
        self._connecting: asyncio.Task[None] | None = None
        self._upstream: asyncio.Transport | None = None
        self._unsent: list[bytes] = []

    def data_received(self, data: bytes) -> None:
        """Pass on what is no websocket's."""
        if self._is_websocket or self._rest or data.startswith(WEBSOCKET):
            super().data_received(data)
        elif self._upstream is not None:
            self._upstream.write(data)
        else:
            self._unsent.append(data)
            self._connecting = self._connecting or asyncio.get_running_loop().create_task(self._connect())

    async def _connect(self) -> None:
        """Connect to the server behind, and send it what has come."""
        host, port = self._upstream_address
        loop = asyncio.get_running_loop()
        try:
            upstream, _ = await loop.create_connection(lambda: Behind(self._transport), host, port)
        except OSError:  # the client's connection breaks as it would without a front
            return self._transport.abort()
        self._upstream = cast(asyncio.Transport, upstream)
        if self._transport.is_closing():
            return self._upstream.close()
        self._upstream.writelines(self._unsent)
        self._unsent.clear()
        return None

    def connection_lost(self, exc: Exception | None) -> None:
        """Let the connection behind go, too."""
        super().connection_lost(exc)
        if self._upstream is not None:
            self._upstream.close()


class Behind(asyncio.Protocol):
    """The connection to the server behind a client's."""

    def __init__(self, client: asyncio.Transport) -> None:
        self._client = client

    def data_received(self, data: bytes) -> None:
        """Pass an answer on."""
        if not self._client.is_closing():
            self._client.write(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """Let the client's go, too."""
        self._client.close()


@dataclass(frozen=True, slots=True)
class Fronts:
    """The processes of a front, and the URL that they listen on."""

    url: str
    pids: Sequence[int]


@contextlib.contextmanager
def fronts(upstream: str, processes: int, events_per_s: float) -> Iterator[Fronts]:
    """Run the front of the server at `upstream`; `events_per_s` is each websocket's share."""
    command = [sys.executable, "-m", "bench.front", "--upstream", upstream, "--events-per-second", str(events_per_s)]
    started: list[subprocess.Popen[str]] = []
    port = 0
    try:
        for _ in range(processes):
            process = subprocess.Popen([*command, "--port", str(port)], stdout=subprocess.PIPE, text=True)
            started.append(process)
            assert process.stdout is not None
            port = int(process.stdout.readline())
        yield Fronts(f"http://127.0.0.1:{port}", [process.pid for process in started])
    finally:
        for process in started:
            process.terminate()
        for process in started:
            process.communicate()


@click.command()
@click.option("--upstream", required=True, help="URL of the server behind.")
@click.option("--port", default=0, show_default=True, help="Port to share; 0: a free one, printed first.")
@click.option("--events-per-second", default=0.0, show_default=True, help="Events to each websocket.")
def main(upstream: str, port: int, events_per_second: float) -> None:
    """Serve as one process of a front on loopback until SIGTERM."""
    raise_open_files()
    gc.disable()
    address = urlsplit(upstream)
    assert address.hostname is not None
    assert address.port is not None
    behind = (address.hostname, address.port)
    server = NullServer(events_per_second, flood=False)
    uvloop.run(server.serve(port, lambda: FrontConnection(server, behind)))


if __name__ == "__main__":
    main()
