"""Opening a transport: the library that speaks HTTP is the configuration's to choose (`HTTPTransport`).

Only the one that is chosen is imported: each costs a process megabytes.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from mattermost_load_test.mattermost.tls import tls_context
from mattermost_load_test.mattermost.transport import ServerTransport, TransportOptions

if TYPE_CHECKING:
    from mattermost_load_test.config import ConnectionConfiguration


@asynccontextmanager
async def open_transport(options: TransportOptions | ConnectionConfiguration) -> AsyncIterator[ServerTransport]:
    """Open a pool of connections to one server, and close it at the end.

    No connection is made yet. Raises `ConfigurationError` when the CA file cannot be used.
    """
    if not isinstance(options, TransportOptions):
        options = TransportOptions.of(options)
    tls = None
    if options.base_url.lower().startswith("https:"):
        tls = await asyncio.to_thread(tls_context, options.ca_file, options.verify_certificate)
    if options.library == "aiohttp":
        from mattermost_load_test.mattermost.aiohttp_transport import open_aiohttp

        async with open_aiohttp(options, tls) as aiohttp_transport:
            yield aiohttp_transport
    else:
        from mattermost_load_test.mattermost.httptools_transport import open_httptools

        async with open_httptools(options, tls) as httptools_transport:
            yield httptools_transport
