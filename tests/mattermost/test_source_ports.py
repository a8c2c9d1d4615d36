"""Where connections come from."""

from __future__ import annotations

import asyncio
import os
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from mattermost_load_test.mattermost.opening import open_transport
from mattermost_load_test.mattermost.rest import Client
from mattermost_load_test.mattermost.source_ports import FIRST_PORT, LAST_PORT, SourcePorts
from mattermost_load_test.mattermost.transport import TransportOptions

_LAST = count(2)


def test_every_port_comes_in_its_turn() -> None:
    """After the last one comes the first again."""
    ports = SourcePorts("127.64.0.1")
    count = LAST_PORT - FIRST_PORT + 1
    assert len({ports.take() for _ in range(count)}) == count
    assert ports.take() == ("127.64.0.1", FIRST_PORT)


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
