"""The socket between parent and worker: messages whole or not at all, and only as many as can be kept."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator

import pytest

from mattermost_load_test.loadtest.workers.link import BACKLOG_BYTES, Link, open_link
from mattermost_load_test.loadtest.workers.messages import Begin, DataLine, Stop


@pytest.fixture
async def ends() -> AsyncIterator[tuple[Link, socket.socket]]:
    """Give a link and the bare socket at its other end."""
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    link = await open_link(ours)
    yield link, theirs
    link.drop()
    theirs.close()


async def test_messages_come_as_they_were_sent(ends: tuple[Link, socket.socket]) -> None:
    """Small and large ones, in their order, and nothing once the other end is closed."""
    link, socket_there = ends
    there = await open_link(socket_there)
    sent = [Begin(1.5), DataLine(b"x" * (1 << 20)), Stop(0.0)]
    assert all(link.send(message) for message in sent)
    async with asyncio.timeout(10):
        assert [await there.receive() for _ in sent] == sent
        link.drop()
        assert await there.receive() is None
    there.drop()


async def test_half_a_message_is_none(ends: tuple[Link, socket.socket]) -> None:
    """Of a worker that is killed while it writes, only whole messages are heard."""
    link, there = ends
    there.sendall(struct.pack("!I", 1000) + b"half")
    there.close()
    async with asyncio.timeout(10):
        assert await link.receive() is None


async def test_a_reader_that_does_not_read_is_not_waited_for(ends: tuple[Link, socket.socket]) -> None:
    """Up to a bound messages wait in memory, then they are refused; sending never waits."""
    link, _ = ends
    line = DataLine(b"x" * (1 << 20))
    taken = 0
    while link.send(line):
        taken += 1
        assert taken < 2 * BACKLOG_BYTES >> 20
    assert taken >= BACKLOG_BYTES >> 20


async def test_a_closed_end_takes_nothing(ends: tuple[Link, socket.socket]) -> None:
    """Whoever says something to one that has just ended is told no, and nothing breaks."""
    link, _ = ends
    link.drop()
    assert not link.send(Stop(1.0))
    await asyncio.sleep(0)  # the loop closes it now
    await asyncio.sleep(0)
    assert not link.send(Stop(1.0))
