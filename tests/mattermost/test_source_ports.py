"""Where connections come from."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from mattermost_load_test.mattermost.opening import open_transport
from mattermost_load_test.mattermost.rest import Client
from mattermost_load_test.mattermost.source_ports import FIRST_PORT, LAST_PORT, MAX_TAKEN, SourcePorts
from mattermost_load_test.mattermost.transport import TransportOptions

_LAST = count(2)


def free_ports(address: str) -> list[int]:
    """Return the ports of an address that a connection can be bound to."""
    free = []
    for port in range(FIRST_PORT, LAST_PORT + 1):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind((address, port))
            free.append(port)
    return free


def test_every_free_port_comes_in_its_turn() -> None:
    """After the last one comes the first again; what listens on every address is in nobody's way."""
    with socket.create_server(("0.0.0.0", 0)) as listener:  # a program of the machine's, as an SSH server is
        free = free_ports("127.64.0.1")
        ports = SourcePorts("127.64.0.1")
        assert [ports.take()[1] for _ in free] == free
        assert listener.getsockname()[1] not in free
        assert ports.take() == ("127.64.0.1", free[0])


def test_an_address_whose_ports_are_all_taken() -> None:
    """It is not looked at for ever: a port in use is given, and the connection's own failure tells."""
    ports = SourcePorts("192.0.2.1")  # an address that is not this machine's: nothing can be bound to it
    assert ports.take() == ("192.0.2.1", FIRST_PORT + MAX_TAKEN - 1)


@pytest.mark.parametrize("library", ["httptools", "aiohttp"])
async def test_connections_come_from_there(start_server: Any, library: str) -> None:
    """The kernel's table has two from the address that was named, on the ports whose turn it was: none was looked for.

    No other test has used the address just now.
    """
    server = await start_server()
    last = next(_LAST)
    options = TransportOptions(server.url, library=library, source=SourcePorts(f"127.64.{os.getpid() % 256}.{last}"))
    async with open_transport(options) as transport:
        client = Client(transport, server=server.url)
        async with asyncio.TaskGroup() as tasks:  # at the same time, so that none can take the other's connection
            for _ in range(2):
                tasks.create_task(client.system.ping())
        connections = await asyncio.to_thread(Path("/proc/net/tcp").read_text)
    for port in (FIRST_PORT, FIRST_PORT + 1):
        assert f" {last:02X}{os.getpid() % 256:02X}407F:{port:04X} " in connections
