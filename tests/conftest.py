"""What tests of all parts share: embedded Mattermost servers on free ports."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest

from mattermost_load_test.embedded.server import EmbeddedServer, ServerOptions, serve

StartServer = Callable[..., Awaitable[EmbeddedServer]]
"""Starts a server with the given `ServerOptions`; it is stopped when the test ends."""


@pytest.fixture
async def start_server() -> AsyncIterator[StartServer]:
    """Give what starts embedded servers: ``await start_server(version="5.37")``."""
    async with AsyncExitStack() as running:

        async def start(**options: Any) -> EmbeddedServer:
            return await running.enter_async_context(serve(ServerOptions(**options)))

        yield start


@pytest.fixture
async def embedded(start_server: StartServer) -> EmbeddedServer:
    """Give an embedded server just installed, of the newest version, on a free port."""
    return await start_server()
