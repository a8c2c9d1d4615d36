"""Benchmark 2: what a connected entity holds of memory, at three sizes, idle and after events."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import click

from bench.measuring import in_turns
from bench.null_server import at_most, load_on_null_server
from bench.tables import Table, show

SIZES = (1000, 5000, at_most(20_000))
STACKS = {
    "lean": ("--key", "HTTPTransport=httptools", "--key", "WebsocketTransport=lean"),
    "aiohttp and websockets": ("--key", "HTTPTransport=aiohttp", "--key", "WebsocketTransport=websockets"),
}
KIB = 1024


def table_of(figures: Mapping[tuple[str, int], Mapping[str, float]]) -> Table:
    """Return the table of all stacks and sizes."""
    rows = []
    for (stack, size), run in figures.items():
        empty = run["empty_bytes"]
        rows.append(
            (
                stack,
                f"{size:,}",
                f"{run['connected']:,.0f}",
                f"{empty / KIB**2:.0f}",
                f"{(run['connected_bytes'] - empty) / size / KIB:.1f}",
                f"{(run['ended_bytes'] - empty) / size / KIB:.1f}",
                f"{run['events'] / size:.0f}",
            )
        )
    columns = ("transports", "entities", "connected", "empty MiB", "KiB an entity", "after events", "events an entity")
    return Table("Resident memory of the agent, over the empty agent, by connected entity", columns, rows)


@click.command()
@click.option("--rounds", default=1, show_default=True, help="How often each load runs; the medians are shown.")
@click.option("--seconds", default=20.0, show_default=True, help="How long events come.")
@click.option("--events-per-second", default=0.2, show_default=True, help="Events to each websocket.")
@click.option("--size", "sizes", multiple=True, type=int, default=SIZES, show_default=True, help="Entities.")
def main(rounds: int, seconds: float, events_per_second: float, sizes: tuple[int, ...]) -> None:
    """Memory by connected entity: a websocket open, one request sent, then events now and then."""
    figures: dict[tuple[str, int], Mapping[str, float]] = {}
    for size in sizes:
        listen = partial(
            load_on_null_server,
            ("--events-per-second", str(events_per_second)),
            "bench.load",
            *("--users", size, "--connected", "--seconds", seconds),
        )
        loads = {stack: partial(listen, *keys) for stack, keys in STACKS.items()}
        figures |= {(stack, size): run for stack, run in in_turns(loads, rounds).items()}
    show(table_of(figures))


if __name__ == "__main__":
    main()
