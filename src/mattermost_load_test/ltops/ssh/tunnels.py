"""Ways from a port of this machine, through a host, to what only that host can reach."""

from __future__ import annotations

import contextlib
import select
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import paramiko

from mattermost_load_test.errors import HostError
from mattermost_load_test.ltops.loopback import HERE, READ_BYTES, listening
from mattermost_load_test.ltops.ssh.connection import CONNECT_S, Connection


@contextmanager
def tunnel(connection: Connection, host: str, port: int, local_port: int = 0) -> Iterator[str]:
    """Listen on loopback and carry what comes to `host`:`port` as the host sees it; a `local_port` of 0 is a free one.

    Gives where it listens. A connection to the host that was lost is made again by the next that comes. Raises
    `HostError` when nothing listens at the other end, `PortInUseError`.
    """
    _opened(connection, host, port).close()
    with listening(local_port, lambda near: _carried(connection, host, port, near)) as here:
        yield here


def _carried(connection: Connection, host: str, port: int, near: socket.socket) -> None:
    """Carry one connection; where its other end cannot be had, that is logged."""
    try:
        channel = _opened(connection, host, port)
    except HostError as error:
        connection.log(str(error))
        return
    with contextlib.closing(channel), contextlib.suppress(OSError):
        _carry(near, channel)


def _opened(connection: Connection, host: str, port: int) -> paramiko.Channel:
    """Open a way to an address; raises `HostError` when nothing listens there."""
    with connection.translated():
        transport = connection.transport()
        try:
            return transport.open_channel("direct-tcpip", (host, port), (HERE, 0), timeout=CONNECT_S)
        except paramiko.ChannelException as error:
            raise HostError(f"{connection.login} cannot reach {host}:{port}: {error.text}") from error


def _carry(near: socket.socket, far: paramiko.Channel) -> None:
    """Copy both ways until one end is done; raises OSError when one breaks."""
    while True:
        ready, _, _ = select.select([near.fileno(), far.fileno()], [], [])
        if near.fileno() in ready:
            if not (data := near.recv(READ_BYTES)):
                return
            far.sendall(data)
        if far.fileno() in ready:
            if not (data := far.recv(READ_BYTES)):
                return
            near.sendall(data)
