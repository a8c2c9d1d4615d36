"""The socket between the parent and a worker: whole messages, as many as fit, never a wait while sending.

A message is its length in four bytes and its pickle: both ends are one program, forked. What a reader does not take
waits in the sender's memory, up to `BACKLOG_BYTES`; beyond that `send` refuses.
"""

from __future__ import annotations

import asyncio
import contextlib
import pickle
import socket
import struct
from typing import cast

from mattermost_load_test.loadtest.workers.messages import Message

BACKLOG_BYTES = 32 << 20  # timings of some 20 minutes at 1,000 requests a second
_LENGTH = struct.Struct("!I")


class Link:
    """One end, made by `open_link`."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    def send(self, message: Message) -> bool:
        """Send `message` whole and return true; false where that end is closed or has too much to read already."""
        transport = self._writer.transport
        if transport.is_closing() or transport.get_write_buffer_size() > BACKLOG_BYTES:
            return False
        packed = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
        self._writer.write(_LENGTH.pack(len(packed)) + packed)
        return True

    async def receive(self) -> Message | None:
        """Return the next message, or None when the other end has ended, be it in the middle of a message."""
        try:
            (length,) = _LENGTH.unpack(await self._reader.readexactly(_LENGTH.size))
            packed = await self._reader.readexactly(length)
        except (asyncio.IncompleteReadError, OSError):
            return None
        return cast(Message, pickle.loads(packed))

    async def closed(self) -> None:
        """Return once the other end is closed; what it still sent is passed by.

        Whoever closes first must know that the other has nothing more to say: closing on unread messages breaks the
        socket, and takes from the other end what it has not read yet.
        """
        with contextlib.suppress(OSError):
            while await self._reader.read(1 << 16):
                pass

    def drop(self) -> None:
        """Close this end at once; what was not sent is given up."""
        self._writer.transport.abort()


async def open_link(end: socket.socket) -> Link:
    """Return the link over one end of a socket pair, which it takes over."""
    return Link(*await asyncio.open_unix_connection(sock=end))
