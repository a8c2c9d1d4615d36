"""The live view of a run by several agents: a line for each, and the sum of all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TextIO

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from mattermost_load_test.counts import counted


@dataclass(frozen=True, slots=True)
class AgentRow:
    """An agent at one moment. Rate and percentiles are those of the last seconds, None where nothing was measured."""

    name: str
    phase: str
    entities: int
    requests: int
    requests_per_s: float
    errors: int
    p50_ms: float | None
    p95_ms: float | None


@dataclass(frozen=True, slots=True)
class AgentsSnapshot:
    """A run at one moment: its agents and their sum; `moment` says in words how far it is.

    `crossed` are the gates that fail just now, with the reason; `trouble` says why the rest may be out of date.
    """

    title: str
    moment: str
    agents: Sequence[AgentRow]
    total: AgentRow
    crossed: Mapping[str, str] = field(default_factory=dict)
    trouble: str = ""


def render(snapshot: AgentsSnapshot) -> RenderableType:
    """Return what a terminal shows of `snapshot`."""
    title = Text.assemble((snapshot.title, "bold cyan"), f"  {snapshot.moment}")
    caption = "Ctrl-C leaves; the test goes on"
    table = Table(title=title, title_justify="left", caption=caption, box=SIMPLE_HEAD, padding=0, expand=True)
    table.add_column("Agent", no_wrap=True)
    table.add_column("Phase")  # what gives way where there is little room
    for heading in ("Entities", "Requests", "per s", "Errors", "p50", "p95"):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in snapshot.agents:
        table.add_row(*_cells(row))
    if len(snapshot.agents) > 1:
        table.add_section()
        table.add_row(*_cells(snapshot.total), style="bold")
    trouble = [Text(snapshot.trouble, style="bold red")] if snapshot.trouble else []
    return Group(table, *(_gate(*crossed) for crossed in snapshot.crossed.items()), *trouble)


def line(snapshot: AgentsSnapshot) -> str:
    """Return `snapshot` as one line of text, for where there is no terminal."""
    total = snapshot.total
    return (
        f"{snapshot.moment}: {total.phase}, {total.entities:,} entities, {counted(total.requests, 'request')} "
        f"({total.requests_per_s:,.1f}/s), {counted(total.errors, 'error')}, "
        f"p50 {_ms(total.p50_ms)}, p95 {_ms(total.p95_ms)}"
    )


def _gate(gate: str, reason: str) -> Text:
    return Text(f"Gate  {gate}: {reason}", style="bold red", overflow="ellipsis", no_wrap=True)


def _cells(row: AgentRow) -> tuple[str | Text, ...]:
    errors = Text(f"{row.errors:,}", style="bold red" if row.errors else "")
    counts = (f"{row.entities:,}", f"{row.requests:,}", f"{row.requests_per_s:,.1f}")
    return (row.name, row.phase, *counts, errors, _ms(row.p50_ms), _ms(row.p95_ms))


def _ms(duration_ms: float | None) -> str:
    if duration_ms is None:
        return "–"
    return f"{duration_ms:,.0f} ms" if duration_ms >= 10 else f"{duration_ms:.1f} ms"


class AgentsView:
    """Shows snapshots in one place of a terminal.

    Elsewhere it writes a line every so often, one for each gate crossed, and one when trouble comes, or goes.
    """

    def __init__(self, live: Live | None, stream: TextIO, line_every_s: float) -> None:
        self._live = live
        self._stream = stream
        self._line_every_s = line_every_s
        self._next_line_s = 0.0
        self._told: set[str] = set()
        self._trouble = ""

    def tell(self, text: str) -> None:
        """Write a line that stays."""
        if self._live is not None:
            self._live.console.print(Text(text))
        else:
            self._stream.write(f"{text}\n")

    def show(self, snapshot: AgentsSnapshot, now_s: float) -> None:
        """Show `snapshot`, taken at `now_s` of a clock that only goes forward."""
        if self._live is not None:
            self._live.update(render(snapshot), refresh=True)
            return
        for gate, reason in snapshot.crossed.items():
            if gate not in self._told:
                self._told.add(gate)
                self._stream.write(f"gate crossed: {gate}: {reason}\n")
        if snapshot.trouble != self._trouble:
            self._trouble = snapshot.trouble
            self._stream.write(f"{snapshot.trouble or 'the agents are reached again'}\n")
        if not snapshot.trouble and now_s >= self._next_line_s:
            self._next_line_s = now_s + self._line_every_s
            self._stream.write(line(snapshot) + "\n")
        self._stream.flush()


@contextmanager
def agents_view(stream: TextIO, line_every_s: float = 10.0) -> Iterator[AgentsView]:
    """Give what shows a run on `stream`; on a terminal nothing of it stays."""
    if not stream.isatty():
        yield AgentsView(None, stream, line_every_s)
        return
    with Live(console=Console(file=stream), auto_refresh=False, transient=True) as live:
        yield AgentsView(live, stream, line_every_s)
