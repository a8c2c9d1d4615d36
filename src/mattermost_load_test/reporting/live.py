"""The live view of a run: what a terminal shows while user entities act.

What is shown is a pure function of a `Snapshot`; `LiveView` only puts it on a terminal, and log lines above it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TextIO

from rich.console import Console, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from mattermost_load_test.counts import counted


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A run at one moment. Rates and percentiles are those of the last seconds, counts those since the clock started.

    `phase` is what the run does now and `detail` how far it has come; before the clock starts the figures are nought.
    Figures that are not known yet are None. `remaining_s` is None while the clock stands still. `crossed` are the gates
    that fail just now.
    """

    scenario: str
    server_url: str
    phase: str
    detail: str = ""
    elapsed_s: float = 0.0
    remaining_s: float | None = None
    entities_up: int = 0
    entities_wanted: int = 0
    actions: int = 0
    actions_per_s: float = 0.0
    intended_actions_per_s: float = 0.0
    requests: int = 0
    requests_per_s: float = 0.0
    errors: int = 0
    p50_ms: float | None = None
    p95_ms: float | None = None
    lateness_p50_ms: float | None = None
    lateness_p99_ms: float | None = None
    lateness_limit_ms: float = 1000.0
    sockets_open: int = 0
    websocket_events: int = 0
    websocket_events_per_s: float = 0.0
    crossed: tuple[str, ...] = ()


def render(snapshot: Snapshot) -> RenderableType:
    """Return what a terminal shows of `snapshot`: six lines of figures in a frame."""
    title = Text.assemble(("loadtest ", "bold"), (snapshot.scenario, "bold cyan"), f" → {snapshot.server_url}")
    return Panel(_figures(snapshot), title=title, title_align="left", subtitle=_hint(snapshot), subtitle_align="right")


def _hint(snapshot: Snapshot) -> Text:
    """Return how the run can be ended by hand."""
    again = "Ctrl-C again leaves at once" if snapshot.phase == "Stopping" else "Ctrl-C stops and reports"
    return Text(again, style="dim")


def _figures(snapshot: Snapshot) -> Table:
    """Return the lines of figures, one subject each."""
    table = Table.grid(padding=(0, 2), expand=True)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
    table.add_row(snapshot.phase, _progress(snapshot))
    table.add_row("Entities", f"{snapshot.entities_up:,} of {snapshot.entities_wanted:,} up")
    table.add_row("Actions", _actions(snapshot))
    table.add_row("Requests", _requests(snapshot))
    table.add_row("Lateness", _lateness(snapshot))
    table.add_row("Websockets", _websockets(snapshot))
    for gate in snapshot.crossed:
        table.add_row(Text("Gate", style="bold red"), Text(gate, style="bold red", overflow="ellipsis", no_wrap=True))
    return table


def _progress(snapshot: Snapshot) -> RenderableType:
    """Return how far the run is: a bar and the time left once the clock runs, words before that."""
    if snapshot.remaining_s is None:
        return Text(snapshot.detail, overflow="ellipsis", no_wrap=True)
    row = Table.grid(padding=(0, 2), expand=True)
    row.add_column(ratio=1)
    row.add_column(no_wrap=True, justify="right")
    total_s = max(snapshot.elapsed_s + snapshot.remaining_s, 1e-9)
    left = snapshot.detail or f"{_clock(snapshot.remaining_s)} left of {_clock(total_s)}"
    row.add_row(ProgressBar(total=total_s, completed=snapshot.elapsed_s), left)
    return row


def _actions(snapshot: Snapshot) -> Text:
    """Return the actions done, with the rate achieved beside the one intended."""
    return Text(
        f"{snapshot.actions:,}   {snapshot.actions_per_s:,.1f}/s of {snapshot.intended_actions_per_s:,.1f}/s intended"
    )


def _requests(snapshot: Snapshot) -> Text:
    """Return the requests answered, their errors (red if any) and durations."""
    share = snapshot.errors / snapshot.requests if snapshot.requests else 0.0
    style = "bold red" if snapshot.errors else "green"
    return Text.assemble(
        f"{snapshot.requests:,}   {snapshot.requests_per_s:,.1f}/s   ",
        (f"{counted(snapshot.errors, 'error')} ({share:.2%})", style),
        f"   p50 {_ms(snapshot.p50_ms)}   p95 {_ms(snapshot.p95_ms)}",
    )


def _lateness(snapshot: Snapshot) -> Text:
    """Return the agent's own delay, red when it spoils the figures."""
    p99_ms = snapshot.lateness_p99_ms
    late = p99_ms is not None and p99_ms > snapshot.lateness_limit_ms
    return Text(f"p50 {_ms(snapshot.lateness_p50_ms)}   p99 {_ms(p99_ms)}", style="bold red" if late else "")


def _websockets(snapshot: Snapshot) -> Text:
    """Return the open sockets and the events that came in."""
    return Text(
        f"{snapshot.sockets_open:,} open   {snapshot.websocket_events:,} events"
        f"   {snapshot.websocket_events_per_s:,.1f}/s"
    )


def _ms(duration_ms: float | None) -> str:
    """Return a duration for people, a dash where there is none yet."""
    if duration_ms is None:
        return "–"
    return f"{duration_ms:,.0f} ms" if duration_ms >= 10 else f"{duration_ms:.1f} ms"


def _clock(duration_s: float) -> str:
    """Return a duration as minutes and seconds, hours before them where there are any."""
    minutes, seconds = divmod(max(0, round(duration_s)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


class LiveView:
    """A terminal that shows the latest snapshot at its bottom and log lines above it.

    While it is `behind`, the terminal has not taken all that was written, it gets no new snapshot.
    """

    def __init__(self, live: Live, behind: Callable[[], bool]) -> None:
        self._live = live
        self._behind = behind

    def show(self, snapshot: Snapshot) -> None:
        """Show `snapshot` in place of the one before."""
        if not self._behind():
            self._live.update(render(snapshot), refresh=True)

    def print_line(self, line: str) -> None:
        """Print a log line above the view, as it is."""
        self._live.console.print(Text(line), soft_wrap=True, highlight=False)


@contextmanager
def live_view(stream: TextIO, behind: Callable[[], bool] = lambda: False) -> Iterator[LiveView]:
    """Give a live view on the terminal `stream`; at the end its last state is taken away and the cursor is back."""
    console = Console(file=stream)
    with Live(
        console=console, auto_refresh=False, transient=True, redirect_stdout=False, redirect_stderr=False
    ) as live:
        yield LiveView(live, behind)
