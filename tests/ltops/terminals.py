"""Programs on a terminal of a size, as a user sits before one."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

DEADLINE_S = 30.0
LINES, COLUMNS = 31, 97


@dataclass
class Terminal:
    """A terminal with a program on it."""

    near: int
    process: subprocess.Popen[bytes]
    shown: bytes = b""

    def type(self, keys: bytes) -> None:
        """Type something."""
        os.write(self.near, keys)

    def until(self, text: bytes) -> None:
        """Wait until something is shown."""
        end_s = time.monotonic() + DEADLINE_S
        while text not in self.shown:
            assert time.monotonic() < end_s, self.shown
            if select.select([self.near], [], [], 0.1)[0]:
                self.shown += os.read(self.near, 1 << 14)

    def until_typed(self, keys: bytes, text: bytes) -> None:
        """Type something again and again until something is shown."""
        end_s = time.monotonic() + DEADLINE_S
        while text not in self.shown:
            assert time.monotonic() < end_s, self.shown
            self.type(keys)
            if select.select([self.near], [], [], 1.0)[0]:
                self.shown += os.read(self.near, 1 << 14)

    def resize(self, lines: int, columns: int) -> None:
        """Change its size."""
        fcntl.ioctl(self.near, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        self.process.send_signal(signal.SIGWINCH)


@contextmanager
def on_terminal(
    command: Sequence[str], environment: Mapping[str, str] | None = None, folder: Path | None = None
) -> Iterator[Terminal]:
    """Give a program on a terminal of `LINES` and `COLUMNS`, with more in its environment, started in a folder."""
    near, far = pty.openpty()
    fcntl.ioctl(near, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
    whole = {**os.environ, "TERM": "xterm", **(environment or {})}
    for name in ("COLUMNS", "LINES"):
        whole.pop(name, None)
    process = subprocess.Popen(
        command, stdin=far, stdout=far, stderr=far, env=whole, cwd=folder, start_new_session=True
    )
    try:
        yield Terminal(near, process)
    finally:
        process.kill()
        process.wait()
        os.close(near)
        os.close(far)
