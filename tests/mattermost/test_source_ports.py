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
    """The kernel's table has a connection from the address that was named, one that no other test has used just now."""
    server = await start_server()
    last = next(_LAST)
    options = TransportOptions(server.url, library=library, source=SourcePorts(f"127.64.{os.getpid() % 256}.{last}"))
    async with open_transport(options) as transport:
        await Client(transport, server=server.url).system.ping()
        connections = await asyncio.to_thread(Path("/proc/net/tcp").read_text)
    assert f" {last:02X}{os.getpid() % 256:02X}407F:" in connections
