"""How clusters are: what their state files say, and what is asked of their servers and agents now."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from mattermost_load_test.errors import ClusterError, LoadTestError
from mattermost_load_test.ltops.cluster import ClusterState
from mattermost_load_test.ltops.health import Answer, ping
from mattermost_load_test.ltops.providers import provider_of
from mattermost_load_test.ltops.providers.base import Provider
from mattermost_load_test.ltops.store import Cluster, Store

MAX_AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class Inspection:
    """How a cluster is. `problem` stands in place of all else where its state file cannot be used.

    `server` is what its site answered, or why it did not; `faults` says what is wrong with which instance, and
    `run_ended` whether the agents of a run that nobody follows have ended.
    """

    name: str
    state: ClusterState | None = None
    problem: str = ""
    server: Answer | str = ""
    faults: Mapping[str, str] = field(default_factory=dict)
    run_ended: bool = False

    @property
    def well(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problem and not self.faults and not (isinstance(self.server, str) and self.server)


def inspect_all(store: Store) -> list[Inspection]:
    """Return how each cluster is, by name; a broken one does not hide the others."""
    names = store.names()
    with ThreadPoolExecutor(max_workers=MAX_AT_ONCE) as pool:
        return list(pool.map(lambda name: _guarded(store, name), names))


def inspect(store: Store, name: str) -> Inspection:
    """Return how one cluster is; raises `ClusterError` when there is none, or its state file cannot be used."""
    return _inspection(store.load(name))


def _guarded(store: Store, name: str) -> Inspection:
    try:
        return inspect(store, name)
    except ClusterError as error:
        return Inspection(name, problem=str(error))


def _inspection(cluster: Cluster) -> Inspection:
    """Ask the servers and the kind of cluster."""
    state = cluster.state
    try:
        provider = provider_of(state.kind)
        provider.refresh(cluster)
        faults = provider.faults(cluster)
        run = state.run
        ended = (
            run is not None
            and run.finished_at is None
            and all(agent.over for agent in provider.agents(cluster).states(run.id, run.agents))
        )
    except LoadTestError as error:
        return Inspection(state.name, state, problem=str(error))
    return Inspection(state.name, state, server=_server(provider, cluster), faults=faults, run_ended=ended)


def _server(provider: Provider, cluster: Cluster) -> Answer | str:
    """Return what the site answers, or why it does not; empty where nothing is deployed."""
    if cluster.state.phase != "deployed" or not cluster.state.site_url:
        return ""
    try:
        with provider.site(cluster) as url:
            return ping(url)
    except LoadTestError as error:
        return str(error)
