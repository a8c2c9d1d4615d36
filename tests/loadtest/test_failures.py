"""Failures as a person reads them."""

from __future__ import annotations

import orjson

from mattermost_load_test.errors import RequestTimeoutError
from mattermost_load_test.loadtest.clock import Clock
from mattermost_load_test.loadtest.failures import FailureLog
from mattermost_load_test.logs import Log, LogLine


class Lines:
    """A sink that keeps the lines."""

    vital = False

    def __init__(self) -> None:
        self.lines: list[dict[str, object]] = []

    def write(self, line: LogLine) -> None:
        """Keep `line` as it would stand in the log."""
        self.lines.append(orjson.loads(line.as_json()))

    def close(self) -> None:
        """Nothing is held open."""


async def test_each_kind_is_told_once_a_minute_with_the_number_left_out(clock: Clock) -> None:
    """A hundred time-outs and one 500 are two lines; the next minute's line says how many were not told."""
    sink = Lines()
    failures = FailureLog(Log([sink]), clock)
    for _ in range(100):
        failures.tell("post", "timeout", RequestTimeoutError("no answer within 60 s"))
    failures.tell("view channel", "500", RuntimeError("broken"))
    await clock.advance(60.0)
    failures.tell("search posts", "timeout", RequestTimeoutError("no answer within 60 s"))
    told = [(line["action"], line["kind"], line["untold_before"]) for line in sink.lines]
    assert told == [("post", "timeout", 0), ("view channel", "500", 0), ("search posts", "timeout", 99)]
    assert sink.lines[0]["error"] == "no answer within 60 s"
    assert sink.lines[0]["level"] == "warn"


async def test_what_several_workers_tell_is_told_once(clock: Clock) -> None:
    """A kind that two workers tell in the same minute is one line, and the next one counts what all left out."""
    workers, sink = (LinesAsTheyAre(), LinesAsTheyAre()), Lines()
    together = FailureLog(Log([sink]), clock)
    for _ in range(2):
        for lines in workers:
            failures = FailureLog(Log([lines]), clock)
            for _ in range(10):
                failures.tell("post", "timeout", RequestTimeoutError("no answer within 60 s"))
            assert together.pass_on(lines.lines.pop())
        await clock.advance(60.0)
    assert [line["untold_before"] for line in sink.lines] == [0, 1]
    Log([workers[0]]).warn("Something else", kind="of line")
    assert not together.pass_on(workers[0].lines.pop())


class LinesAsTheyAre(Lines):
    """A sink that keeps the lines as objects."""

    def write(self, line: LogLine) -> None:
        """Keep `line`."""
        self.lines.append(line)
