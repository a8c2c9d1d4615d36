"""Listening on this machine alone, for what is carried somewhere else: over SSH, through a cluster's API."""

from __future__ import annotations

import errno
import socket
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from mattermost_load_test.errors import PortInUseError

HERE = "127.0.0.1"
READ_BYTES = 1 << 16
"""How much is taken at once of what is carried."""

_POLL_S = 0.1

Carry = Callable[[socket.socket], None]
"""Serves one connection until one end is done; it has a thread of its own."""


@contextmanager
def listening(local_port: int, carry: Carry) -> Iterator[str]:
    """Listen on a port, 0 for a free one, and give where; each connection is handed to `carry`.

    Raises `PortInUseError`. Connections that are there at the end stay until their other end or the process goes.
    """
    try:
        server = _Server((HERE, local_port), _handler(carry))
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


def _handler(carry: Carry) -> type[socketserver.BaseRequestHandler]:
    """Return what hands a connection to `carry`."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            carry(self.request)

    return Handler


class _Server(socketserver.ThreadingTCPServer):
    """Accepts, a thread for each connection."""

    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True
