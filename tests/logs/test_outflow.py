"""A stream whose reader is slow, gone, or never comes: real pipes."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator

import pytest

from mattermost_load_test.logs import Outflow

LINES = [b"%06d %s\n" % (number, b"x" * (number % 3000)) for number in range(2000)]
"""Three megabytes, fifty times what a pipe holds."""


class Pipe:
    """A pipe: `reading` is its end for reading, `writing` the other."""

    def __init__(self) -> None:
        self.reading, self.writing = os.pipe()

    def read_all(self) -> bytes:
        """Close the end for writing and read what there is."""
        os.close(self.writing)
        with os.fdopen(self.reading, "rb", closefd=False) as stream:
            return stream.read()


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    """Give a pipe."""
    pipe = Pipe()
    yield pipe
    os.close(pipe.reading)


@pytest.mark.parametrize("memory_bytes", [4 << 20, 100_000, 0], ids=["in memory", "on disk beyond", "on disk"])
def test_nothing_waits_for_a_late_reader(pipe: Pipe, memory_bytes: int) -> None:
    """All can be put before anything is read, and comes in order, wherever it waited."""
    flow = Outflow(pipe.writing, memory_bytes)
    for line in LINES:
        flow.put(line)
    assert flow.behind
    read: list[bytes] = []

    def read_slowly() -> None:
        with os.fdopen(pipe.reading, "rb", closefd=False) as stream:
            read.extend(stream)

    reader = threading.Thread(target=read_slowly)
    reader.start()
    assert flow.finish(lambda: None) == 0
    flow.put(b"more\n")  # once all was written, it goes on as at the start
    assert flow.finish(lambda: None) == 0
    flow.close()
    os.close(pipe.writing)
    reader.join(20)
    assert read == [*LINES, b"more\n"]


def test_a_reader_that_never_comes_is_waited_for_as_long_as_wanted(pipe: Pipe) -> None:
    """What the pipe does not take is counted; what it took stays in it."""
    flow = Outflow(pipe.writing)
    for line in LINES:
        flow.put(line)
    left_bytes = flow.finish(lambda: 0.3)
    written = sum(map(len, LINES)) - left_bytes
    assert 0 < written < 1 << 20
    assert os.read(pipe.reading, 7) == LINES[0][:7]
    os.set_blocking(pipe.reading, False)
    while left_bytes:  # let the thread go on, and end
        with contextlib.suppress(BlockingIOError):
            while os.read(pipe.reading, 1 << 16):
                pass
        left_bytes = flow.finish(lambda: 0.01)
    flow.close()
    os.close(pipe.writing)


def test_a_reader_that_went_away_is_told(pipe: Pipe) -> None:
    """The error that writing came to is raised by whatever is done next."""
    gone, writing = os.pipe()
    os.close(gone)
    flow = Outflow(writing)
    flow.put(b"into nothing\n")
    with pytest.raises(BrokenPipeError):
        flow.finish(lambda: None)
    with pytest.raises(BrokenPipeError):
        flow.put(b"more\n")
    flow.close()
    os.close(writing)
    os.close(pipe.writing)
