"""The live view: what it shows of a snapshot, and that it leaves the terminal as it was."""

from __future__ import annotations

import io
import os
import pty
from contextlib import suppress
from dataclasses import replace

import pytest
from rich.console import Console

from mattermost_load_test.reporting.live import Snapshot, live_view, render

RUNNING = Snapshot(
    scenario="all",
    server_url="http://localhost:8065",
    phase="Running",
    elapsed_s=20.0,
    remaining_s=40.0,
    entities_up=98,
    entities_wanted=100,
    actions=1234,
    actions_per_s=24.26,
    intended_actions_per_s=25.0,
    requests=9999,
    requests_per_s=230.2,
    errors=3,
    p50_ms=3.21,
    p95_ms=22.7,
    lateness_p50_ms=0.31,
    lateness_p99_ms=12.2,
    sockets_open=97,
    websocket_events=123_456,
    websocket_events_per_s=987.1,
)


def shown(snapshot: Snapshot, width: int = 100) -> str:
    """Return what a terminal of that width shows, without colours."""
    console = Console(file=io.StringIO(), width=width)
    console.print(render(snapshot))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize(
    "part",
    [
        "loadtest all → http://localhost:8065",
        "0:40 left of 1:00",
        "98 of 100 up",
        "1,234   24.3/s of 25.0/s intended",
        "9,999   230.2/s   3 errors (0.03%)   p50 3.2 ms   p95 23 ms",
        "p50 0.3 ms   p99 12 ms",
        "97 open   123,456 events   987.1/s",
        "Ctrl-C stops and reports",
    ],
)
def test_every_figure_is_shown(part: str) -> None:
    """Entities, actions, requests, errors, percentiles, lateness, events and the time left have their place."""
    assert part in shown(RUNNING)


def test_before_the_clock_runs_the_phase_and_its_detail_are_shown() -> None:
    """While the server is set up there are no figures yet: dashes, and how far the set-up is."""
    text = shown(Snapshot("all", "http://localhost:8065", "Setting up", "import: importing 40 of 200"))
    assert "Setting up" in text
    assert "import: importing 40 of 200" in text
    assert "p50 –   p99 –" in text


def test_a_narrow_terminal_gets_shorter_lines_not_more_of_them() -> None:
    """The view has the same height in every width, so that it is drawn in place."""
    assert len(shown(RUNNING, 40).splitlines()) == len(shown(RUNNING, 120).splitlines())


def test_hours_are_shown_as_hours() -> None:
    """A long test's time left reads as hours, minutes and seconds."""
    assert "2:00:05 left" in shown(replace(RUNNING, remaining_s=7205.0))


def test_the_view_gives_the_terminal_back() -> None:
    """On a real terminal the cursor is hidden while the view lasts and shown again after it; log lines stay above."""
    parent, child = pty.openpty()
    with os.fdopen(child, "w", encoding="utf-8") as terminal, live_view(terminal) as view:
        view.show(RUNNING)
        view.print_line("10:00:00 WARN  careful")
    written = _all_written(parent)
    os.close(parent)
    assert "careful" in written
    assert written.index("\x1b[?25l") < written.rindex("\x1b[?25h")


def _all_written(parent: int) -> str:
    """Return all that was written to a pseudo-terminal, closed by now: one read gives what has got through yet."""
    pieces = []
    with suppress(OSError):  # Linux' way to say that nobody has the other end open
        while piece := os.read(parent, 1 << 16):
            pieces.append(piece)
    return b"".join(pieces).decode()


def test_gates_are_shown_while_they_are_crossed() -> None:
    """Each in a line of its own, with its figure; none while all is well."""
    crossed = ("p95 > 500ms: p95 is 612.00ms > 500.00ms", "saturated: lateness p99 is 2,000 ms")
    lines = [line for line in shown(replace(RUNNING, crossed=crossed)).splitlines() if "Gate" in line]
    assert len(lines) == 2
    assert crossed[0] in lines[0]
    assert "Gate" not in shown(RUNNING)
