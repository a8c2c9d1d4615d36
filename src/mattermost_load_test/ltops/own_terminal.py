"""The terminal of this process, while it is a shell's that runs elsewhere."""

from __future__ import annotations

import os
import signal
import termios
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

READ_BYTES = 1 << 15
"""How much is taken at once of what is typed, or comes back."""

LOST = 255
"""The exit code when the connection breaks, as ssh's own is."""


@contextmanager
def raw(stdin: int) -> Iterator[None]:
    """Let keys through as they are while the context lasts, where `stdin` is a terminal."""
    if not os.isatty(stdin):
        yield
        return
    before = termios.tcgetattr(stdin)
    try:
        tty.setraw(stdin, termios.TCSADRAIN)  # what was typed ahead is kept
        yield
    finally:
        termios.tcsetattr(stdin, termios.TCSADRAIN, before)


@contextmanager
def resizing(stdin: int, changed: Callable[[], None]) -> Iterator[None]:
    """Call `changed` whenever the size does, out of a signal's handler, where `stdin` is a terminal."""
    if not os.isatty(stdin):
        yield
        return

    def resized(number: int, frame: FrameType | None) -> None:
        changed()

    before = signal.signal(signal.SIGWINCH, resized)
    try:
        yield
    finally:
        signal.signal(signal.SIGWINCH, before)


def write(stream: int, data: bytes) -> None:
    """Write all of it."""
    while data:
        data = data[os.write(stream, data) :]
