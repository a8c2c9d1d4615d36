"""The websocket's events apart from any socket: numbering, resuming, counting. Pure: any transport can use it.

A connection has an id, given in the first event, `hello`, and numbers its events by `seq` from 0. Whoever connects
anew with the id and the next number expected gets the missed events at once, without a `hello`. A server that cannot
do that starts a new connection: a `hello` with another id, numbers from 0; what was sent meanwhile is lost, nobody
knows how much.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import orjson

HELLO = "hello"

# How often a server may close a resumed connection without a word before its id is given up: it closes a malformed id
# so, but a server going down does so, too.
SILENT_RESUMES = 2

# An event's name and number are read without decoding the rest, as long as they stand where servers put them: first and
# last. A quote behind the opening brace or the last comma begins a key for certain; anything else is decoded whole.
_NAME = re.compile(rb'\{\s*"event"\s*:\s*"([^"\\]+)"\s*,')
_NUMBER = re.compile(rb'[}\]\w"],\s*"seq"\s*:\s*(\d+)\s*\}\s*\Z')


@dataclass(slots=True)
class EventCounters:
    """What came over websockets; one object may count for many streams.

    `events` received; `missed` by gaps in their numbers; `dropped` by the agent itself, because they were larger than
    it takes or could not be read; `connects` made; `reconnects`, those among them that were not a stream's first;
    `resets`, the reconnects that the server did not resume, each of which missed an unknown number of events.
    """

    events: int = 0
    missed: int = 0
    dropped: int = 0
    connects: int = 0
    reconnects: int = 0
    resets: int = 0


class EventSequence:
    """What a client knows about its connection: its id and the next number expected."""

    __slots__ = ("_silent_resumes", "connection_id", "counters", "expected")

    def __init__(self, counters: EventCounters) -> None:
        self.counters = counters
        self.connection_id = ""  # empty before the first hello, and with servers that cannot resume (before 5.35)
        self.expected = 0
        self._silent_resumes = 0

    def query(self) -> str:
        """Return the query to connect with: that of a resumed connection, or nothing for a new one."""
        if not self.connection_id:
            return ""
        return f"?connection_id={self.connection_id}&sequence_number={self.expected}"

    def take(self, frame: bytes) -> str:
        """Take note of a frame and return the event's name; empty for what is no event, such as a reply."""
        name, number = name_and_number(frame)
        if number is None or not name:
            if name is None:
                self.counters.dropped += 1
            return ""
        self.counters.events += 1
        if name == HELLO:
            self._begin(connection_id_of(frame))
        elif number > self.expected:
            self.counters.missed += number - self.expected
        if number >= self.expected:  # a smaller one repeats what came before
            self.expected = number + 1
        return name

    def skip(self) -> None:
        """Give up the next event, which cannot be received: asking for it again would end no better."""
        self.counters.dropped += 1
        self.expected += 1

    def closed(self, frames: int) -> None:
        """Take note of a connection's end, after so many frames."""
        if frames:
            self._silent_resumes = 0
            return
        self._silent_resumes += 1
        if self._silent_resumes >= SILENT_RESUMES:
            self._silent_resumes = 0
            if self.connection_id:
                self.counters.resets += 1
            self.connection_id = ""

    def _begin(self, connection_id: str) -> None:
        """Start a new connection; if there was one before, what it had not delivered is lost."""
        if self.connection_id and self.connection_id != connection_id:
            self.counters.resets += 1
        self.connection_id = connection_id
        self.expected = 0


def name_and_number(frame: bytes) -> tuple[str | None, int | None]:
    """Return an event's name and number; an empty name for another message, no name for one that cannot be read."""
    name = _NAME.match(frame)
    number = _NUMBER.match(frame, frame.rfind(b",") - 1)
    if name is not None and number is not None:
        return name[1].decode(), int(number[1])
    try:
        message = orjson.loads(frame)
    except orjson.JSONDecodeError:
        return None, None
    if not isinstance(message, dict):
        return None, None
    event, seq = message.get("event"), message.get("seq")
    return (event if isinstance(event, str) else ""), (seq if isinstance(seq, int) else None)


def connection_id_of(hello: bytes) -> str:
    """Return the connection's id out of a hello; empty where the server gives none."""
    try:
        connection_id = orjson.loads(hello)["data"]["connection_id"]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return ""
    return connection_id if isinstance(connection_id, str) else ""
