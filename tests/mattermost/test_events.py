"""Numbering, resuming and counting of events, without any socket."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mattermost_load_test.mattermost.events import EventCounters, EventSequence, connection_id_of, name_and_number

EXCHANGES = Path(__file__).parents[1] / "data" / "exchanges"
ID = "abcdefghijklmnopqrstuvwxyz"


def hello(connection_id: str = ID) -> bytes:
    """Return the first event of a connection."""
    return b'{"event":"hello","data":{"connection_id":"%s"},"broadcast":{},"seq":0}\n' % connection_id.encode()


def event(number: int, name: str = "posted") -> bytes:
    """Return an event as servers write it."""
    return b'{"event": "%s", "data": {"post":"{\\"id\\":1}"}, "broadcast": {}, "seq": %d}' % (name.encode(), number)


def sequence(*frames: bytes) -> EventSequence:
    """Return what is known after these frames."""
    known = EventSequence(EventCounters())
    for frame in frames:
        known.take(frame)
    return known


def lines(name: str) -> list[dict[str, Any]]:
    """Return the lines of a recording."""
    return [json.loads(line) for line in (EXCHANGES / name).read_text().splitlines()]


@pytest.mark.parametrize("version", ["5.37", "11.6"])
def test_every_recorded_frame_is_read_as_by_decoding(version: str) -> None:
    """The name and number read off the ends of a frame are those that decoding all of it gives."""
    frames = [line["frame"] for line in lines(f"websocket-{version}.jsonl") if line.get("from") == "server"]
    frames += [line["frame"] for line in lines(f"websocket-resume-{version}.jsonl") if "frame" in line]
    assert len(frames) > 50
    for frame in frames:
        message = json.loads(frame)
        assert name_and_number(frame.encode()) == (message.get("event", ""), message.get("seq"))


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        (b'{"seq":7,"data":{"seq":1,"event":"x"},"broadcast":{},"event":"typing"}', ("typing", 7)),
        (b'{"event":"typing","seq":7,"data":{"a":1}}', ("typing", 7)),
        (b'{"data":{},"event":"typing","seq":7}', ("typing", 7)),
        (b' {"event" : "typing" , "data":null , "seq" : 7 } \n', ("typing", 7)),
        (b'{"event":"a\\u0062","seq":7}', ("ab", 7)),
        (b'{"event":"typing","data":{"x":{"y":1,"seq":3}},"seq":7}', ("typing", 7)),
        (b'{"event":"typing","data":{"x":1,"seq":3}}', ("typing", None)),
        (b'{"event":"typing","a,\\"seq":7}', ("typing", None)),
        (b'{"status":"OK","seq_reply":1}', ("", None)),
        (b'{"event":5,"seq":1}', ("", 1)),
        (b'["event"]', (None, None)),
        (b"\xff\xfe", (None, None)),
        (b"", (None, None)),
    ],
)
def test_keys_may_stand_in_any_order(frame: bytes, expected: tuple[str | None, int | None]) -> None:
    """What does not look as usual is decoded; an inner `seq` or `event` is not taken for the outer one."""
    assert name_and_number(frame) == expected


def test_a_new_client_asks_for_nothing() -> None:
    """Before the first hello there is nothing to resume."""
    assert sequence().query() == ""


def test_a_client_asks_for_the_next_number() -> None:
    """After the events 0 to 3 the next one expected is 4."""
    known = sequence(hello(), event(1), event(2), event(3))
    assert known.query() == f"?connection_id={ID}&sequence_number=4"
    assert known.counters == EventCounters(events=4)


@pytest.mark.parametrize("version", ["5.37", "11.6"])
def test_the_recorded_resumptions_are_asked_for_alike(version: str) -> None:
    """Where the recorded client resumed where it had stopped, this one asks with the same id and number."""
    known = sequence()
    asked = 0
    for line in lines(f"websocket-resume-{version}.jsonl"):
        if "frame" in line:
            known.take(line["frame"].encode())
        elif line["step"].endswith("opens a socket"):
            if line["why"].startswith(("resume where", "resume after", "resume of that")):
                assert known.query() == line["query"]
                asked += 1
            if "connection_id=&" in line["query"] or "does not know" in line["why"]:
                known = sequence()
    assert asked == 3


def test_gaps_are_counted() -> None:
    """Numbers left out are events missed, and the count goes on behind them."""
    known = sequence(hello(), event(1), event(5), event(6))
    assert known.counters.missed == 3
    assert known.expected == 7


def test_repeated_events_change_nothing() -> None:
    """A number that came before moves nothing back."""
    known = sequence(hello(), event(1), event(2), event(1))
    assert (known.expected, known.counters.missed) == (3, 0)


def test_another_hello_means_that_something_was_missed() -> None:
    """A server that could not resume starts a new connection, which is counted."""
    known = sequence(hello(), event(1), hello("z" * 26), event(1))
    assert known.counters.resets == 1
    assert known.query() == f"?connection_id={'z' * 26}&sequence_number=2"


def test_a_server_that_gives_no_id_is_never_asked_to_resume() -> None:
    """Servers before 5.35 say hello without an id."""
    known = sequence(b'{"event":"hello","data":{"server_version":"5.9"},"seq":0}', event(1))
    assert known.query() == ""
    assert connection_id_of(b'{"event":"hello","data":{"connection_id":3}}') == ""


def test_replies_are_no_events() -> None:
    """An answer to an action of one's own is neither counted nor numbered."""
    known = sequence(hello(), b'{"status":"OK","seq_reply":1}')
    assert known.counters == EventCounters(events=1)
    assert known.expected == 1


def test_what_cannot_be_read_is_dropped() -> None:
    """It is counted as dropped by the agent, and the next event tells what was missed."""
    known = sequence(hello(), b"garbage", event(2))
    assert known.counters == EventCounters(events=2, dropped=1, missed=1)


def test_an_event_given_up_is_not_asked_for_again() -> None:
    """An event that cannot be received is skipped, or the client would resume with it for ever."""
    known = sequence(hello(), event(1))
    known.skip()
    assert known.query().endswith("sequence_number=3")
    assert known.counters.dropped == 1


def test_an_id_that_the_server_hangs_up_on_is_given_up() -> None:
    """After two resumed connections without a word the next one is a new one."""
    known = sequence(hello(), event(1))
    known.closed(frames=2)
    known.closed(frames=0)
    assert known.query() != ""
    known.closed(frames=0)
    assert known.query() == ""
    assert known.counters.resets == 1


def test_a_word_in_between_keeps_the_id() -> None:
    """Only connections in a row count."""
    known = sequence(hello())
    for frames in (0, 1, 0, 1, 0):
        known.closed(frames)
    assert known.query() != ""
