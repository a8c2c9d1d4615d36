"""``/metrics`` of the agent, for Prometheus: what all its workers have done, in one place. docs/metrics.md lists it.

Names and units are by Prometheus' conventions: seconds, ``_total`` for what only grows. Figures are those of the last
half second before somebody asks; asking costs the workers nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiohttp import web
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, InfoMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from mattermost_load_test import __version__
from mattermost_load_test.errors import PortInUseError
from mattermost_load_test.loadtest.measuring.buckets import BOUNDS_S
from mattermost_load_test.loadtest.measuring.measures import Measures, merged
from mattermost_load_test.timings.histogram import Histogram

PATH = "/metrics"
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Exposed:
    """An agent at one moment: what it runs, what was done under each worker's number, how many workers have died.

    `begun_at_s` is when its entities began to act, in seconds since the epoch, None before.
    """

    now_s: float
    info: Mapping[str, str]
    entities: int
    by_worker: Mapping[int, Measures]
    deaths: int
    begun_at_s: float | None = None


class AgentCollector(Collector):
    """Turns an agent's counts into Prometheus' families."""

    def __init__(self, look: Callable[[], Exposed]) -> None:
        self._look = look

    def collect(self) -> Iterator[Metric]:
        """Yield every family."""
        agent = self._look()
        total = merged(agent.by_worker.values(), agent.now_s)
        yield InfoMetricFamily("loadtest_agent", "what this agent runs", {"version": __version__, **agent.info})
        yield _gauge("loadtest_entities", "user entities of this agent", agent.entities)
        if agent.begun_at_s is not None:
            yield _gauge("loadtest_begin_timestamp_seconds", "when the entities began to act", agent.begun_at_s)
        yield from _requests(total)
        yield from _actions(total, agent.now_s)
        yield from _websockets(total)
        yield from _workers(agent)


def _requests(total: Measures) -> Iterator[Metric]:
    """Yield what is told of requests."""
    durations = HistogramMetricFamily(
        "loadtest_request_duration_seconds",
        "from the call to the last byte of the answer; status_class none: no HTTP answer",
        labels=("route", "status_class"),
    )
    for (route, status_class), buckets in sorted(total.durations.items()):
        durations.add_metric((route, status_class), buckets.cumulated(), buckets.sum_s)
    yield durations
    yield _counters("loadtest_request_errors", "requests without a 2xx answer, by status or kind", "kind", total.errors)


def _actions(total: Measures, now_s: float) -> Iterator[Metric]:
    """Yield what is told of actions."""
    tally = total.tally
    yield _gauge("loadtest_entities_active", "user entities that act", tally.running)
    actions = CounterMetricFamily(
        "loadtest_actions", "actions that ended, by outcome: done, skipped or failed", labels=("action", "outcome")
    )
    for name, count in sorted(tally.actions.items()):
        for outcome, number in (("done", count.done), ("skipped", count.skipped), ("failed", count.failed.total())):
            actions.add_metric((name, outcome), number)
    yield actions
    intended = CounterMetricFamily("loadtest_actions_intended", "actions that the pacing alone would have given")
    intended.add_metric((), tally.intended(now_s))
    yield intended
    yield _counters(
        "loadtest_action_failures", "actions and background requests that failed, by kind", "kind", tally.failures()
    )
    lateness = HistogramMetricFamily(
        "loadtest_action_lateness_seconds", "from an action's due time to its start: the agent's own delay"
    )
    _add_sketch(lateness, (), tally.lateness_s)
    yield lateness


def _websockets(total: Measures) -> Iterator[Metric]:
    """Yield what is told of websockets."""
    seen = total.events
    yield _gauge("loadtest_websockets_open", "websockets that are open", total.sockets_open)
    for name, meaning, value in (
        ("events", "websocket events received", seen.events),
        ("events_missed", "websocket events missed, by their sequence numbers", seen.missed),
        ("events_dropped", "websocket events that the agent itself threw away", seen.dropped),
        ("connects", "websockets connected", seen.connects),
        ("reconnects", "websockets connected anew", seen.reconnects),
        ("resets", "websockets connected anew that the server could not resume", seen.resets),
    ):
        family = CounterMetricFamily(f"loadtest_websocket_{name}", meaning)
        family.add_metric((), value)
        yield family


def _workers(agent: Exposed) -> Iterator[Metric]:
    """Yield what is told of worker processes."""
    deaths = CounterMetricFamily("loadtest_worker_deaths", "worker processes that died")
    deaths.add_metric((), agent.deaths)
    yield deaths
    cpu = CounterMetricFamily(
        "loadtest_worker_cpu_seconds", "CPU used since the entities began, user and system", labels=("worker",)
    )
    lag = HistogramMetricFamily(
        "loadtest_worker_loop_lag_seconds", "how late the event loop came back, ten times a second", labels=("worker",)
    )
    for number, measures in agent.by_worker.items():
        cpu.add_metric((str(number),), measures.cpu_s)
        _add_sketch(lag, (str(number),), measures.loop_lag_s)
    yield cpu
    yield lag
    lost = CounterMetricFamily("loadtest_lost_lines", "lines of timings that could not be written")
    lost.add_metric((), sum(measures.lost_lines for measures in agent.by_worker.values()))
    yield lost


def _gauge(name: str, meaning: str, value: float) -> Metric:
    """Return a gauge without labels."""
    return GaugeMetricFamily(name, meaning, value=value)


def _counters(name: str, meaning: str, label: str, counts: Counter[str]) -> Metric:
    """Return a counter for each kind of something."""
    family = CounterMetricFamily(name, meaning, labels=(label,))
    for kind, count in sorted(counts.items()):
        family.add_metric((kind,), count)
    return family


def _add_sketch(family: HistogramMetricFamily, labels: tuple[str, ...], values: Histogram) -> None:
    """Add a histogram of finer buckets, each counted under the bound that its middle does not exceed."""
    buckets = [(str(bound), float(values.count_up_to(bound))) for bound in BOUNDS_S]
    family.add_metric(labels, [*buckets, ("+Inf", float(values.count))], values.total)


@asynccontextmanager
async def serve_metrics(address: str, look: Callable[[], Exposed]) -> AsyncIterator[str]:
    """Answer at `address` (``host:port``, port 0 for a free one) and give the URL.

    Raises `PortInUseError` when that cannot be listened on.
    """
    registry = CollectorRegistry(auto_describe=False)
    registry.register(AgentCollector(look))

    async def answer(request: web.Request) -> web.Response:
        return web.Response(body=generate_latest(registry), headers={"Content-Type": CONTENT_TYPE})

    app = web.Application()
    app.router.add_get(PATH, answer)
    runner = web.AppRunner(app, access_log=None, handle_signals=False)
    await runner.setup()
    try:
        yield f"http://{await _listen(runner, address)}{PATH}"
    finally:
        await runner.cleanup()


async def _listen(runner: web.AppRunner, address: str) -> str:
    """Listen at an address and return it with the port that it came to."""
    host, _, port = address.rpartition(":")
    try:
        await web.TCPSite(runner, host.strip("[]"), int(port)).start()
    except OSError as error:
        raise PortInUseError(
            f"nothing can be listened for at {address}: {error.strerror}; "
            "name another address in ResultsConfiguration.MetricsAddress"
        ) from error
    return f"{host}:{runner.addresses[0][1]}"
