"""Frames read from bytes, however they are cut."""

from __future__ import annotations

import random

import pytest
from websockets.frames import CloseCode, Frame, Opcode

from mattermost_load_test.mattermost.websocket_frames import FrameError, FrameReader

LARGEST = 100_000


class Read:
    """What a reader handed over."""

    def __init__(self, largest_bytes: int = LARGEST) -> None:
        self.messages: list[bytes] = []
        self.controls: list[tuple[Opcode, bytes]] = []
        self.reader = FrameReader(
            self.messages.append, lambda opcode, payload: self.controls.append((opcode, payload)), largest_bytes
        )


def text(payload: bytes) -> bytes:
    """Return a text frame as servers send it."""
    return Frame(Opcode.TEXT, payload).serialize(mask=False)


@pytest.mark.parametrize("seed", range(20))
def test_cuts_do_not_matter(seed: int) -> None:
    """Frames of all lengths and kinds are read alike wherever the bytes are cut, one by one included."""
    chance = random.Random(seed)
    lengths = [0, 1, 125, 126, 127, 65535, 65536, 70_000, *(chance.randrange(3000) for _ in range(20))]
    chance.shuffle(lengths)
    messages = [chance.randbytes(length) for length in lengths]
    stream = b"".join(text(message) + Frame(Opcode.PING, b"p").serialize(mask=False) for message in messages)
    read, begin = Read(), 0
    while begin < len(stream):
        step = chance.choice((1, 2, 3, 9, 1000, 65536))
        read.reader.feed(stream[begin : begin + step])
        begin += step
    assert read.messages == messages
    assert read.controls == [(Opcode.PING, b"p")] * len(messages)


def test_control_frames_may_come_between_parts() -> None:
    """A ping in the middle of a message is handed over at once, the message when it is whole."""
    read = Read()
    read.reader.feed(Frame(Opcode.TEXT, b"he", fin=False).serialize(mask=False))
    read.reader.feed(Frame(Opcode.PING, b"?").serialize(mask=False))
    assert (read.messages, read.controls) == ([], [(Opcode.PING, b"?")])
    read.reader.feed(Frame(Opcode.CONT, b"llo").serialize(mask=False) + text(b"next"))
    assert read.messages == [b"hello", b"next"]


def test_nothing_is_read_behind_a_close() -> None:
    """A close frame is the last word."""
    read = Read()
    read.reader.feed(Frame(Opcode.CLOSE, b"\x03\xe8").serialize(mask=False) + text(b"late"))
    read.reader.feed(text(b"later"))
    assert (read.messages, read.controls) == ([], [(Opcode.CLOSE, b"\x03\xe8")])


@pytest.mark.parametrize("length", [LARGEST + 1, 1 << 40])
def test_a_message_too_large_is_refused_by_its_head(length: int) -> None:
    """Its announcement is enough: nothing of it needs to be read, or held."""
    with pytest.raises(FrameError) as caught:
        Read().reader.feed(b"\x81\x7f" + length.to_bytes(8, "big"))
    assert caught.value.code == CloseCode.MESSAGE_TOO_BIG


def test_the_largest_message_is_taken() -> None:
    """The bound itself is allowed."""
    read = Read()
    read.reader.feed(text(bytes(LARGEST)))
    assert read.messages == [bytes(LARGEST)]
