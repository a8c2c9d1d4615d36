"""Writing results: when lines are written, what stands in them, and what an agent that is killed leaves behind."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import orjson
import pytest

from mattermost_load_test.errors import OutputError
from mattermost_load_test.timings.reading import read_log
from mattermost_load_test.timings.records import LOGIN_TAG, TIMINGS_TAG, ResultsWriter, Sample, timings_line

ORIGINAL = Path(__file__).parent.parent / "data" / "ltparse" / "small-run.log"


class Clock:
    """A clock that stands still until it is set."""

    def __init__(self) -> None:
        self.now_s = 1_700_000_000.0

    def __call__(self) -> float:
        """Return the seconds since the epoch."""
        return self.now_s


class Lines:
    """A sink that keeps its lines, and refuses them while it is full."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.full = False

    def write_line(self, line: bytes) -> None:
        """Keep `line`."""
        if self.full:
            raise OutputError("full")
        self.written.append(line)

    def durations(self) -> list[float]:
        """Return the durations in all lines, in the order they were written."""
        entries = [entry for line in self.written for entry in orjson.loads(line)["timings"]["Routes"].values()]
        return [duration_ms for entry in entries for duration_ms in entry["Duration"]]


@pytest.fixture
def clock() -> Clock:
    """Return a clock at a known time."""
    return Clock()


@pytest.fixture
def lines() -> Lines:
    """Return an empty sink."""
    return Lines()


@pytest.fixture
def writer(clock: Clock, lines: Lines) -> ResultsWriter:
    """Return a writer into the sink."""
    return ResultsWriter([lines], "agent", clock)


def sample(number: int = 0, error: str | None = None) -> Sample:
    """Return a sample that can be told by its duration."""
    return Sample("GET /users/me", 1_700_000_000_000.0 + number, float(number), error)


def test_a_line_is_written_at_a_hundred_samples(writer: ResultsWriter, lines: Lines) -> None:
    """No more than a hundred samples are held in memory."""
    for number in range(99):
        writer.add(sample(number))
    assert not lines.written
    writer.add(sample(99))
    assert len(lines.written) == 1
    assert lines.durations() == list(range(100))


def test_a_line_is_written_after_five_seconds(writer: ResultsWriter, lines: Lines, clock: Clock) -> None:
    """A sample waits five seconds at most, whether or not another one follows."""
    writer.add(sample(1))
    clock.now_s += 4.9
    writer.flush_if_due()
    assert not lines.written
    clock.now_s += 0.1
    writer.flush_if_due()
    assert lines.durations() == [1]
    clock.now_s += 5
    writer.add(sample(2))
    assert lines.durations() == [1, 2]


def test_a_clock_set_back_holds_nothing_up(writer: ResultsWriter, lines: Lines, clock: Clock) -> None:
    """When the machine's time jumps back an hour, samples are written all the same."""
    clock.now_s -= 3600
    writer.add(sample(1))
    assert lines.durations() == [1]


def test_nothing_in_hand_writes_nothing(writer: ResultsWriter, lines: Lines, clock: Clock) -> None:
    """An idle run makes no lines."""
    clock.now_s += 60
    writer.flush_if_due()
    writer.flush()
    assert not lines.written


def test_phases_have_lines_of_their_own(writer: ResultsWriter, lines: Lines) -> None:
    """Samples of the login phase carry its tag, those of the run the original's."""
    writer.begin(LOGIN_TAG)
    writer.add(sample(1))
    writer.begin(TIMINGS_TAG)
    writer.add(sample(2))
    writer.flush()
    assert [orjson.loads(line)["tag"] for line in lines.written] == ["timings-login", "timings"]
    assert lines.durations() == [1, 2]


def test_every_sink_gets_every_line(clock: Clock) -> None:
    """A log can go to a file and to stdout at once."""
    sinks = [Lines(), Lines()]
    writer = ResultsWriter(sinks, "agent", clock)
    writer.add(sample(1))
    writer.flush()
    assert sinks[0].written == sinks[1].written != []


def test_samples_that_could_not_be_written_are_kept_and_bounded(writer: ResultsWriter, lines: Lines) -> None:
    """While the disk is full each attempt raises and nothing more is taken; then what is in hand is written once."""
    lines.full = True
    for number in range(99):
        writer.add(sample(number))
    for number in range(99, 110):
        with pytest.raises(OutputError):
            writer.add(sample(number))
    lines.full = False
    writer.flush()
    assert lines.durations() == list(range(100))


def test_a_line_says_when_and_how_each_request_went() -> None:
    """Start times go with durations, errors are counted by kind, durations keep their microseconds."""
    samples = [
        Sample("GET /b", 1_700_000_000_250.0, 12.3456789),
        Sample("GET /a", 1_700_000_000_100.5, 1.0, "timeout"),
        Sample("GET /b", 1_700_000_000_300.0, 7.0, "500"),
        Sample("GET /b", 1_700_000_000_400.0, 8.0),
    ]
    line = orjson.loads(timings_line(samples, TIMINGS_TAG, "agent", 1_700_000_001.5))
    assert (line["tag"], line["instance_id"], line["ts"], line["start"]) == (
        "timings",
        "agent",
        1_700_000_001.5,
        1_700_000_000.1005,
    )
    routes = line["timings"]["Routes"]
    assert list(routes) == ["GET /a", "GET /b"]
    assert routes["GET /a"]["Errors"] == {"timeout": 1}
    assert routes["GET /a"]["Duration"] == []
    entry = routes["GET /b"]
    assert (entry["Duration"], entry["Started"]) == ([12.346, 8.0], [149.5, 299.5])
    assert (entry["NumHits"], entry["NumErrors"], entry["Errors"]) == (3, 1, {"500": 1})
    assert (entry["Max"], entry["Min"], entry["Mean"], entry["Median"]) == (12.346, 8.0, 10.173, 10.173)


def test_a_line_has_every_field_the_original_reads() -> None:
    """Each field of the original's lines is there, with a value its reader takes: numbers where it has numbers."""
    raw = next(line for line in ORIGINAL.read_bytes().splitlines() if b'"tag":"timings"' in line)
    theirs, ours = orjson.loads(raw), orjson.loads(timings_line([sample(3)], TIMINGS_TAG, "agent", 1.0))
    assert theirs.keys() <= ours.keys()
    their_route = next(iter(theirs["timings"]["Routes"].values()))
    our_route = ours["timings"]["Routes"]["GET /users/me"]
    assert their_route.keys() <= our_route.keys()
    assert isinstance(our_route["NumHits"], int)
    assert isinstance(our_route["NumErrors"], int)
    for key in ("ErrorRate", "Max", "Min", "Mean", "Median", "Percentile90", "Percentile95", "InterQuartileRange"):
        assert isinstance(our_route[key], int | float), key
    assert all(isinstance(duration_ms, float) for duration_ms in our_route["Duration"])


def test_settings_are_written_without_secrets(writer: ResultsWriter, lines: Lines) -> None:
    """The settings line is the original's, but for what nobody should read in a log."""
    writer.write_settings({"ConnectionConfiguration": {"ServerURL": "http://host", "AdminPassword": "sesame"}})
    line = orjson.loads(lines.written[0])
    assert line["tag"] == "report"
    assert line["instance_id"] == "agent"
    assert line["configuration"]["ConnectionConfiguration"]["ServerURL"] == "http://host"
    assert b"sesame" not in lines.written[0]


def test_the_log_of_a_killed_agent_is_readable(tmp_path: Path) -> None:
    """An agent that is killed mid-run leaves whole lines: all but its last hundred samples can be read."""
    path = tmp_path / "loadtest.log"
    program = textwrap.dedent(
        """
        import sys, time
        from pathlib import Path
        from mattermost_load_test.logs import Level, Log, Wanted, open_file
        from mattermost_load_test.timings.records import ResultsWriter, Sample

        log = Log([open_file(Path(sys.argv[1]), Wanted(Level.INFO, as_json=True, data=True))])
        writer = ResultsWriter([log], "killed", time.time)
        taken = 0
        while True:
            writer.add(Sample("GET /users/me", time.time() * 1000, 1.25))
            taken += 1
            if taken % 1000 == 50:
                print(taken, flush=True)
        """
    )
    with subprocess.Popen([sys.executable, "-c", program, str(path)], stdout=subprocess.PIPE, text=True) as agent:
        assert agent.stdout is not None
        taken = [int(agent.stdout.readline()) for _ in range(20)][-1]
        agent.send_signal(signal.SIGKILL)
    with path.open("rb") as stream:
        log = read_log(stream, "killed.log")
    assert log.instances["killed"].timings.hits >= taken - 50
    assert log.instances["killed"].timings.hits % 100 == 0
    assert not log.warnings
