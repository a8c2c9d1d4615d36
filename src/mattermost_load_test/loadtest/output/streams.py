"""Where a run's output goes; each stream decides for itself.

stderr a terminal: the live view is on it. stdout a terminal: the summary comes there at the end; else stdout is the
structured log, JSON lines only, and the summary goes to stderr. `EnableConsole`, `ConsoleLevel` and `ConsoleJson` rule
the log's other lines on streams (`ConsoleJson` not where stdout is a log to be read by programs), `EnableFile`,
`FileLevel` and `FileJson` those in the file. Settings and timings are always written to at least one place. A stream
whose reader is slow holds nothing up (`flows`).
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO, cast

from mattermost_load_test.config import LogSettings
from mattermost_load_test.errors import OutputError
from mattermost_load_test.loadtest.output.flows import Flows, open_flows
from mattermost_load_test.loadtest.output.gate_watch import GateWatch
from mattermost_load_test.logs import (
    FdSink,
    FlowingText,
    Level,
    Log,
    Sink,
    StreamSink,
    ViewSink,
    Wanted,
    level_named,
    open_file,
)
from mattermost_load_test.reporting.live import LiveView, live_view

RESULTS_FILE = "results.txt"


@dataclass(frozen=True, slots=True)
class Streams:
    """The process's two streams, and the folder that relative paths start from."""

    stdout: TextIO
    stderr: TextIO
    folder: Path


@dataclass(slots=True)
class Output:
    """What a run writes to: the log, the live view where there is one, the summary at the end.

    `samples_path` is a file that holds every line of data, to be read again for the report.
    """

    log: Log
    view: LiveView | None
    samples_path: Path
    results_path: Path
    _streams: Streams
    _flows: Flows
    _end_view: Callable[[], None]
    _watch: GateWatch | None = None

    def crossed(self) -> tuple[str, ...]:
        """Return the gates that fail just now, each with its figure; a new one is told in the log."""
        return self._watch.crossed(self.log.warn) if self._watch is not None else ()

    def show_report(self, text: str) -> None:
        """Take the live view away, show `text` and write it to `results.txt`; raises `OutputError` if that fails.

        It is shown first: a full disk does not keep it from the eyes.
        """
        self.end_view()
        shown_on = self._streams.stdout if self._streams.stdout.isatty() else self._streams.stderr
        with contextlib.suppress(OSError):  # a reader that went away does not keep it from the file
            self._flows.write(shown_on, text)
        try:
            self.results_path.write_text(text)
        except OSError as error:
            if self.log.failure is not None:
                raise OutputError(f"{self.log.failure} Nor can {self.results_path} ({error.strerror}).") from error
            raise OutputError(
                f"{self.results_path} cannot be written: {error.strerror}; the log still holds every figure: "
                "make room, then `ltparse results --file LOG` makes the report again"
            ) from error

    def end_view(self) -> None:
        """Take the live view away, if there is one."""
        self.view = None
        self._end_view()

    def leave(self) -> None:
        """Put the terminal right before the process ends at once."""
        self.end_view()
        self._flows.leave()


@contextmanager
def open_output(
    settings: LogSettings,
    streams: Streams,
    watch: GateWatch | None = None,
    interrupted: Callable[[], bool] = lambda: False,
) -> Iterator[Output]:
    """Open everything a run writes to, and close it at the end; raises `OutputError` if a file cannot be opened.

    `watch`, if any, sees every line of data, and tells of gates in the log. At the end streams have time to be read,
    less where the run was `interrupted`; raises `OutputError` where stdout had what nothing else has, and was not.
    """
    with open_flows(streams.stderr, interrupted) as flows, ExitStack() as stack, ExitStack() as view_stack:
        view = _view(streams.stderr, flows, view_stack) if streams.stderr.isatty() else None
        sinks, samples_path, notes = _sinks(settings, streams, flows, view, stack)
        log = Log(sinks if watch is None else [*sinks, watch])
        stack.callback(log.close)
        for note in notes:
            log.warn(note)
        yield Output(log, view, samples_path, streams.folder / RESULTS_FILE, streams, flows, view_stack.close, watch)


def _view(terminal: TextIO, flows: Flows, stack: ExitStack) -> LiveView:
    """Return a live view on a terminal, which is left alone while it does not take what it was given."""
    flow = flows.of(terminal)
    assert flow is not None  # a terminal is no regular file
    text = cast(TextIO, FlowingText(flow, terminal.fileno()))  # it is all of one that a view uses
    return stack.enter_context(live_view(text, lambda: flow.behind))


def _sinks(
    settings: LogSettings, streams: Streams, flows: Flows, view: LiveView | None, stack: ExitStack
) -> tuple[list[Sink], Path, list[str]]:
    """Return the log's sinks, the file that holds every line of data, and what the user should know about them."""
    sinks: list[Sink] = list(_stream_sinks(settings, streams, flows, view))
    path = streams.folder / settings.file_location
    notes = []
    data_only = Wanted(None, as_json=True, data=True)
    wanted = Wanted(level_named(settings.file_level), settings.file_json, data=True) if settings.enable_file else None
    if wanted is None and not any(sink.vital for sink in sinks):
        wanted = data_only
        notes.append(f"EnableFile is off and stdout is a terminal: settings and timings go to {path} all the same.")
    if wanted is not None:
        sinks.append(open_file(path, wanted))
    if wanted is None or not path.is_file():  # nothing, or a device such as /dev/null, that could be read again
        path = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="loadtest-"))) / "samples.log"
        sinks.append(open_file(path, data_only))
    else:
        flows.kept_in = str(path)
    return sinks, path, notes


def _stream_sinks(settings: LogSettings, streams: Streams, flows: Flows, view: LiveView | None) -> Iterator[Sink]:
    """Yield the sinks on the two streams."""
    level = level_named(settings.console_level) if settings.enable_console else None
    stdout_is_log = not streams.stdout.isatty()
    if stdout_is_log:
        wanted = Wanted(level, as_json=True, data=True)
        flow = flows.of_data(streams.stdout)
        yield StreamSink(flow, "stdout", wanted) if flow else FdSink(streams.stdout.fileno(), "stdout", wanted)
    if view is not None:
        shown = max(level, Level.WARN) if stdout_is_log and level is not None else level
        yield ViewSink(view.print_line, Wanted(shown, settings.console_json, data=False))
    elif not stdout_is_log:
        wanted = Wanted(level, settings.console_json, data=False)
        flow = flows.of(streams.stderr)
        yield StreamSink(flow, "stderr", wanted) if flow else FdSink(streams.stderr.fileno(), "stderr", wanted)
