"""Benchmark 1: what a request costs the whole agent, beside Locust's two users on the same server and route.

Over TLS nobody checks the certificate: connections last, so that it counts at the start only. HttpUser is left
out then: its 1,000 handshakes take longer than the whole measurement.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import click

from bench.measuring import Figures, child, in_turns
from bench.null_server import TLS, null_server
from bench.tables import Table, show

TRANSPORTS = ("httptools", "aiohttp")
LOCUST = ("FastHttpUser", "HttpUser")
PEER = "FastHttpUser"
PATTERNS = {"as fast as they can": (50, 0.0), "one request a second each": (1000, 1.0)}


def loads(
    url: str, users: int, interval_s: float, seconds: float, kinds: Sequence[str]
) -> Mapping[str, Callable[[], Figures]]:
    """Return what runs each load once, by its name."""
    common = ("--url", url, "--users", users, "--interval", interval_s, "--seconds", seconds)
    keys = ("--key", "SkipCertificateVerification=true")
    ours = {
        f"agent, {name}": partial(child, "bench.load", *common, *keys, "--key", f"HTTPTransport={name}")
        for name in TRANSPORTS
    }
    return ours | {name: partial(child, "bench.locust_load", *common, "--kind", name) for name in kinds}


def table_of(pattern: str, figures: Mapping[str, Mapping[str, float]]) -> Table:
    """Return the table of one pattern."""
    costs_us = {name: run["cpu_s"] / run["requests"] * 1e6 for name, run in figures.items() if run["requests"]}
    rows = [(name, *_costs(costs_us.get(name), costs_us.get(PEER)), *_came_about(run)) for name, run in figures.items()]
    columns = ("load", "CPU µs a request", "requests/s a core", f"beside {PEER}", "requests/s in the run", "errors")
    return Table(pattern, columns, rows)


def _costs(cost_us: float | None, peer_us: float | None) -> tuple[str, str, str]:
    """Return the cells of what a request costs; dashes where none was made in the time there was."""
    if cost_us is None:
        return "–", "–", "–"
    return f"{cost_us:.0f}", f"{1e6 / cost_us:,.0f}", f"{cost_us / peer_us:.2f}" if peer_us else "–"


def _came_about(run: Mapping[str, float]) -> tuple[str, str]:
    """Return the cells of what a run came to."""
    return f"{run['requests'] / run['wall_s']:,.0f}", f"{run['errors']:.0f}"


@click.command()
@click.option("--rounds", default=5, show_default=True, help="How often each load runs; the medians are shown.")
@click.option("--seconds", default=5.0, show_default=True, help="How long each run is measured.")
@click.option("--tls/--no-tls", default=False, help="Over TLS.")
def main(rounds: int, seconds: float, tls: bool) -> None:
    """CPU per request of the agent and of Locust: 50 users as fast as they can, 1,000 at one request a second."""
    for pattern, (users, interval_s) in PATTERNS.items():
        with null_server(*([TLS] * tls)) as url:
            figures = in_turns(loads(url, users, interval_s, seconds, [PEER] if tls else LOCUST), rounds)
        show(table_of(f"{users:,} users, {pattern}{', over TLS' * tls}", figures))


if __name__ == "__main__":
    main()
