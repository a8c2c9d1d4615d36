"""What a person at a terminal sees: the live view while the run lasts, the summary at the end."""

from __future__ import annotations

import asyncio
import fcntl
import os
import pty
import re
import struct
import termios
from collections.abc import Iterator
from typing import Any

import pytest

AgentHere = Any
"""An `Agent` of the conftest beside."""

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Terminal:
    """A terminal of 100 columns whose contents are kept."""

    def __init__(self) -> None:
        self.written = b""
        self._parent, self.child = pty.openpty()
        fcntl.ioctl(self.child, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 100, 0, 0))

    async def read(self) -> None:
        """Read until nobody writes any more."""
        os.close(self.child)
        while True:
            try:
                part = await asyncio.to_thread(os.read, self._parent, 1 << 16)
            except OSError:  # how Linux tells the other end's close
                return
            self.written += part

    @property
    def text(self) -> str:
        """What was written, without colours and cursor movements."""
        return ESCAPES.sub("", self.written.decode()).replace("\r\n", "\n")

    def close(self) -> None:
        """Give the terminal back."""
        os.close(self._parent)


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    """Give a terminal."""
    terminal = Terminal()
    yield terminal
    terminal.close()


async def test_both_streams_on_a_terminal(agent_here: AgentHere, terminal: Terminal) -> None:
    """The view shows all phases in turn, is gone at the end, and the summary stands in its place."""
    agent_here.set(UserEntitiesConfiguration_TestLengthMinutes=0.03)
    running = await agent_here.start("all", stdout=terminal.child, stderr=terminal.child)
    await terminal.read()
    assert (await running.ended()).code == 0
    text = terminal.text
    for part in ("Setting up", "Running", "of 10 up", "/s intended", "lateness".title(), "left of 0:02"):
        assert part in text, part
    assert terminal.written.count(b"\x1b[?25l") == terminal.written.count(b"\x1b[?25h") == 1
    end = text[text.rindex("Scenario    all on") :]
    assert "Actions     " in end
    assert "╭" not in end


async def test_only_stderr_on_a_terminal(agent_here: AgentHere, terminal: Terminal) -> None:
    """With the log redirected the terminal has the view and the summary, the log is JSON."""
    running = await agent_here.start("all", stderr=terminal.child)
    await terminal.read()
    ended = await running.ended()
    assert ended.code == 0
    assert ended.told("Entities begin to act")
    assert "╭" in terminal.text
    assert "Scenario    all on" in terminal.text


async def test_ctrl_c_twice_gives_the_terminal_back(agent_here: AgentHere, embedded: Any, terminal: Terminal) -> None:
    """Leaving at once still shows the cursor again."""
    agent_here.set(UserEntitiesConfiguration_TestLengthMinutes=60, ConnectionConfiguration_RequestTimeoutSeconds=2)
    running = await agent_here.start("all", stdout=terminal.child, stderr=terminal.child)
    reading = asyncio.create_task(terminal.read())
    await running.until_logged("Entities begin to act")
    await embedded.faults.turn(hang_rate=1.0)
    await running.until_logged('"kind":"timeout"')
    for message in ("Stopping the entities", None):
        running.process.send_signal(2)
        if message:
            await running.until_logged(message)
    assert (await running.ended()).code == 130
    await reading
    assert terminal.written.rindex(b"\x1b[?25h") > terminal.written.rindex(b"\x1b[?25l")


@pytest.mark.slow
async def test_a_terminal_that_shows_nothing(agent_here: AgentHere, terminal: Terminal) -> None:
    """Stopped by Ctrl-S, say, it holds nothing up: the run goes on, and the first Ctrl-C ends it with its report."""
    agent_here.set(UserEntitiesConfiguration_TestLengthMinutes=60)
    running = await agent_here.start("all", stdout=terminal.child, stderr=terminal.child)
    await running.until_logged('"phase":"Running"')
    running.process.send_signal(2)
    assert (await running.ended()).code == 130
    assert "Scenario    all on" in (agent_here.folder / "results.txt").read_text()
