"""Where connections come from, when the system is not to choose: one address of this machine's, port by port.

The system finds a free port by trying one after the other; with half of its range in use that costs milliseconds of CPU
for each connection. An address that nobody else uses has its ports in turn, at little cost, and twice as many of them.
"""

from __future__ import annotations

import socket

FIRST_PORT, LAST_PORT = 1024, 65535

# How many ports in a row may be taken, by programs that listen on every address or by connections that last.
MAX_TAKEN = 1000


class SourcePorts:
    """The ports of one own address, each in its turn, those in use left out; a port comes again after 64,511 others."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._port = LAST_PORT

    def take(self) -> tuple[str, int]:
        """Return the address and port that the next connection is to be bound to.

        After `MAX_TAKEN` ports in use it is one of them, and binding to it says so.
        """
        for _ in range(MAX_TAKEN):
            self._port = FIRST_PORT if self._port >= LAST_PORT else self._port + 1
            if self._is_free():
                break
        return self.address, self._port

    def _is_free(self) -> bool:
        """Say whether a connection can be bound to the port."""
        with socket.socket() as probe:
            try:
                probe.bind((self.address, self._port))
            except OSError:
                return False
        return True
