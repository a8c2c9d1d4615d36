"""Writing to a stream that may be read slowly, or not at all, without anybody waiting for its reader.

A pipe holds 64 KiB and a terminal less; behind them is a pager that nobody scrolls, a program that is busy, a Ctrl-S.
"""

from __future__ import annotations

import contextlib
import io
import os
import select
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import IO

MEMORY_BYTES = 4 << 20
PIECE_BYTES = 16 * 1024
LOOK_S = 0.2


class Outflow:
    """Writes to the descriptor `fd` in a thread of its own, in order; the descriptor stays its owner's.

    What is not read yet waits in memory, beyond `memory_bytes` in a file without a name.
    """

    def __init__(self, fd: int, memory_bytes: int = MEMORY_BYTES) -> None:
        self._fd = fd
        self._memory_bytes = memory_bytes
        self._changed = threading.Condition()
        self._waiting: deque[bytes] = deque()
        self._waiting_bytes = 0  # of them
        self._overflow: _Overflow | None = None
        self._left_bytes = 0  # not written yet, wherever it waits
        self._error: OSError | None = None
        self._ended = False
        self._thread: threading.Thread | None = None

    @property
    def behind(self) -> bool:
        """Say whether anything waits to be written."""
        return self._left_bytes > 0

    def put(self, data: bytes) -> None:
        """Have `data` written behind all that was put before; raises the OSError that writing came to before."""
        with self._changed:
            if self._error is not None:
                raise self._error
            if self._thread is None:
                self._thread = threading.Thread(target=self._write_all, name="outflow", daemon=True)
                self._thread.start()
            if self._overflow or self._waiting_bytes + len(data) > self._memory_bytes:
                self._overflow = self._overflow or _Overflow()
                self._overflow.append(data)
            else:
                self._waiting.append(data)
                self._waiting_bytes += len(data)
            self._left_bytes += len(data)
            self._changed.notify_all()

    def finish(self, patience_s: Callable[[], float | None]) -> int:
        """Return when all is written, or the reader took nothing for `patience_s`; how many bytes are left then.

        The patience is asked for now and then: None is without end. Raises the OSError that writing came to. May be
        called again, with more put in between.
        """
        with self._changed:
            before, since_s = self._left_bytes, time.monotonic()
            while self._left_bytes and self._error is None:
                self._changed.wait(LOOK_S)
                now_s, patience = time.monotonic(), patience_s()
                if self._left_bytes != before:
                    before, since_s = self._left_bytes, now_s
                elif patience is not None and now_s - since_s >= patience:
                    break
            if self._error is not None:
                raise self._error
            return self._left_bytes

    def close(self) -> None:
        """Let the thread end once all is written; what waits for a reader that never reads goes with the process."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def _write_all(self) -> None:
        """Write what is put, piece by piece, until the end or an error."""
        while piece := self._next_piece():
            try:
                written = os.write(self._fd, piece)
            except BlockingIOError:  # somebody who has the same pipe made it so
                select.select([], [self._fd], [], LOOK_S)
                written = 0
            except OSError as error:
                with self._changed:
                    self._error = error
                    self._changed.notify_all()
                return
            self._advance(piece, written)

    def _next_piece(self) -> bytes:
        """Wait for what is to be written next and return it; nothing at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._left_bytes or self._ended)
            if not self._waiting and self._overflow is not None:
                self._waiting.append(self._overflow.take(PIECE_BYTES))
                self._waiting_bytes += len(self._waiting[0])
                if not self._overflow.size_bytes:
                    self._overflow.close()
                    self._overflow = None
            return self._waiting[0][:PIECE_BYTES] if self._waiting else b""

    def _advance(self, piece: bytes, written: int) -> None:
        """Take away what was written of the first that waits."""
        with self._changed:
            self._left_bytes -= written
            self._waiting_bytes -= written
            rest = self._waiting.popleft()[written:]
            if rest:
                self._waiting.appendleft(rest)
            self._changed.notify_all()


class _Overflow:
    """Bytes in a file without a name, first in, first out."""

    def __init__(self) -> None:
        self._file: IO[bytes] = tempfile.TemporaryFile(prefix="loadtest-", buffering=0)  # noqa: SIM115 - `close` does
        self._read_bytes = 0
        self.size_bytes = 0

    def append(self, data: bytes) -> None:
        """Add bytes; raises OSError where there is no room."""
        view = memoryview(data)
        offset = self._read_bytes + self.size_bytes
        while view:
            written = os.pwrite(self._file.fileno(), view, offset)
            view, offset = view[written:], offset + written
        self.size_bytes += len(data)

    def take(self, most_bytes: int) -> bytes:
        """Return the first bytes and forget them."""
        data = os.pread(self._file.fileno(), min(most_bytes, self.size_bytes), self._read_bytes)
        self._read_bytes += len(data)
        self.size_bytes -= len(data)
        return data

    def close(self) -> None:
        """Give the file's room back."""
        self._file.close()


class FlowingText(io.TextIOBase):
    """A terminal as a text stream that never waits; one that is gone swallows what is written."""

    def __init__(self, flow: Outflow, fd: int) -> None:
        super().__init__()
        self._flow = flow
        self._fd = fd

    @property
    def encoding(self) -> str:  # type: ignore[override]  # read-only is what it is
        """What characters are written as."""
        return "utf-8"

    def writable(self) -> bool:
        """Say that it is for writing."""
        return True

    def isatty(self) -> bool:
        """Say that it is a terminal."""
        return True

    def fileno(self) -> int:
        """Return the terminal's descriptor."""
        return self._fd

    def write(self, text: str) -> int:
        """Have `text` written."""
        with contextlib.suppress(OSError):
            self._flow.put(text.encode(errors="replace"))
        return len(text)
