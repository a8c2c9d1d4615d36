"""Addresses of a host, looked up now and then: every new connection goes to the next of them."""

from __future__ import annotations

import asyncio
import socket
from itertools import cycle, islice

KEPT_S = 10.0  # as long as aiohttp keeps them: a name that moves is followed soon, a lookup a connection is spared


class Addresses:
    """The addresses of `host`; a host that is an address itself is looked up without asking anybody."""

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._port = port
        self._kept: list[str] = []
        self._until_s = 0.0
        self._turn = 0
        self._looking_up = asyncio.Lock()

    async def in_turn(self) -> list[str]:
        """Return all addresses, each time beginning with the next one; raises `socket.gaierror`."""
        loop = asyncio.get_running_loop()
        async with self._looking_up:
            if loop.time() >= self._until_s:
                found = await loop.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
                self._kept = list(dict.fromkeys(str(address[0]) for *_, address in found))
                self._until_s = loop.time() + KEPT_S
        self._turn += 1
        first = self._turn % len(self._kept)
        return list(islice(cycle(self._kept), first, first + len(self._kept)))
