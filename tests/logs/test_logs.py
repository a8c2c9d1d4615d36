"""The structured log: its form, its sinks, its secrets and what a full disk does to it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import SecretStr

from mattermost_load_test.errors import OutputError
from mattermost_load_test.logs import MASK, FdSink, Level, Log, ViewSink, Wanted, keep_earlier, level_named, open_file

EVERYTHING = Wanted(Level.DEBUG, as_json=True, data=True)
AT = 1_795_415_390.5974991


def fixed_clock() -> float:
    """Stand still."""
    return AT


def lines_of(path: Path) -> list[dict[str, object]]:
    """Return the lines of a log, each parsed."""
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.fixture
def log_file(tmp_path: Path) -> Path:
    """Return a path for a log that is not there yet."""
    return tmp_path / "loadtest.log"


def logged(path: Path, wanted: Wanted, write: Callable[[Log], None]) -> str:
    """Return what stands in a log file at `path` after `write` was called on its log."""
    log = Log([open_file(path, wanted)], fixed_clock)
    write(log)
    log.close()
    return path.read_text()


def test_a_line_has_the_originals_form(log_file: Path) -> None:
    """Level, time, caller and message stand first, in the original's names, then the fields."""
    logged(log_file, EVERYTHING, lambda log: log.info("Found teams", teams=3))
    (line,) = lines_of(log_file)
    assert list(line) == ["level", "ts", "caller", "msg", "teams"]
    assert line["level"] == "info"
    assert line["ts"] == AT
    assert str(line["caller"]).startswith("logs/test_logs.py:")


def test_a_level_holds_back_what_is_below_it_but_never_data(log_file: Path) -> None:
    """An ERROR sink still gets settings and timings, as JSON even where other lines are text."""

    def write(log: Log) -> None:
        log.info("hidden")
        log.write_line(b'{"tag":"timings"}')
        log.error("shown", reason="two words")

    first, second = logged(log_file, Wanted(Level.ERROR, as_json=False, data=True), write).splitlines()
    assert json.loads(first)["tag"] == "timings"
    assert second.endswith('ERROR shown  reason="two words"')


def test_a_text_line_stays_one_line(log_file: Path) -> None:
    """Line breaks in messages and fields are shown, not made."""
    text = logged(log_file, Wanted(Level.INFO, False, True), lambda log: log.info("one\ntwo", said="a\nb"))
    assert text.count("\n") == 1


@pytest.mark.parametrize(
    "fields",
    [
        {"token": "sesame"},
        {"Authorization": "Bearer sesame"},
        {"said": "sent Bearer sesame to the server"},
        {"error": "no route to postgres://mmuser:sesame@127.0.0.1/mattermost"},
        {"configuration": {"ConnectionConfiguration": {"AdminPassword": "sesame", "DataSource": "u:sesame@tcp(x)/y"}}},
        {"configuration": {"AdminPassword": SecretStr("sesame")}},
        {"things": [{"results_password": "sesame"}]},
    ],
)
def test_secrets_are_masked(log_file: Path, fields: dict[str, object]) -> None:
    """A secret is masked by its key, its type or its place in a text, however deep it stands."""
    text = logged(log_file, EVERYTHING, lambda log: log.info("Settings", **fields))
    assert "sesame" not in text
    assert MASK in text


def test_an_earlier_log_is_kept_under_its_start_time(log_file: Path) -> None:
    """A new run starts its log anew; the earlier one stays beside it, named after its first line, never overwritten."""
    for message in ("first", "second", "third"):
        logged(log_file, EVERYTHING, lambda log, message=message: log.info(message))  # type: ignore[misc]
    assert lines_of(log_file)[0]["msg"] == "third"
    kept = sorted(path.name for path in log_file.parent.iterdir() if path != log_file)
    assert kept == ["loadtest-20261123T062950Z-2.log", "loadtest-20261123T062950Z.log"]


def test_only_regular_files_are_moved_aside(tmp_path: Path) -> None:
    """A device such as /dev/null as log file stays where it is."""
    assert keep_earlier(Path("/dev/null")) is None
    assert keep_earlier(tmp_path / "missing") is None


def test_a_log_file_that_cannot_be_opened_says_so(tmp_path: Path) -> None:
    """A folder in the place of the log file is an error that names the key to change."""
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputError, match=r"LogSettings\.FileLocation"):
        open_file(tmp_path / "file" / "loadtest.log", EVERYTHING)


def test_a_full_disk_is_told_once_and_the_log_goes_on_elsewhere(log_file: Path) -> None:
    """A vital sink that fails is dropped and told once; no line raises and the other sinks get every line."""
    told: list[OutputError] = []
    full = FdSink(os.open("/dev/full", os.O_WRONLY), "The log file /dev/full", EVERYTHING, owned=True)
    log = Log([full, open_file(log_file, EVERYTHING)], fixed_clock)
    log.on_failure = told.append
    log.info("one")
    log.info("two")
    log.close()
    assert [line["msg"] for line in lines_of(log_file)] == ["one", "two"]
    assert len(told) == 1
    assert log.failure is told[0]
    assert "No space left" in str(told[0])


def test_a_half_written_line_is_taken_away_again(log_file: Path) -> None:
    """Where only part of a line could be written, the file ends with the last whole line."""
    import resource
    import signal

    sink = open_file(log_file, EVERYTHING)
    log = Log([sink], fixed_clock)
    log.info("whole")
    whole = log_file.read_bytes()
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(whole) + 40, before[1]))
    try:
        log.info("x" * 500)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    log.close()
    assert log.failure is not None
    assert log_file.read_bytes() == whole


def test_a_view_gets_lines_without_their_end() -> None:
    """What is shown above a live view are the wanted lines only, each without its line end."""
    shown: list[str] = []
    log = Log([ViewSink(shown.append, Wanted(Level.WARN, as_json=False, data=False))], fixed_clock)
    log.info("hidden")
    log.warn("careful")
    log.write_line(b'{"tag":"timings"}')
    assert [text.split(" ", 1)[1] for text in shown] == ["WARN  careful"]


@pytest.mark.parametrize(("name", "level"), [("debug", Level.DEBUG), ("Warning", Level.WARN), ("ERROR", Level.ERROR)])
def test_levels_are_known_by_name(name: str, level: Level) -> None:
    """The configuration's words for levels count in any case."""
    assert level_named(name) is level
