"""``/metrics`` of the embedded server: the metrics of real servers and of their hosts, in Prometheus' text form.

Names, kinds and labels are those that real servers of the version expose. What is counted costs an addition; all
else is looked up when somebody asks.
"""

from __future__ import annotations

import time
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from prometheus_client import CollectorRegistry, Metric, ProcessCollector, generate_latest
from prometheus_client.registry import Collector

from mattermost_load_test.embedded.app import HANDLER
from mattermost_load_test.embedded.events import Event
from mattermost_load_test.embedded.machine import GarbagePauses, MachineCollector

PATH = "/metrics"

SWITCHING_PROTOCOLS, NOT_MODIFIED = 101, 304

SEARCH_HANDLER = "searchPosts"

BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds of the histograms' buckets in seconds: Prometheus' own defaults, as the real servers have them."""

Labels = tuple[str, ...]
Sample = tuple[Labels, float]


@dataclass(frozen=True, slots=True)
class Readings:
    """What is looked up in the server when somebody asks.

    `counts` says how often logins, failed_logins, posts, webhook_posts, files and searches happened.
    """

    counts: Counter[str]
    active_users: int
    open_sockets: int
    connected_users: int


class Histogram:
    """How long things took: counted by bucket, cumulated only when somebody asks."""

    __slots__ = ("counts", "sum_s")

    def __init__(self) -> None:
        self.counts = [0] * (len(BUCKETS_S) + 1)
        self.sum_s = 0.0

    def observe(self, duration_s: float) -> None:
        """Count one more."""
        self.counts[bisect_left(BUCKETS_S, duration_s)] += 1
        self.sum_s += duration_s


@dataclass(frozen=True, slots=True)
class Family:
    """One metric: its name as scraped, its kind for Prometheus, its labels and what it means."""

    name: str
    kind: str
    labels: Labels
    meaning: str


FAMILIES = (
    Family("mattermost_post_total", "counter", (), "posts created"),
    Family("mattermost_post_webhooks_total", "counter", (), "posts created by webhooks"),
    Family("mattermost_post_emails_sent_total", "counter", (), "e-mails sent because of a post"),
    Family("mattermost_post_pushes_sent_total", "counter", (), "mobile pushes sent because of a post"),
    Family("mattermost_post_broadcasts_total", "counter", (), "websocket broadcasts sent because of a post"),
    Family("mattermost_post_file_attachments_total", "counter", (), "files attached to posts"),
    Family("mattermost_db_master_connections_total", "gauge", (), "connections to the master database"),
    Family("mattermost_db_read_replica_connections_total", "gauge", (), "connections to read replicas"),
    Family("mattermost_db_search_replica_connections_total", "gauge", (), "connections to search replicas"),
    Family("mattermost_db_replica_lag_abs", "gauge", ("node",), "replica lag in an abstract unit"),
    Family("mattermost_db_replica_lag_time", "gauge", ("node",), "replica lag in time"),
    Family("mattermost_db_active_users", "gauge", (), "active users"),
    Family("mattermost_db_store_time", "histogram", ("method", "success"), "time of a store method, in seconds"),
    Family(
        "mattermost_db_cache_time", "histogram", ("cache_name", "operation"), "time of a cache operation, in seconds"
    ),
    Family("mattermost_http_websockets_total", "gauge", ("origin_client",), "open websocket connections"),
    Family("mattermost_http_requests_total", "counter", (), "API requests"),
    Family("mattermost_http_errors_total", "counter", (), "API errors"),
    Family("mattermost_cluster_cluster_health_score", "gauge", (), "gossip health"),
    Family("mattermost_cluster_cluster_requests_total", "counter", (), "inter-node requests"),
    Family("mattermost_cluster_cluster_request_duration_seconds", "histogram", (), "inter-node request duration"),
    Family("mattermost_cluster_cluster_event_type_totals", "counter", ("name",), "cluster messages by type"),
    Family("mattermost_login_logins_total", "counter", (), "successful logins"),
    Family("mattermost_login_logins_fail_total", "counter", (), "failed logins"),
    Family("mattermost_cache_etag_miss_total", "counter", ("route",), "etag misses"),
    Family("mattermost_cache_etag_hit_total", "counter", ("route",), "etag hits (304)"),
    Family("mattermost_cache_mem_miss_total", "counter", ("name",), "memory cache misses"),
    Family("mattermost_cache_mem_hit_total", "counter", ("name",), "memory cache hits"),
    Family("mattermost_cache_mem_invalidation_total", "counter", ("name",), "memory cache invalidations"),
    Family("mattermost_websocket_broadcasts_total", "counter", ("name",), "websocket broadcasts by event name"),
    Family("mattermost_websocket_event_total", "counter", ("type",), "websocket events by type"),
    Family("mattermost_websocket_broadcast_buffer_size", "gauge", ("hub",), "events waiting in a hub"),
    Family("mattermost_websocket_broadcast_buffer_users_registered", "gauge", ("hub",), "users registered in a hub"),
    Family("mattermost_websocket_reconnects_total", "counter", ("type",), "websocket reconnects"),
    Family("mattermost_search_posts_searches_total", "counter", (), "post searches"),
    Family("mattermost_search_posts_searches_duration_seconds", "histogram", (), "post search duration"),
    Family(
        "mattermost_api_time",
        "histogram",
        ("handler", "method", "status_code", "origin_client", "page_load_context"),
        "time of an API handler, in seconds",
    ),
    Family(
        "mattermost_plugin_hook_time",
        "histogram",
        ("plugin_id", "hook_name", "success"),
        "time of a plugin hook, in seconds",
    ),
)
"""The metrics of a newer server."""

ONLY_NEW = {"mattermost_http_websockets_total": 0, "mattermost_api_time": 3}
"""How many of a metric's labels older servers have, where they have fewer."""

HUB = "0"
"""The one hub's label."""


class Metrics(Collector):
    """Counts what happens in one server, and tells it in Prometheus' text form."""

    def __init__(self, read: Callable[[], Readings], *, modern: bool) -> None:
        self._read = read
        self._modern = modern
        self._requests = 0
        self._errors = 0
        self._api: defaultdict[tuple[str, str, str], Histogram] = defaultdict(Histogram)
        self._searches = Histogram()
        self._etags: dict[bool, Counter[str]] = {True: Counter(), False: Counter()}
        self._published: Counter[str] = Counter()
        self._delivered: Counter[str] = Counter()
        self._reconnects: Counter[str] = Counter()
        self._registry = CollectorRegistry()
        self._registry.register(self)
        self.pauses = GarbagePauses()
        """To be put into `gc.callbacks` while the server runs."""
        self._registry.register(MachineCollector(self.pauses))
        ProcessCollector(namespace="mattermost", registry=self._registry)

    def observe_event(self, event: Event, deliveries: int) -> None:
        """Count an event that was published to so many connections."""
        self._published[event.name] += 1
        self._delivered[event.name] += deliveries

    def observe_reconnect(self, outcome: str) -> None:
        """Count a client's return to its connection: ``success``, ``lossless`` (nothing to repeat) or ``failure``."""
        self._reconnects[outcome] += 1

    def middleware(self) -> Middleware:
        """Make the aiohttp middleware that counts and times requests to the API."""

        @web.middleware
        async def count(request: web.Request, handler: Handler) -> web.StreamResponse:
            if request.path == PATH:
                return await handler(request)
            started = time.perf_counter()
            response = await handler(request)
            self._observe_request(request, response.status, time.perf_counter() - started)
            return response

        return count

    def _observe_request(self, request: web.Request, status: int, duration_s: float) -> None:
        if status == SWITCHING_PROTOCOLS:
            return  # a websocket's life is no request's duration
        self._requests += 1
        self._errors += status >= 400
        name = request.get(HANDLER, "unknown")
        self._api[name, request.method, str(status)].observe(duration_s)
        if name == SEARCH_HANDLER:
            self._searches.observe(duration_s)
        if status == NOT_MODIFIED or "If-None-Match" in request.headers:
            self._etags[status == NOT_MODIFIED][name] += 1

    async def answer(self, request: web.Request) -> web.Response:
        """Answer a scrape."""
        text = generate_latest(self._registry)
        # prometheus-client puts _total behind every counter, this one has it in front of an s
        text = text.replace(b"event_type_totals_total", b"event_type_totals")
        return web.Response(body=text, headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"})

    def collect(self) -> Iterator[Metric]:
        """Give all metrics of the server as they stand."""
        values = self._values()
        histograms = self._histograms()
        for family in FAMILIES:
            kept = len(family.labels) if self._modern else ONLY_NEW.get(family.name, len(family.labels))
            labels = family.labels[:kept]
            metric = Metric(
                family.name.removesuffix("_total") if family.kind == "counter" else family.name,
                family.meaning,
                family.kind,
            )
            for label_values, value in values.get(family.name, _nothing(family)):
                metric.add_sample(family.name, dict(zip(labels, label_values, strict=False)), value)
            for label_values, histogram in histograms.get(family.name, () if labels else (((), Histogram()),)):
                _add_histogram(metric, dict(zip(labels, label_values, strict=False)), histogram)
            yield metric

    def _histograms(self) -> dict[str, list[tuple[Labels, Histogram]]]:
        """Give the histograms that hold something."""
        return {
            "mattermost_api_time": [((*key, "other", ""), histogram) for key, histogram in self._api.items()],
            "mattermost_search_posts_searches_duration_seconds": [((), self._searches)],
        }

    def _values(self) -> dict[str, Iterable[Sample]]:
        """Give the samples of counters and gauges that are not simply 0."""
        readings = self._read()
        counts = readings.counts
        return {
            "mattermost_post_total": [((), counts["posts"])],
            "mattermost_post_webhooks_total": [((), counts["webhook_posts"])],
            "mattermost_post_broadcasts_total": [((), self._published["posted"])],
            "mattermost_post_file_attachments_total": [((), counts["files"])],
            "mattermost_db_active_users": [((), readings.active_users)],
            "mattermost_http_websockets_total": [(("other",), readings.open_sockets)],
            "mattermost_http_requests_total": [((), self._requests)],
            "mattermost_http_errors_total": [((), self._errors)],
            "mattermost_login_logins_total": [((), counts["logins"])],
            "mattermost_login_logins_fail_total": [((), counts["failed_logins"])],
            "mattermost_cache_etag_miss_total": _by_label(self._etags[False]),
            "mattermost_cache_etag_hit_total": _by_label(self._etags[True]),
            "mattermost_websocket_broadcasts_total": _by_label(self._delivered),
            "mattermost_websocket_event_total": _by_label(self._published),
            "mattermost_websocket_broadcast_buffer_size": [((HUB,), 0)],
            "mattermost_websocket_broadcast_buffer_users_registered": [((HUB,), readings.connected_users)],
            "mattermost_websocket_reconnects_total": _by_label(self._reconnects),
            "mattermost_search_posts_searches_total": [((), counts["searches"])],
        }


def _nothing(family: Family) -> tuple[Sample, ...]:
    """Give the samples of a metric that counts nothing here: 0, where it has a single value."""
    return () if family.labels or family.kind == "histogram" else (((), 0),)


def _by_label(counter: Counter[str]) -> list[Sample]:
    return [((label,), value) for label, value in counter.items()]


def _add_histogram(metric: Metric, labels: dict[str, str], histogram: Histogram) -> None:
    cumulated = 0
    for bound, count in zip((*BUCKETS_S, float("inf")), histogram.counts, strict=True):
        cumulated += count
        metric.add_sample(f"{metric.name}_bucket", {**labels, "le": _bound(bound)}, cumulated)
    metric.add_sample(f"{metric.name}_count", labels, cumulated)
    metric.add_sample(f"{metric.name}_sum", labels, histogram.sum_s)


def _bound(bound: float) -> str:
    return "+Inf" if bound == float("inf") else f"{bound:g}"
