"""A command or a shell in a container, on this process's terminal."""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import signal
import sys
import termios
import tty
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

from mattermost_load_test.errors import ServerError
from mattermost_load_test.ltops.providers.kubernetes.api import Api
from mattermost_load_test.ltops.providers.kubernetes.streams import STDERR, STDIN, Exec, Place

READ_BYTES = 1 << 15
LOST = 255
"""The exit code when the connection breaks, as ssh's own is."""

RESIZED_S = 0.3
"""How soon a changed size is told."""

SHELL = ("sh", "-c", "command -v bash >/dev/null && exec bash || exec sh")


def attach(api: Api, place: Place, command: Sequence[str]) -> int:
    """Run a command, a shell if it is empty, with our stdin, stdout and stderr; return its exit code.

    On a terminal it gets one of the same size and colours. Raises `ServerError` when the container cannot be reached.
    """
    stdin = sys.stdin.fileno()
    terminal = os.isatty(stdin) and os.isatty(sys.stdout.fileno())
    prefix = ("env", f"TERM={os.environ.get('TERM', 'xterm')}") if terminal else ()
    stream = Exec(api, place, [*prefix, *(command or SHELL)], stdin=True, terminal=terminal)
    try:
        with _raw(stdin, terminal), _resized(terminal) as sizes:
            _copy(stream, stdin, sizes)
    finally:
        stream.close()
    return LOST if stream.exit_code is None else stream.exit_code


@contextmanager
def _raw(stdin: int, terminal: bool) -> Iterator[None]:
    """Let keys through as they are while the context lasts, on a terminal."""
    if not terminal:
        yield
        return
    before = termios.tcgetattr(stdin)
    try:
        tty.setraw(stdin)
        yield
    finally:
        termios.tcsetattr(stdin, termios.TCSADRAIN, before)


@contextmanager
def _resized(terminal: bool) -> Iterator[list[bool]]:
    """Give a list with an entry whenever the size of our terminal is to be told: now, and when it changes."""
    told: list[bool] = [True] if terminal else []

    def changed(number: int, frame: FrameType | None) -> None:
        told.append(True)  # told by the loop: a signal may come in the midst of a frame

    before = signal.signal(signal.SIGWINCH, changed) if terminal else None
    try:
        yield told
    finally:
        if terminal:
            signal.signal(signal.SIGWINCH, before)


def _copy(stream: Exec, stdin: int, sizes: list[bool]) -> None:
    """Copy both ways until the command ends."""
    sources = [stream.fileno(), stdin]
    while not stream.ended and stream.exit_code is None:
        with contextlib.suppress(ServerError):  # what it does not want, since it has ended, shows when we read
            if sizes:
                sizes.clear()
                stream.resize(*shutil.get_terminal_size())
            ready = sources[:1] if stream.is_readable(0) else select.select(sources, [], [], RESIZED_S)[0]
            if stdin in ready and not _pass_on(stream, stdin):
                sources.remove(stdin)
        if sources[0] in ready:
            channel, content = stream.receive()
            _write(sys.stderr.fileno() if channel == STDERR else sys.stdout.fileno(), content)


def _pass_on(stream: Exec, stdin: int) -> bool:
    """Send what was typed, and say whether more may come."""
    keys = os.read(stdin, READ_BYTES)
    if keys:
        stream.send(STDIN, keys)
    else:
        stream.close_stdin()
    return bool(keys)


def _write(stream: int, data: bytes) -> None:
    """Write all of it."""
    while data:
        data = data[os.write(stream, data) :]
