"""Ways from a port of this machine, through a host, to what only that host can reach."""

from __future__ import annotations

import contextlib
import errno
import select
import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import paramiko

from mattermost_load_test.errors import HostError, PortInUseError
from mattermost_load_test.ltops.ssh.connection import CONNECT_S, Connection

HERE = "127.0.0.1"
READ_BYTES = 1 << 16
_POLL_S = 0.1


@contextmanager
def tunnel(connection: Connection, host: str, port: int, local_port: int = 0) -> Iterator[str]:
    """Listen on loopback and carry what comes to `host`:`port` as the host sees it; a `local_port` of 0 is a free one.

    Gives where it listens. A connection to the host that was lost is made again by the next that comes. Raises
    `HostError` when nothing listens at the other end, `PortInUseError`.
    """
    _opened(connection, host, port).close()
    try:
        server = _Server((HERE, local_port), lambda *made: _Carrier(connection, host, port, *made))
    except OSError as error:
        if error.errno not in (errno.EADDRINUSE, errno.EACCES):
            raise
        raise PortInUseError(f"port {local_port} cannot be listened on ({error.strerror}): choose another") from error
    serving = threading.Thread(target=server.serve_forever, args=(_POLL_S,), daemon=True)
    serving.start()
    try:
        yield f"{HERE}:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        serving.join()


class _Server(socketserver.ThreadingTCPServer):
    """Accepts, a thread for each connection; those end when the process does, or their other end."""

    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True


class _Carrier(socketserver.BaseRequestHandler):
    """Carries one connection."""

    def __init__(self, connection: Connection, host: str, port: int, *made: Any) -> None:
        self._connection, self._host, self._port = connection, host, port
        super().__init__(*made)

    def handle(self) -> None:
        """Carry what comes both ways until one end is done."""
        try:
            channel = _opened(self._connection, self._host, self._port)
        except HostError as error:
            self._connection.log(str(error))
            return
        with contextlib.closing(channel), contextlib.suppress(OSError):
            _carry(self.request, channel)


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
