"""Benchmark 6: how the cost grows with the work: requests at three rates, connected entities at three sizes."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import click

from bench.measuring import in_turns
from bench.null_server import at_most, load_on_null_server
from bench.tables import Table, show

PACED = (250, 1000, 4000)  # users at one request a second each
CONNECTED = (1000, 5000, at_most(20_000))
ACTION_S, POLL_S = 240.0, 45.0  # the default action rate, and the status polling beside it
REQUEST_S = 1.0 / (1.0 / ACTION_S + 1.0 / POLL_S)
EVENTS_PER_S = 0.1


def paced_table(figures: Mapping[int, Mapping[str, float]]) -> Table:
    """Return what a request costs at each rate."""
    costs_us = {users: run["cpu_s"] / run["requests"] * 1e6 for users, run in figures.items()}
    first_us = next(iter(costs_us.values()))
    rows = [
        (
            f"{users:,}",
            f"{figures[users]['requests'] / figures[users]['wall_s']:,.0f}",
            f"{cost_us:.0f}",
            f"{cost_us / first_us:.2f}",
            f"{figures[users]['lateness_p99_ms']:.1f}",
            f"{figures[users]['errors']:.0f}",
        )
        for users, cost_us in costs_us.items()
    ]
    columns = ("users", "requests/s", "CPU µs a request", "growth", "lateness p99 ms", "errors")
    return Table("Users at one request a second each: the cost of a request", columns, rows)


def connected_table(figures: Mapping[int, Mapping[str, float]]) -> Table:
    """Return what connected entities cost at each size."""
    shares = {size: run["cpu_s"] / run["wall_s"] for size, run in figures.items()}
    first = next(iter(figures))
    rows = [
        (
            f"{size:,}",
            f"{run['requests'] / run['wall_s']:,.0f}",
            f"{run['events'] / run['wall_s']:,.0f}",
            f"{shares[size] * 100:.1f}",
            f"{shares[size] / size / (shares[first] / first):.2f}",
            f"{run['ended_bytes'] / 1024**2:.0f}",
            f"{(run['ended_bytes'] - run['empty_bytes']) / size / 1024:.1f}",
            f"{run['lateness_p99_ms']:.1f}",
            f"{run['errors']:.0f}",
        )
        for size, run in figures.items()
    ]
    columns = (
        "entities",
        "requests/s",
        "events/s",
        "% of a core",
        "growth",
        "MiB",
        "KiB each",
        "lateness p99 ms",
        "errors",
    )
    title = (
        f"Connected entities, a request every {REQUEST_S:.0f} s each (an action every {ACTION_S:.0f} s, a status poll "
        f"every {POLL_S:.0f} s) and {EVENTS_PER_S:g} events a second: the cost of an entity"
    )
    return Table(title, columns, rows)


@click.command()
@click.option("--rounds", default=3, show_default=True, help="How often each load runs; the medians are shown.")
@click.option("--seconds", default=10.0, show_default=True, help="How long each run is measured.")
def main(rounds: int, seconds: float) -> None:
    """Measure how the cost of a request and of an entity grows with the work; growth 1.00 means in proportion."""
    act = partial(load_on_null_server, (), "bench.load", "--interval", 1.0, "--seconds", seconds, "--users")
    show(paced_table(in_turns({users: partial(act, users) for users in PACED}, rounds)))
    listen = partial(
        load_on_null_server,
        ("--events-per-second", str(EVENTS_PER_S)),
        "bench.load",
        *("--interval", REQUEST_S, "--seconds", seconds, "--connected", "--users"),
    )
    show(connected_table(in_turns({size: partial(listen, size) for size in CONNECTED}, rounds)))


if __name__ == "__main__":
    main()
