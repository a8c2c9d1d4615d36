"""The ports that an embedded server listens on."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Callable, Sequence

from mattermost_load_test.errors import PortInUseError, UsageError

BACKLOG = 4096
"""Connections that may wait to be accepted: an agent opens thousands at once."""


class Listeners:
    """Ports that are taken when a server starts, and let go of and taken again while new connections are refused.

    `serve` makes the protocol of each new connection; port 0 stands for any free one, which it then keeps.
    """

    def __init__(self, host: str, ports: Sequence[int], serve: Callable[[], asyncio.Protocol]) -> None:
        self.host = host
        self.ports = tuple(ports)
        self._serve = serve
        self._servers: list[asyncio.Server] = []

    async def open(self) -> None:
        """Listen; nothing to do while it is done already.

        Raises `PortInUseError` when a port is taken, `UsageError` when the address cannot be listened on.
        """
        if self._servers:
            return
        sockets: list[socket.socket] = []
        try:
            for port in self.ports:
                sockets.append(_bind(self.host, port))
        except BaseException:
            for bound in sockets:
                bound.close()
            raise
        self.ports = tuple(bound.getsockname()[1] for bound in sockets)
        loop = asyncio.get_running_loop()
        self._servers = [await loop.create_server(self._serve, sock=bound, backlog=BACKLOG) for bound in sockets]

    def close(self) -> None:
        """Refuse new connections; those that stand are left alone."""
        for server in self._servers:
            server.close()
        self._servers = []


def _bind(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise PortInUseError(
                f"Port {port} on {host} is taken by another program: stop it, or choose another port (--port)."
            ) from error
        raise UsageError(
            f"Cannot listen on port {port} of {host}: {error.strerror or error}. "
            "Choose an address of this machine (--host) and a port above 1023 (--port)."
        ) from error
