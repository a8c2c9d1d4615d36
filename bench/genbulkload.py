"""Benchmark: the import file of a large population, beside the plain way of writing the same with the standard library.

The original tool took 10.3 s and 1.4 GiB for 270 MB of the default size on a small machine (its own figures); the goal
is at most 15 s and 500 MiB.
"""

from __future__ import annotations

from functools import partial

import click

from bench.measuring import child, in_turns
from bench.tables import Table, show

LOADS = {"genbulkload": "ours", "objects and json.dumps": "plain"}
PEER = "objects and json.dumps"


@click.command()
@click.option("--rounds", default=5, show_default=True, help="How often each way runs; the medians are shown.")
@click.option("--users", default=100_000, show_default=True, help="Users of the population.")
@click.option("--channels", default=2_000, show_default=True, help="Channels of its one team.")
def main(rounds: int, users: int, channels: int) -> None:
    """Time, memory and size of `loadtest genbulkload` for 100,000 users and 2,000 channels, computing them included."""
    size = ("--users", users, "--channels", channels)
    ways = {name: partial(child, "bench.bulkload_writers", "--writer", way, *size) for name, way in LOADS.items()}
    figures = in_turns(ways, rounds)
    rows = [
        (
            name,
            f"{run['wall_s']:.1f}",
            f"{run['cpu_s']:.1f}",
            f"{run['cpu_s'] / figures[PEER]['cpu_s']:.2f}",
            f"{run['peak_mib']:,.0f}",
            f"{run['peak_mib'] / figures[PEER]['peak_mib']:.2f}",
            f"{run['size_bytes'] / 1e6:,.0f}",
        )
        for name, run in figures.items()
    ]
    columns = ("way", "s", "CPU s", "CPU beside the plain way", "peak MiB", "memory beside it", "file MB")
    show(Table(f"{users:,} users, {channels:,} channels", columns, rows))


if __name__ == "__main__":
    main()
