"""The loads that the agent makes, one process each: prints its figures as JSON."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import click
import uvloop

from bench.agent import Agent, Once, Settled, open_agent
from bench.measuring import Meter, resident_bytes
from bench.null_server import raise_open_files
from mattermost_load_test.loadtest.entity import Entity
from mattermost_load_test.loadtest.machine.garbage import collect_seldom
from mattermost_load_test.loadtest.pacing import Pacing
from mattermost_load_test.timings.histogram import Histogram

AT_ONCE_S = 1e-6  # between actions of an entity that acts as fast as it can
CONNECTS_PER_S = 250.0  # of entities that act once: no server has trouble with that
DEADLINE_S = 300.0


@dataclass(frozen=True, slots=True)
class Load:
    """How many entities act, how often, and for how long.

    `connected`: all connect and act once before anything is measured; without an interval they only listen then.
    """

    users: int
    interval_s: float
    connected: bool
    seconds: float

    @property
    def pacing(self) -> Pacing:
        """The entities' rhythm."""
        if not self.connected:
            return Pacing(self.interval_s or AT_ONCE_S)
        ramp_s = max(1.0, self.users / CONNECTS_PER_S)
        return Settled(self.interval_s, ramp_s=ramp_s) if self.interval_s else Once(ramp_s)


async def carry_out(url: str, keys: Mapping[str, object], load: Load) -> None:
    """Let entities act for some time, and print what that cost."""
    async with open_agent(url, keys) as agent:
        gc.collect()
        empty_bytes = resident_bytes()
        entities = [agent.entity(number, load.pacing) for number in range(load.users)]
        collect_seldom()
        for entity in entities:
            entity.start()
        await (_all_acted(agent, entities) if load.connected else asyncio.sleep(max(2.0, 2 * load.interval_s)))
        figures = {"empty_bytes": empty_bytes, "connected_bytes": resident_bytes()}
        figures |= await _measured(agent, load.seconds)
        figures["connected"] = sum(entity.user.events.connected for entity in entities)
        print(json.dumps(figures))
        for entity in entities:
            entity.stop()
        with contextlib.suppress(TimeoutError):  # on a crowded machine; what is under way then is cut
            async with asyncio.timeout(10.0):
                await agent.context.drained()


async def _all_acted(agent: Agent, entities: Sequence[Entity]) -> None:
    """Wait until every entity is connected and has acted, and the events have begun to come."""
    async with asyncio.timeout(DEADLINE_S + len(entities) / CONNECTS_PER_S):
        while agent.tally.achieved < len(entities) or not agent.all_connected(entities):  # noqa: ASYNC110 — nobody tells
            await asyncio.sleep(0.2)
    await asyncio.sleep(2.0)


async def _measured(agent: Agent, seconds: float) -> dict[str, float]:
    """Return what the requests and events of the next `seconds` cost."""
    requests, events, errors = agent.requests.requests, agent.events.events, agent.requests.errors.total()
    agent.tally.lateness_s = Histogram()  # that of the ramp is not the matter
    meter = Meter()
    await asyncio.sleep(seconds)
    cost = meter.read()
    return {
        "requests": agent.requests.requests - requests,
        "events": agent.events.events - events,
        "errors": agent.requests.errors.total() - errors,
        "missed": agent.events.missed,
        "lateness_p99_ms": agent.tally.lateness_s.percentile(99) * 1000,
        "cpu_s": cost.cpu_s,
        "wall_s": cost.wall_s,
        "ended_bytes": resident_bytes(),
    }


@click.command()
@click.option("--url", required=True, help="Where the null server is.")
@click.option("--key", "pairs", multiple=True, metavar="KEY=VALUE", help="A key of ConnectionConfiguration.")
@click.option("--users", default=50, show_default=True)
@click.option("--interval", "interval_s", default=0.0, show_default=True, help="Seconds between actions; 0: none.")
@click.option("--connected", is_flag=True, help="Measure once all are connected and have acted once.")
@click.option("--seconds", default=5.0, show_default=True, help="How long to measure.")
def main(url: str, pairs: tuple[str, ...], users: int, interval_s: float, connected: bool, seconds: float) -> None:
    """Let entities of the agent act on a null server."""
    raise_open_files()
    keys = dict(pair.split("=", 1) for pair in pairs)
    uvloop.run(carry_out(url, keys, Load(users, interval_s, connected, seconds)))


if __name__ == "__main__":
    main()
