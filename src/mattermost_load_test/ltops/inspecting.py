"""How clusters are: what their state files say, and what is asked of their servers and agents now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from mattermost_load_test.errors import ClusterError, LoadTestError
from mattermost_load_test.ltops import agent_figures
from mattermost_load_test.ltops.agent_figures import AgentFigures
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
    those of a run that is not known to have ended, by name, as they said just now; `figures` is how far those are that
    run, or why they do not tell.
    """

    name: str
    state: ClusterState | None = None
    problem: str = ""
    server: Answer | str = ""
    faults: Mapping[str, str] = field(default_factory=dict)
    agents: Mapping[str, AgentState] = field(default_factory=dict)
    figures: Mapping[str, AgentFigures | str] = field(default_factory=dict)

    @property
    def run_ended(self) -> bool:
        """Whether the agents of a run that nobody follows have ended."""
        return bool(self.agents) and all(agent.over for agent in self.agents.values())

    def elapsed_s(self, now_s: float) -> float | None:
        """Return how long users act, negative before they do, None where that is not known or nothing runs."""
        run = self.state.run if self.state is not None else None
        if run is not None and run.begins_at is not None:
            return now_s - run.begins_at.timestamp()
        told = [one for one in self.figures.values() if isinstance(one, AgentFigures)]
        begun_at_s = [one.begun_at_s for one in told if one.begun_at_s is not None]
        return now_s - min(begun_at_s) if begun_at_s else None

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
    figures = _figures(provider, cluster, [name for name, agent in agents.items() if agent.phase == "running"])
    server = _server(provider, cluster)
    return Inspection(state.name, state, server=server, faults=faults, agents=agents, figures=figures)


def _agents(provider: Provider, cluster: Cluster) -> dict[str, AgentState]:
    """Ask the agents of a run that is not known to have ended how they are; none without such a run."""
    run = cluster.state.run
    if run is None or run.finished_at is not None:
        return {}
    names = [instance.name for instance in cluster.state.of_role("loadtest")]
    return dict(zip(names, provider.agents(cluster).states(run.id, run.agents), strict=False))


def _figures(provider: Provider, cluster: Cluster, running: Sequence[str]) -> dict[str, AgentFigures | str]:
    """Ask those agents that run and have a place for their metrics how far they are."""
    agents = [agent for agent in cluster.state.instances if agent.name in running and agent.metrics_url]
    with ThreadPoolExecutor(max_workers=MAX_AT_ONCE) as pool:
        answers = pool.map(lambda agent: agent_figures.ask(provider, cluster, agent), agents)
        return {agent.name: answer for agent, answer in zip(agents, answers, strict=True)}


def _server(provider: Provider, cluster: Cluster) -> Answer | str:
    """Return what the site answers, or why it does not; empty where nothing is deployed."""
    if cluster.state.phase != "deployed" or not cluster.state.site_url:
        return ""
    try:
        with provider.site(cluster) as url:
            return ping(url)
    except LoadTestError as error:
        return str(error)
