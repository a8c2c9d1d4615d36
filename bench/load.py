"""The loads that the agent makes, one process each: prints its figures as JSON."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping

import click
import uvloop

from bench.agent import Agent, open_agent
from bench.measuring import Meter, resident_bytes
from bench.null_server import raise_open_files

AT_ONCE_S = 1e-6  # between actions of an entity that acts as fast as it can


async def requests(url: str, keys: Mapping[str, object], users: int, interval_s: float, seconds: float) -> None:
    """Let entities act for some time, and print what a request cost."""
    async with open_agent(url, keys) as agent:
        entities = [agent.entity(number, interval_s or AT_ONCE_S) for number in range(users)]
        for entity in entities:
            entity.start()
        await asyncio.sleep(max(2.0, 2 * interval_s))
        await _measured(agent, seconds)
        for entity in entities:
            entity.stop()
        await agent.context.drained(10.0)


async def _measured(agent: Agent, seconds: float) -> None:
    """Print what the requests and events of the next `seconds` cost."""
    requests, events, errors = agent.requests.requests, agent.events.events, agent.requests.errors.total()
    meter = Meter()
    await asyncio.sleep(seconds)
    cost = meter.read()
    figures = {
        "requests": agent.requests.requests - requests,
        "events": agent.events.events - events,
        "errors": agent.requests.errors.total() - errors,
        "missed": agent.events.missed,
        "cpu_s": cost.cpu_s,
        "wall_s": cost.wall_s,
        "resident_bytes": resident_bytes(),
    }
    print(json.dumps(figures))


@click.command()
@click.option("--url", required=True, help="Where the null server is.")
@click.option("--key", "pairs", multiple=True, metavar="KEY=VALUE", help="A key of ConnectionConfiguration.")
@click.option("--users", default=50, show_default=True)
@click.option("--interval", "interval_s", default=0.0, show_default=True, help="Seconds between actions; 0: none.")
@click.option("--seconds", default=5.0, show_default=True, help="How long to measure.")
def main(url: str, pairs: tuple[str, ...], users: int, interval_s: float, seconds: float) -> None:
    """Let entities of the agent act on a null server."""
    raise_open_files()
    keys = dict(pair.split("=", 1) for pair in pairs)
    uvloop.run(requests(url, keys, users, interval_s, seconds))


if __name__ == "__main__":
    main()
