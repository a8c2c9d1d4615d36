"""The log that the agent writes to."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from mattermost_load_test.errors import OutputError

from .lines import Level, LogLine, scrubbed
from .sinks import Sink


class Log:
    """What the agent writes to: every line goes to each sink, a broken sink is dropped and remembered.

    Writing never raises: the failure of a vital sink is kept in `failure` and told to `on_failure`, once, so that the
    run can end in an orderly way wherever the line came from.
    """

    def __init__(self, sinks: Iterable[Sink] = (), clock: Callable[[], float] = time.time) -> None:
        self.failure: OutputError | None = None
        self.on_failure: Callable[[OutputError], None] | None = None
        self._sinks: Sequence[Sink] = tuple(sinks)
        self._clock = clock

    def debug(self, message: str, **fields: object) -> None:
        """Write a line that only somebody looking for a fault wants."""
        self._write(Level.DEBUG, message, fields)

    def info(self, message: str, **fields: object) -> None:
        """Write a line that says what is done."""
        self._write(Level.INFO, message, fields)

    def warn(self, message: str, **fields: object) -> None:
        """Write a line about something that the user should know."""
        self._write(Level.WARN, message, fields)

    def error(self, message: str, **fields: object) -> None:
        """Write a line about something that failed."""
        self._write(Level.ERROR, message, fields)

    def pass_on(self, line: LogLine) -> None:
        """Write a line that was made elsewhere, in another process of this agent."""
        self._give(line)

    def write_line(self, line: bytes) -> None:
        """Write a finished line of data to every sink that takes data: JSON without secrets, given without its end."""
        for sink in self._sinks:
            try:
                sink.write_data(line)
            except OutputError as error:
                self._drop(sink, error)

    def close(self) -> None:
        """Close every sink."""
        for sink in self._sinks:
            sink.close()
        self._sinks = ()

    def _write(self, level: Level, message: str, fields: Mapping[str, object]) -> None:
        """Make the line and write it."""
        safe = {key: scrubbed(value, key) for key, value in fields.items()}
        self._give(LogLine(level, self._clock(), _caller(), str(scrubbed(message)), safe))

    def _give(self, line: LogLine) -> None:
        """Hand the line to every sink that still works."""
        for sink in self._sinks:
            try:
                sink.write(line)
            except OutputError as error:
                self._drop(sink, error)

    def _drop(self, sink: Sink, error: OutputError) -> None:
        """Go on without `sink`, and tell if what was measured cannot be kept any more."""
        self._sinks = tuple(other for other in self._sinks if other is not sink)
        sink.close()
        if sink.vital and self.failure is None:
            self.failure = error
            if self.on_failure is not None:
                self.on_failure(error)


def _caller() -> str:
    """Return folder, file and line of the code that wrote to the log, as the original does: ``loadtest/run.py:57``."""
    frame = sys._getframe(3)
    path = Path(frame.f_code.co_filename)
    return f"{path.parent.name}/{path.name}:{frame.f_lineno}"
