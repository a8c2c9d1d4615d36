"""The process's streams as flows: nobody waits for who reads them, until the run is over, and then not for ever."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

from mattermost_load_test.errors import OutputError
from mattermost_load_test.logs import Outflow, cannot_be_written

PATIENCE_S = 10.0
"""How long a reader may take nothing at the end, where what it does not read stands elsewhere, too."""

LEAVING_S = 1.0


class Flows:
    """One flow for each pipe, terminal or other device behind the streams: stdout and stderr may be the same.

    `interrupted` says whether somebody wants the end before its time.
    """

    def __init__(self, interrupted: Callable[[], bool]) -> None:
        self._interrupted = interrupted
        self._flows: dict[tuple[int, int], Outflow] = {}
        self._data: Outflow | None = None
        self.kept_in = ""
        """The file that holds every line of data, too, where there is one that stays."""

    def of(self, stream: TextIO) -> Outflow | None:
        """Return the flow to a stream; none for a regular file, which has no reader to wait for."""
        found = os.fstat(stream.fileno())
        if stat.S_ISREG(found.st_mode):
            return None
        return self._flows.setdefault((found.st_dev, found.st_ino), Outflow(stream.fileno()))

    def of_data(self, stream: TextIO) -> Outflow | None:
        """Return the flow to the stream that lines of data go to."""
        self._data = self.of(stream)
        return self._data

    def write(self, stream: TextIO, text: str) -> None:
        """Write `text` to a stream, behind what was written to it before; raises OSError."""
        flow = self.of(stream)
        if flow is not None:
            flow.put(text.encode(errors="replace"))
        else:
            stream.write(text)
            stream.flush()

    def leave(self) -> None:
        """Give all readers a moment to take what is written, and no more."""
        for flow in self._flows.values():
            with contextlib.suppress(OSError):
                flow.finish(lambda: LEAVING_S)

    def finish(self, tell_on: TextIO) -> None:
        """Wait until all is read. Data that nobody reads is told on a stream, or raised where it stands nowhere else.

        Raises `OutputError`.
        """
        for flow in list(self._flows.values()):
            data = flow is self._data
            try:
                left_bytes = flow.finish(self._patience_s if data else lambda: PATIENCE_S)
            except OSError as error:
                if data and not self._interrupted():
                    raise cannot_be_written("stdout", error) from error
                continue
            if left_bytes and data:
                self._tell_left(left_bytes, tell_on)

    def _patience_s(self) -> float | None:
        """Return how long the reader of the data may take nothing: any time where nobody else has it."""
        return PATIENCE_S if self.kept_in or self._interrupted() else None

    def _tell_left(self, left_bytes: int, tell_on: TextIO) -> None:
        """Say that nobody reads stdout to its end; an error where that is a loss nobody asked for."""
        said = f"stdout is not read: the last {left_bytes:,} bytes of the log are left out"
        if not self.kept_in and not self._interrupted():
            raise OutputError(f"{said}; read it to its end, or let a file have it (LogSettings.EnableFile)")
        elsewhere = f"; {self.kept_in} has every line" if self.kept_in else ""
        if self.of(tell_on) is not self._data:
            with contextlib.suppress(OSError):
                self.write(tell_on, f"Warning: {said}{elsewhere}\n")

    def close(self) -> None:
        """Give what was told at the last a moment, and end the flows."""
        self.leave()
        for flow in self._flows.values():
            flow.close()


@contextmanager
def open_flows(tell_on: TextIO, interrupted: Callable[[], bool]) -> Iterator[Flows]:
    """Give the flows, and see them to their end; an error on the way out is not replaced by another."""
    flows = Flows(interrupted)
    try:
        yield flows
    except BaseException:
        with contextlib.suppress(OutputError):
            flows.finish(tell_on)
        raise
    else:
        flows.finish(tell_on)
    finally:
        flows.close()
