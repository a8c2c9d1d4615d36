"""Benchmark 3: what an event costs the agent, as fast as it reads them and paced, however websockets are held."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import click

from bench.measuring import in_turns
from bench.null_server import EVENT, load_on_null_server
from bench.tables import Table, show

TRANSPORTS = ("lean", "websockets")
PACED_CONNECTIONS, PACED_PER_S = 1000, 4.0


def table_of(title: str, figures: Mapping[str, Mapping[str, float]]) -> Table:
    """Return a table of what events cost."""
    rows = []
    for name, run in figures.items():
        cost_us = run["cpu_s"] / run["events"] * 1e6
        rate = run["events"] / run["wall_s"]
        rows.append((name, f"{cost_us:.1f}", f"{1e6 / cost_us:,.0f}", f"{rate:,.0f}", f"{run['missed']:.0f}"))
    columns = ("websockets", "CPU µs an event", "events/s a core", "events/s in the run", "missed")
    return Table(title, columns, rows)


@click.command()
@click.option("--rounds", default=5, show_default=True, help="How often each load runs; the medians are shown.")
@click.option("--seconds", default=5.0, show_default=True, help="How long each run is measured.")
def main(rounds: int, seconds: float) -> None:
    """CPU per websocket event: one connection as fast as it reads, 1,000 connections at 4 events a second each."""
    size_kb = (len(EVENT) + 2) / 1000
    flood = (f"1 connection, events of {size_kb:.1f} kB as fast as they are read", 1, ("--flood",))
    paced = (
        f"{PACED_CONNECTIONS:,} connections, {PACED_PER_S:g} events a second each",
        PACED_CONNECTIONS,
        ("--events-per-second", str(PACED_PER_S)),
    )
    for title, connections, server in (flood, paced):
        listen = partial(load_on_null_server, server, "bench.load", "--users", connections, "--connected")
        loads = {
            name: partial(listen, "--seconds", seconds, "--key", f"WebsocketTransport={name}") for name in TRANSPORTS
        }
        show(table_of(title, in_turns(loads, rounds)))


if __name__ == "__main__":
    main()
