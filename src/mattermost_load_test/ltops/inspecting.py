"""How clusters are: what their state files say, and what is asked of their servers and agents now."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from mattermost_load_test.errors import ClusterError, LoadTestError
from mattermost_load_test.ltops.cluster import ClusterState
from mattermost_load_test.ltops.health import Answer, ping
from mattermost_load_test.ltops.providers import provider_of
from mattermost_load_test.ltops.providers.base import AgentState, Provider
from mattermost_load_test.ltops.store import Cluster, Store

MAX_AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class Inspection:
    """How a cluster is. `problem` stands in place of all else where its state file cannot be used.

    `server` is what its site answered, or why it did not; `faults` says what is wrong with which instance. `agents` are
    those of a run that is not known to have ended, by name, as they said just now.
    """

    name: str
    state: ClusterState | None = None
    problem: str = ""
    server: Answer | str = ""
    faults: Mapping[str, str] = field(default_factory=dict)
    agents: Mapping[str, AgentState] = field(default_factory=dict)

    @property
    def run_ended(self) -> bool:
        """Whether the agents of a run that nobody follows have ended."""
        return bool(self.agents) and all(agent.over for agent in self.agents.values())

    @property
    def well(self) -> bool:
        """Whether nothing is wrong."""
        lost = any(agent.phase == "lost" for agent in self.agents.values())
        return not (self.problem or self.faults or lost or (isinstance(self.server, str) and self.server))


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
        agents = _agents(provider, cluster)
    except LoadTestError as error:
        return Inspection(state.name, state, problem=str(error))
    return Inspection(state.name, state, server=_server(provider, cluster), faults=faults, agents=agents)


def _agents(provider: Provider, cluster: Cluster) -> dict[str, AgentState]:
    """Ask the agents of a run that is not known to have ended how they are; none without such a run."""
    run = cluster.state.run
    if run is None or run.finished_at is not None:
        return {}
    names = [instance.name for instance in cluster.state.of_role("loadtest")]
    return dict(zip(names, provider.agents(cluster).states(run.id, run.agents), strict=False))


def _server(provider: Provider, cluster: Cluster) -> Answer | str:
    """Return what the site answers, or why it does not; empty where nothing is deployed."""
    if cluster.state.phase != "deployed" or not cluster.state.site_url:
        return ""
    try:
        with provider.site(cluster) as url:
            return ping(url)
    except LoadTestError as error:
        return str(error)
