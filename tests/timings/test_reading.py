"""Reading logs: ours, the original's, and what happens to logs in the world."""

from __future__ import annotations

import io
from math import isnan
from pathlib import Path

import orjson
import pytest

from mattermost_load_test.timings.reading import MAX_LINE_BYTES, ResultsLog, read_log
from mattermost_load_test.timings.records import LOGIN_TAG, TIMINGS_TAG, Sample, timings_line
from mattermost_load_test.timings.stats import Timings

LOGS = Path(__file__).parent.parent / "data" / "ltparse"


def line(
    instance: str = "one", start_s: float = 100.0, *, tag: str = TIMINGS_TAG, error: str | None = None, hits: int = 1
) -> bytes:
    """Return a line of timings whose requests began at `start_s` and which was written a second later."""
    samples = [Sample("GET /users/me", start_s * 1000, 2.5, error) for _ in range(hits)]
    return timings_line(samples, tag, instance, start_s + 1) + b"\n"


def read(*lines: bytes) -> ResultsLog:
    """Return what a log of these lines holds."""
    return read_log(io.BytesIO(b"".join(lines)), "the.log")


def test_a_log_of_the_original() -> None:
    """All samples of the original's log are read; it has no start times and no error kinds."""
    with (LOGS / "small-run.log").open("rb") as stream:
        log = read_log(stream, "small-run.log")
    (instance,) = log.measured()
    assert instance.instance_id == "cr6sryzw8jg39ct79peqzuj9ya"
    assert instance.timings.hits == 7318
    assert instance.first_line == 83
    assert (instance.started_s, instance.ended_s) == (1795415410.9481246, 1795415540.1512341)
    assert instance.timings.routes["POST /users/status/ids"].errors == 430
    assert instance.timings.routes["POST /users/status/ids"].error_kinds == {}
    assert log.lines == 739
    assert log.warnings == ()


def test_settings_are_read_with_secrets_masked() -> None:
    """The configuration of the run comes along; passwords in the original's logs stay there."""
    with (LOGS / "small-run.log").open("rb") as stream:
        settings = read_log(stream, "small-run.log").measured()[0].settings
    assert settings is not None
    text = orjson.dumps(settings)
    assert b'"NumUsers":200' in text
    assert b"ltpassword" not in text
    assert b"mostest" not in text


def test_instances_are_told_apart_and_ordered_by_their_first_timings() -> None:
    """A log may hold several agents' lines in any order; the login phase does not count as the first timings."""
    log = read(line("b", tag=LOGIN_TAG), line("a"), line("b"), line("c"), line("a", 200.0))
    assert [instance.instance_id for instance in log.measured()] == ["a", "b", "c"]
    assert log.instances["a"].timings.hits == 2
    assert (log.instances["a"].started_s, log.instances["a"].ended_s) == (100.0, 201.0)


def test_login_samples_are_kept_apart() -> None:
    """Samples of the login phase are in no figure of the run."""
    instance = read(line(tag=LOGIN_TAG, hits=5), line(hits=2)).instances["one"]
    assert (instance.login.hits, instance.timings.hits) == (5, 2)


def test_errors_are_counted_by_kind() -> None:
    """Errors of several lines add up."""
    instance = read(line(error="500", hits=2), line(error="timeout"), line(error="500")).instances["one"]
    assert instance.timings.routes["GET /users/me"].error_kinds == {"500": 3, "timeout": 1}


def test_a_log_cut_off_mid_line_is_read_as_far_as_it_goes() -> None:
    """The last line of an agent that was killed may be half a line: it is named, the rest counts."""
    log = read(line(), line(), line()[:-40])
    assert log.instances["one"].timings.hits == 2
    assert log.warnings == ("the.log: line 3, the last one, is cut off; everything before it was read",)


def test_a_last_line_without_its_end_is_a_line() -> None:
    """A log whose last newline is missing is whole."""
    log = read(line(), line().rstrip(b"\n"))
    assert log.instances["one"].timings.hits == 2
    assert log.warnings == ()


def test_foreign_lines_are_left_out_and_named() -> None:
    """Output of other programs between the lines does not end the reading, as it does in the original."""
    log = read(b"Starting agent\n", line(), b"[1,2]\n", b"\xff\xfe\n", b"\n", line(), b"warning: disk\n", line())
    assert log.instances["one"].timings.hits == 3
    assert log.warnings == ("the.log: left out 4 lines (1, 3, 4, …) that no load test wrote",)


def test_one_foreign_line_is_named_alone() -> None:
    """One line is called one line."""
    assert read(line(), b"oops\n", line()).warnings == ("the.log: left out line 2 that no load test wrote",)


def test_lines_with_broken_timings_are_named_with_what_is_wrong() -> None:
    """A line of timings that lacks something is left out, and the message says where and what."""
    broken = orjson.dumps({"tag": "timings", "timings": {"Routes": {"GET /x": {"NumHits": -1, "NumErrors": 0}}}})
    log = read(line(), broken + b"\n", b'{"tag":"timings"}\n', line())
    assert log.instances["one"].timings.hits == 2
    (warning,) = log.warnings
    assert warning.startswith("the.log: left out 2 broken lines of results: line 2, timings.Routes.GET /x.NumHits: ")
    assert "line 3, timings: " in warning


@pytest.mark.parametrize("duration", ['"fast"', "-1", "1e999", "null, 1"])
def test_durations_that_are_none_are_refused(duration: str) -> None:
    """Nothing but times from 0 on gets into the figures."""
    entry = f'{{"NumHits":1,"NumErrors":0,"Duration":[{duration}]}}'
    log = read(line(), f'{{"tag":"timings","timings":{{"Routes":{{"GET /x":{entry}}}}}}}\n'.encode())
    assert log.instances["one"].timings.hits == 1
    assert len(log.warnings) == 1


def test_empty_lists_may_be_null() -> None:
    """Go writes null for a list that was never filled."""
    entry = b'{"NumHits":2,"NumErrors":2,"Duration":null}'
    log = read(b'{"tag":"timings","instance_id":"go","timings":{"Routes":{"GET /x":' + entry + b"}}}\n")
    assert log.instances["go"].timings.errors == 2
    assert log.warnings == ()


def test_lines_may_come_from_windows() -> None:
    """A byte order mark and carriage returns do no harm."""
    log = read(b"\xef\xbb\xbf" + line().replace(b"\n", b"\r\n"), line().replace(b"\n", b"\r\n"))
    assert log.instances["one"].timings.hits == 2
    assert log.warnings == ()


def test_a_file_without_line_ends_does_not_fill_the_memory() -> None:
    """Of a line longer than any of ours only the beginning is held, and reading goes on behind it."""
    log = read(b"x" * (2 * MAX_LINE_BYTES + 5) + b"\n", line())
    assert log.instances["one"].timings.hits == 1
    assert log.lines == 2
    assert log.warnings == ("the.log: left out line 1 that no load test wrote",)


def test_an_empty_log() -> None:
    """Nothing is in nothing."""
    log = read()
    assert (log.lines, log.measured(), log.warnings) == (0, [], ())


def test_samples_keep_when_they_began() -> None:
    """Starts stand beside durations, counted from the epoch; errors have the time their line was written."""
    instance = read(line(start_s=100.0, hits=2), line(start_s=50.25), line(start_s=70.0, error="500", hits=2)).instances
    route = instance["one"].timings.routes["GET /users/me"]
    assert route.started_s.tolist() == [100.0, 100.0, 50.25]
    assert route.failed_s.tolist() == [71.0, 71.0]


def test_samples_without_a_start_have_none() -> None:
    """The original's lines tell no start: one place is kept for each duration all the same, when merging, too."""
    with (LOGS / "small-run.log").open("rb") as stream:
        timings = read_log(stream, "small-run.log").measured()[0].timings
    merged = Timings()
    merged.merge(timings)
    merged.merge(read(line()).instances["one"].timings)
    route = merged.routes["GET /users/me"]
    assert len(route.started_s) == len(route.durations_ms)
    assert [start_s for start_s in route.started_s if not isnan(start_s)] == [100.0]
    assert all(map(isnan, timings.routes["POST /users/status/ids"].started_s))
    assert len(timings.routes["POST /users/status/ids"].failed_s) == 430
