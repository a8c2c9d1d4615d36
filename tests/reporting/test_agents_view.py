"""The live view of several agents: a line for each, their sum, and the gates crossed just now."""

from __future__ import annotations

import io
from dataclasses import replace

from rich.console import Console

from mattermost_load_test.reporting.agents_view import AgentRow, AgentsSnapshot, agents_view, line, render

ONE = AgentRow("loadtest-0", "running", 50, 1200, 60.5, 0, 12.5, 80.0)
TWO = AgentRow("loadtest-1", "running", 50, 1300, 61.5, 3, 13.5, 90.0)
SUM = AgentRow("all", "running", 100, 2500, 122.0, 3, 13.0, 85.0)
RUN = AgentsSnapshot("demo: all", "0:20 of 1:00", (ONE, TWO), SUM)
CROSSED = replace(RUN, crossed={"p95 > 50ms": "p95 is 85.00ms > 50.00ms"})


def shown(snapshot: AgentsSnapshot, width: int = 100) -> str:
    """Return what a terminal shows, without colours."""
    console = Console(file=io.StringIO(), width=width)
    console.print(render(snapshot))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_every_agent_and_their_sum_are_shown() -> None:
    """A single agent needs no sum."""
    text = shown(RUN)
    for part in ("loadtest-0", "loadtest-1", "all", "2,500", "0:20 of 1:00", "Ctrl-C leaves"):
        assert part in text
    assert "Gate" not in text
    assert " all " not in shown(replace(RUN, title="demo", agents=(ONE,)))


def test_figures_are_whole_in_a_narrow_terminal() -> None:
    """A long phase takes several lines instead."""
    many = AgentRow("loadtest-10", "waiting for the start", 20000, 12_345_678, 12345.6, 123_456, 1234.0, 12345.0)
    text = shown(replace(RUN, agents=(many,), total=many), width=80)
    for figure in ("loadtest-10", "20,000", "12,345,678", "12,345.6", "123,456", "1,234 ms", "12,345 ms"):
        assert figure in text


def test_gates_are_shown_while_they_are_crossed() -> None:
    """Below the agents."""
    assert "Gate  p95 > 50ms: p95 is 85.00ms > 50.00ms" in shown(CROSSED)


def test_trouble_is_shown_and_told_when_it_comes_and_goes() -> None:
    """Meanwhile no figures are told that may be out of date."""
    trouble = "the agents cannot be reached, tried again until 12:00:00 UTC: no answer"
    assert trouble in shown(replace(RUN, trouble=trouble))
    stream = io.StringIO()
    with agents_view(stream, line_every_s=10.0) as view:
        for now_s, text in ((0.0, ""), (5.0, trouble), (10.0, trouble), (15.0, "")):
            view.show(replace(RUN, trouble=text), now_s)
    usual = line(RUN) + "\n"
    assert stream.getvalue() == f"{usual}{trouble}\nthe agents are reached again\n{usual}"


def test_without_a_terminal_a_line_comes_every_so_often() -> None:
    """Not for every look; a gate is told at once, and once."""
    stream = io.StringIO()
    with agents_view(stream, line_every_s=10.0) as view:
        for now_s, snapshot in ((0.0, RUN), (0.5, CROSSED), (9.9, RUN), (10.0, CROSSED)):
            view.show(snapshot, now_s)
    usual = line(RUN) + "\n"
    assert stream.getvalue() == f"{usual}gate crossed: p95 > 50ms: p95 is 85.00ms > 50.00ms\n{usual}"
