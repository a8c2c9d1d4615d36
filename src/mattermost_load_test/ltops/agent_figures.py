"""How far an agent is that runs, by the metrics that it tells (docs/metrics.md), asked from here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

import requests
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from mattermost_load_test.errors import LoadTestError, ServerUnreachableError, UnexpectedAnswerError
from mattermost_load_test.ltops.cluster import Instance
from mattermost_load_test.ltops.providers.base import Provider
from mattermost_load_test.ltops.store import Cluster

TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True)
class AgentFigures:
    """What an agent's entities do, and have done since they began to act.

    `begun_at_s` is when that was, in seconds since the epoch by its own clock, None while they do not act yet;
    `mean_ms` is None without requests.
    """

    entities: int
    requests: int
    errors: int
    mean_ms: float | None
    begun_at_s: float | None

    def requests_per_s(self, now_s: float) -> float | None:
        """Return the mean rate up to `now_s`, None before the begin."""
        if self.begun_at_s is None or now_s <= self.begun_at_s:
            return None
        return self.requests / (now_s - self.begun_at_s)


def ask(provider: Provider, cluster: Cluster, agent: Instance) -> AgentFigures | str:
    """Return what an agent tells, or why it tells nothing."""
    url = urlsplit(agent.metrics_url)
    try:
        with provider.reach(cluster, url.netloc) as address:
            return figures_of(_text(f"http://{address}{url.path}"))
    except LoadTestError as error:
        return str(error)


def _text(url: str) -> str:
    try:
        answer = requests.get(url, timeout=TIMEOUT_S)
        answer.raise_for_status()
    except requests.RequestException as error:
        raise ServerUnreachableError(f"its metrics at {url} cannot be had: {error}") from error
    return answer.text


def figures_of(text: str) -> AgentFigures:
    """Return the figures in an agent's metrics; raises `UnexpectedAnswerError` for a text that is none."""
    try:
        samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    except ValueError as error:
        raise UnexpectedAnswerError(f"these are no metrics: {error}") from error
    done = _sum(samples, "loadtest_request_duration_seconds_count")
    took_s = _sum(samples, "loadtest_request_duration_seconds_sum")
    return AgentFigures(
        entities=round(_sum(samples, "loadtest_entities_active")),
        requests=round(done),
        errors=round(_sum(samples, "loadtest_request_errors_total")),
        mean_ms=took_s / done * 1000 if done else None,
        begun_at_s=next(_values(samples, "loadtest_begin_timestamp_seconds"), None),
    )


def _values(samples: Iterable[Sample], name: str) -> Iterator[float]:
    return (sample.value for sample in samples if sample.name == name)


def _sum(samples: Iterable[Sample], name: str) -> float:
    return sum(_values(samples, name))
