"""Where connections come from, when the system is not to choose: one address of this machine's, port by port.

The system finds a free port by trying one after the other; with half of its range in use that costs milliseconds of CPU
for each connection. An address that nobody else uses has its ports in turn, at no cost, and twice as many of them.
"""

from __future__ import annotations

FIRST_PORT, LAST_PORT = 1024, 65535


class SourcePorts:
    """The ports of one own address, each in its turn; a port comes again after 64,511 others."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._port = LAST_PORT

    def take(self) -> tuple[str, int]:
        """Return the address and port that the next connection is to be bound to."""
        self._port = FIRST_PORT if self._port >= LAST_PORT else self._port + 1
        return self.address, self._port
