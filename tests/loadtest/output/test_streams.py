"""Which stream shows what: every combination of terminals and pipes, and the keys that rule the log's lines."""

from __future__ import annotations

import json
import os
import pty
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO, Any

import pytest

from mattermost_load_test.config import LogSettings
from mattermost_load_test.errors import OutputError
from mattermost_load_test.loadtest.output.streams import Output, Streams, open_output

TIMINGS = b'{"level":"info","tag":"timings"}'


class Screen:
    """A stream that is a terminal (a real one, seen from its other end) or a file."""

    def __init__(self, path: Path, terminal: bool) -> None:
        self._path = path
        self._parent = -1
        if terminal:
            self._parent, child = pty.openpty()
            self.stream: IO[str] = os.fdopen(child, "w", encoding="utf-8")
        else:
            self.stream = path.open("w", encoding="utf-8")

    def close(self) -> str:
        """Close the stream and return what was written to it."""
        self.stream.flush()
        text = ""
        if self._parent >= 0:
            os.set_blocking(self._parent, False)
            with suppress(BlockingIOError):
                while True:
                    text += os.read(self._parent, 1 << 16).decode()
            os.close(self._parent)
        self.stream.close()
        return text.replace("\r\n", "\n") if self._parent >= 0 else self._path.read_text()


class Shown:
    """What stood where in the end."""

    stdout = ""
    stderr = ""
    had_view = False
    samples = ""

    @property
    def lines(self) -> list[dict[str, Any]]:
        """The lines of stdout, all of which must be JSON."""
        return [json.loads(line) for line in self.stdout.splitlines()]


def run(folder: Path, *, stdout: bool, stderr: bool, settings: LogSettings) -> Shown:
    """Write a little of everything with stdout and stderr being terminals or files, and return what was shown."""
    shown = Shown()
    out, err = Screen(folder / "stdout", stdout), Screen(folder / "stderr", stderr)
    try:
        with open_output(settings, Streams(out.stream, err.stream, folder)) as output:
            shown.had_view = output.view is not None
            output.log.info("telling")
            output.log.warn("warning")
            output.log.write_line(TIMINGS)
            shown.samples = output.samples_path.read_text()
            output.show_report("the report\n")
    finally:
        shown.stdout, shown.stderr = out.close(), err.close()
    return shown


def settings(**keys: Any) -> LogSettings:
    """Return log settings with some keys set."""
    return LogSettings.model_validate(keys)


@pytest.mark.parametrize("stderr", [True, False], ids=["stderr terminal", "stderr file"])
@pytest.mark.parametrize("stdout", [True, False], ids=["stdout terminal", "stdout file"])
def test_each_stream_decides_for_itself(tmp_path: Path, stdout: bool, stderr: bool) -> None:
    """A terminal on stderr has the view; one on stdout the report, else the log is there and the report on stderr."""
    shown = run(tmp_path, stdout=stdout, stderr=stderr, settings=settings())
    assert shown.had_view is stderr
    if stdout:
        assert shown.stdout == "the report\n"
        assert "the report" not in shown.stderr
    else:
        assert [line.get("msg", line.get("tag")) for line in shown.lines] == ["telling", "warning", "timings"]
        assert "the report" in shown.stderr
    assert (tmp_path / "results.txt").read_text() == "the report\n"
    assert TIMINGS.decode() in (tmp_path / "loadtest.log").read_text()


def test_other_lines_go_to_stderr_where_stdout_is_a_terminal(tmp_path: Path) -> None:
    """Redirected stderr then holds the log's lines in the form of ConsoleJson, and no data, which the file has."""
    shown = run(tmp_path, stdout=True, stderr=False, settings=settings(ConsoleJson=False))
    assert shown.stderr.splitlines()[0].endswith("INFO  telling")
    assert "timings" not in shown.stderr


def test_two_terminals_show_lines_above_the_view(tmp_path: Path) -> None:
    """With nothing redirected, the console's lines stand above the view."""
    shown = run(tmp_path, stdout=True, stderr=True, settings=settings(ConsoleJson=False))
    assert "INFO  telling" in shown.stderr


def test_beside_a_log_on_stdout_the_view_shows_warnings_only(tmp_path: Path) -> None:
    """What stands in the log anyway is not repeated over the view, except what needs attention."""
    shown = run(tmp_path, stdout=False, stderr=True, settings=settings(ConsoleJson=False))
    assert "telling" not in shown.stderr
    assert "WARN  warning" in shown.stderr


def test_stdout_as_a_log_is_json_whatever_console_json_says(tmp_path: Path) -> None:
    """A redirected stdout is for programs: JSON lines only."""
    shown = run(tmp_path, stdout=False, stderr=False, settings=settings(ConsoleJson=False))
    assert len(shown.lines) == 3


def test_the_console_switched_off_still_leaves_the_data(tmp_path: Path) -> None:
    """Without EnableConsole a redirected stdout holds settings and timings alone, and stderr the report alone."""
    shown = run(tmp_path, stdout=False, stderr=False, settings=settings(EnableConsole=False))
    assert [line["tag"] for line in shown.lines] == ["timings"]
    assert shown.stderr == "the report\n"


def test_a_level_holds_lines_back_but_no_data(tmp_path: Path) -> None:
    """ConsoleLevel and FileLevel rule other lines only."""
    shown = run(tmp_path, stdout=False, stderr=False, settings=settings(ConsoleLevel="WARN", FileLevel="ERROR"))
    assert [line.get("msg", line.get("tag")) for line in shown.lines] == ["warning", "timings"]
    assert (tmp_path / "loadtest.log").read_bytes() == TIMINGS + b"\n"


def test_without_file_and_with_a_terminal_the_data_goes_to_the_file_all_the_same(tmp_path: Path) -> None:
    """Settings and timings are written to at least one place: the log file, data only, and a warning says so."""
    shown = run(tmp_path, stdout=True, stderr=False, settings=settings(EnableFile=False))
    assert (tmp_path / "loadtest.log").read_bytes() == TIMINGS + b"\n"
    assert "EnableFile is off" in shown.stderr


def test_without_file_the_log_on_stdout_suffices(tmp_path: Path) -> None:
    """Nothing is left in the folder but the results; the report is made from a copy that is gone afterwards."""
    shown = run(tmp_path, stdout=False, stderr=False, settings=settings(EnableFile=False))
    assert TIMINGS.decode() in shown.samples
    assert not (tmp_path / "loadtest.log").exists()


def test_a_device_as_log_file_is_not_read_again(tmp_path: Path) -> None:
    """With /dev/null as log file the report comes from a copy, too."""
    shown = run(tmp_path, stdout=False, stderr=False, settings=settings(FileLocation="/dev/null"))
    assert TIMINGS.decode() in shown.samples


@contextmanager
def output_in(folder: Path, results: str) -> Iterator[Output]:
    """Give an output on files whose results file is another."""
    with ExitStack() as stack:
        streams = [stack.enter_context((folder / name).open("w")) for name in ("stdout", "stderr")]
        output = stack.enter_context(open_output(settings(), Streams(streams[0], streams[1], folder)))
        output.results_path = Path(results)
        yield output


def test_a_report_that_cannot_be_written_is_shown_first(tmp_path: Path) -> None:
    """A full disk keeps the report from the file, not from the eyes; the message says how to make it again."""
    with output_in(tmp_path, "/dev/full") as output, pytest.raises(OutputError, match="ltparse results --file"):
        output.show_report("the report\n")
    assert (tmp_path / "stderr").read_text() == "the report\n"
