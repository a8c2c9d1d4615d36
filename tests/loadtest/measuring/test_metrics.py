"""What the agent tells Prometheus."""

from __future__ import annotations

import re
import socket
from pathlib import Path

import aiohttp
import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from mattermost_load_test.errors import PortInUseError
from mattermost_load_test.loadtest.measuring.measures import Measures
from mattermost_load_test.loadtest.measuring.metrics import AgentCollector, Exposed, serve_metrics
from mattermost_load_test.loadtest.measuring.watch import RequestWatch
from mattermost_load_test.timings.records import Sample

DOCUMENTED = Path(__file__).parents[3] / "docs" / "metrics.md"


def measures() -> Measures:
    """Return what a worker did: three requests of one route, two actions, one of them late."""
    watch = RequestWatch(lambda: 0.0)
    for duration_ms, error in ((4.0, None), (80.0, None), (2.0, "500"), (60_000.0, "timeout")):
        watch.add(Sample("GET /users/me", 0.0, duration_ms, error))
    done = Measures(requests=watch.requests, errors=watch.errors, durations=watch.durations, cpu_s=1.5)
    done.tally.action("post").done += 1
    done.tally.action("post").failed["500"] += 1
    for late_s in (0.0, 0.002, 3.0):
        done.tally.lateness_s.add(late_s)
    done.events.events = 7
    return done


def exposed() -> Exposed:
    """Return an agent whose two workers did the same."""
    return Exposed(0.0, {"instance_id": "one"}, 20, {0: measures(), 1: measures()}, deaths=1, begun_at_s=1e9)


def values() -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Return every sample by its name and labels, as Prometheus' own parser reads them."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(AgentCollector(exposed))
    text = generate_latest(registry).decode()
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def value(name: str, **labels: str) -> float:
    """Return one sample."""
    return values()[name, tuple(sorted(labels.items()))]


def test_workers_are_added_up() -> None:
    """One endpoint for all: counters of workers are one sum, what belongs to a worker is labelled."""
    assert value("loadtest_websocket_events_total") == 14
    assert value("loadtest_actions_total", action="post", outcome="done") == 2
    assert value("loadtest_actions_total", action="post", outcome="failed") == 2
    assert value("loadtest_request_errors_total", kind="500") == 2
    assert value("loadtest_worker_cpu_seconds_total", worker="1") == 1.5
    assert value("loadtest_worker_deaths_total") == 1


def test_durations_are_in_seconds_by_route_and_class() -> None:
    """Buckets are cumulative; what had no HTTP answer is a class of its own."""
    labels = {"route": "GET /users/me", "status_class": "2xx"}
    assert value("loadtest_request_duration_seconds_bucket", le="0.0025", **labels) == 0
    assert value("loadtest_request_duration_seconds_bucket", le="0.005", **labels) == 2
    assert value("loadtest_request_duration_seconds_count", **labels) == 4
    assert value("loadtest_request_duration_seconds_sum", **labels) == pytest.approx(0.168)
    assert value("loadtest_request_duration_seconds_count", route="GET /users/me", status_class="5xx") == 2
    assert value("loadtest_request_duration_seconds_count", route="GET /users/me", status_class="none") == 2


def test_lateness_keeps_its_count_and_sum() -> None:
    """The finer histogram is told in Prometheus' buckets."""
    assert value("loadtest_action_lateness_seconds_bucket", le="0.001") == 2
    assert value("loadtest_action_lateness_seconds_bucket", le="0.0025") == 4
    assert value("loadtest_action_lateness_seconds_bucket", le="+Inf") == 6
    assert value("loadtest_action_lateness_seconds_sum") == pytest.approx(6.004)


def test_the_page_lists_every_metric_and_no_other() -> None:
    """docs/metrics.md names what an agent tells: each name stands there, with its type's suffix."""
    documented = set(re.findall(r"^\| `(loadtest_\w+)`", DOCUMENTED.read_text(), re.MULTILINE))
    told = {re.sub(r"_(bucket|count|sum|created)$", "", name) for name, _ in values()}
    assert told == documented


async def test_it_is_served_while_it_lasts() -> None:
    """A scrape gets the text form; an address that is taken is told, with the key."""
    async with (
        serve_metrics("127.0.0.1:0", exposed) as url,
        aiohttp.ClientSession() as http,
        http.get(url) as answer,
    ):
        assert answer.status == 200
        assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
        assert "loadtest_entities 20.0" in await answer.text()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(PortInUseError, match="MetricsAddress"):
            async with serve_metrics(f"127.0.0.1:{taken.getsockname()[1]}", exposed):
                pass
