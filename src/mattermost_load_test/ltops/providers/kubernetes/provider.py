"""The Kubernetes kind of cluster: what `create`, `deploy` and the other commands do there."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal
from urllib.parse import urlsplit

from pydantic import SecretStr

from mattermost_load_test.errors import ClusterError, UsageError
from mattermost_load_test.ltops.cluster import Instance, Role
from mattermost_load_test.ltops.progress import Progress
from mattermost_load_test.ltops.providers.base import Agents, DeployOrder
from mattermost_load_test.ltops.providers.kubernetes import addresses
from mattermost_load_test.ltops.providers.kubernetes.agents import KubernetesAgents
from mattermost_load_test.ltops.providers.kubernetes.api import Api
from mattermost_load_test.ltops.providers.kubernetes.collecting import collect_pod
from mattermost_load_test.ltops.providers.kubernetes.creation import creation
from mattermost_load_test.ltops.providers.kubernetes.deployment import Deployment
from mattermost_load_test.ltops.providers.kubernetes.forwarding import Goal, forwarded, pod_of
from mattermost_load_test.ltops.providers.kubernetes.names import (
    COMPONENTS,
    CONTAINERS,
    component_of,
    instance_pods,
    selector,
)
from mattermost_load_test.ltops.providers.kubernetes.options import PLACE_FILE, KubernetesOptions, Where
from mattermost_load_test.ltops.providers.kubernetes.removal import Removal
from mattermost_load_test.ltops.providers.kubernetes.streams import Place
from mattermost_load_test.ltops.providers.kubernetes.symptoms import symptom
from mattermost_load_test.ltops.providers.kubernetes.terminal import attach
from mattermost_load_test.ltops.providers.kubernetes.watching import reasons_of
from mattermost_load_test.ltops.steps import Stage
from mattermost_load_test.ltops.store import Cluster

PSQL = 'PGPASSWORD="$POSTGRES_PASSWORD" exec psql -h 127.0.0.1 -U "$POSTGRES_USER" -d "$POSTGRES_DB" "$@"'
"""Opens the database where it is: its password is in its container's environment and goes nowhere."""


class KubernetesProvider:
    """See `Provider`."""

    summary: ClassVar[str] = "pods on a Kubernetes cluster"

    def check_options(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return the options of a new cluster on Kubernetes; raises `UsageError`."""
        return KubernetesOptions.of(given).model_dump()

    def create(self, cluster: Cluster, progress: Progress) -> Iterable[Stage]:
        """Yield the stages that see whether it can be worked there, and make the namespace."""
        return creation(cluster, progress)

    def deploy(self, cluster: Cluster, order: DeployOrder, progress: Progress) -> Iterator[Stage]:
        """Yield the stages that bring the release to what is wanted."""
        yield from Deployment(cluster, order, progress).stages()
        self.refresh(cluster)

    def allow(self, cluster: Cluster, networks: Sequence[str], progress: Progress, *, add: bool) -> Iterable[Stage]:
        """Refuse it."""
        raise UsageError(
            "who reaches a cluster on Kubernetes is said there: by its services, ingresses, network policies"
        )

    def left_in(self, directory: Path) -> bool:
        """Say whether a folder holds what tells where a cluster on Kubernetes is."""
        return (directory / PLACE_FILE).is_file()

    def delete(self, directory: Path, cluster: Cluster | None, progress: Progress) -> Iterable[Stage]:
        """Yield the stages that remove everything, and look for what is left."""
        return Removal(directory, progress).stages()

    def faults(self, cluster: Cluster) -> Mapping[str, str]:
        """Return which pods are not well, and why; what keeps pods from being made stands for itself."""
        if cluster.state.phase not in ("deploying", "deployed"):
            return {}
        api, name = _api(cluster), cluster.name
        pods = _pods(api, name)
        named = {
            pod["metadata"]["name"]: f"{role}-{index}"
            for role in COMPONENTS
            for index, pod in enumerate(instance_pods(role, pods))
        }
        found = {named.get(pod, pod): bad.text for pod, bad in reasons_of(api, name).items()}
        for index, pod in enumerate(instance_pods("loadtest", pods)):
            if (bad := symptom(pod)) is not None:
                found[f"loadtest-{index}"] = bad.text
        for instance in cluster.state.instances:
            roles_pods = instance_pods(instance.role, pods)
            if instance.role != "loadtest" and instance.index >= len(roles_pods):
                found.setdefault(instance.name, "it has no pod")
        return found

    def refresh(self, cluster: Cluster) -> None:
        """Look for addresses by which the site and the metrics are reached from outside, and for Grafana's password."""
        state = cluster.state
        if state.phase not in ("deploying", "deployed") or "where" not in state.details:
            return
        api, state.access = _api(cluster), []
        for door in _doors(cluster):
            service, _ = door.service(api.namespace)
            is_site = door.field == "site_url"
            found = addresses.site(api, cluster.name, service) if is_site else addresses.outside(api, service)
            setattr(state, door.field, found.url or door.within)
            if found.lacking:
                way = f"`ltops forward {door.part} -c {cluster.name}` opens a way there"
                state.access.append(f"{door.what}: {found.lacking}; {way}")
        if state.grafana_url:
            secret = api.get(api.namespaced("secrets", f"{cluster.name}-grafana")) or {"data": {}}
            state.grafana_password = SecretStr(base64.b64decode(secret["data"].get("password", "")).decode())

    def agents(self, cluster: Cluster) -> Agents:
        """Return the cluster's agents."""
        return KubernetesAgents(_api(cluster), cluster.name)

    @contextmanager
    def site(self, cluster: Cluster) -> Iterator[str]:
        """Give where the site is reached: through the cluster's API, so that no other way has to be open."""
        state = cluster.state
        within = next((one.url for one in [*state.of_role("proxy"), *state.of_role("app")]), "")
        if not within:
            yield state.site_url
            return
        with self.reach(cluster, urlsplit(within).netloc) as address:
            yield f"http://{address}"

    def database_client(self, cluster: Cluster) -> tuple[Instance, Sequence[str]] | None:
        """Return psql in the database's own pod; raises `ClusterError` where the database is elsewhere."""
        if not cluster.state.of_role("db"):
            raise ClusterError(
                f"the cluster {cluster.name} has no database of its own; that of `externalDatabase` is in the secret "
                f"{cluster.name}-database"
            )
        return cluster.state.instance("db", 0), ["sh", "-c", PSQL, "psql"]

    def attach(self, cluster: Cluster, instance: Instance, command: Sequence[str]) -> int:
        """Run a command, or a shell, in an instance's container; return its exit code."""
        api = _api(cluster)
        pod = _pod(api, cluster.name, instance.role, instance.index)
        component = component_of(pod)
        return attach(api, Place(pod["metadata"]["name"], CONTAINERS[component]), command)

    def collect(self, cluster: Cluster, instance: Instance, into: Path) -> None:
        """Put an instance's logs and its pod's description into a folder; an agent has none between runs."""
        api = _api(cluster)
        pods = instance_pods(instance.role, _pods(api, cluster.name))
        if instance.role == "loadtest" and instance.index >= len(pods):
            return
        collect_pod(api, _pod(api, cluster.name, instance.role, instance.index), into)

    @contextmanager
    def reach(self, cluster: Cluster, address: str, port: int = 0) -> Iterator[str]:
        """Give the end of a way through the API for a service of the cluster; any other address as it is.

        By its address outside a service is known, too: that of a node may be reached by none but its neighbours.
        """
        api = _api(cluster)
        goal = _goal(cluster, api, address)
        if goal is None:
            yield address
            return
        with forwarded(api, goal, port, lambda words: None) as here:
            yield here


@dataclass(frozen=True, slots=True)
class _Door:
    """What a cluster serves: the field of its state with the URL, its name, what `forward` calls it, its URL inside."""

    field: Literal["site_url", "metrics_url", "grafana_url"]
    what: str
    part: str
    within: str

    def service(self, namespace: str) -> tuple[str, int]:
        """Return its service and the port of that."""
        found = addresses.service_of(urlsplit(self.within).netloc, namespace)
        assert found is not None  # it is ours
        return found


def _doors(cluster: Cluster) -> Iterator[_Door]:
    """Yield what a cluster serves."""
    state, namespace = cluster.state, Where.of(cluster).namespace
    if apps := state.of_role("app"):
        yield _Door("site_url", "the site", "app", [*state.of_role("proxy"), *apps][0].url)
    if state.metrics_url:
        url = addresses.inside(f"{cluster.name}-prometheus", namespace, 9090)
        yield _Door("metrics_url", "Prometheus", "metrics", url)
    if state.grafana_url:
        yield _Door("grafana_url", "Grafana", "metrics", addresses.inside(f"{cluster.name}-grafana", namespace))


def _goal(cluster: Cluster, api: Api, address: str) -> Goal | None:
    """Return what finds the pod behind an address of the cluster: an agent's for its metrics, or one of a service."""
    for agent in cluster.state.of_role("loadtest"):
        metrics = urlsplit(agent.metrics_url)
        if metrics.netloc == address:
            port = metrics.port or addresses.HTTP
            return lambda: (_pod(api, cluster.name, agent.role, agent.index)["metadata"]["name"], port)
    doors = [door for door in _doors(cluster) if urlsplit(getattr(cluster.state, door.field)).netloc == address]
    service = doors[0].service(api.namespace) if doors else addresses.service_of(address, api.namespace)
    return None if service is None else lambda: pod_of(api, *service)


def _api(cluster: Cluster) -> Api:
    where = Where.of(cluster)
    return Api(where.namespace, where.context)


def _pods(api: Api, name: str) -> list[dict[str, Any]]:
    return api.items(api.namespaced("pods"), labelSelector=selector(name))


def _pod(api: Api, name: str, role: Role, index: int) -> dict[str, Any]:
    """Return the pod of an instance; raises `ClusterError` where it has none now."""
    found = instance_pods(role, _pods(api, name))
    if index >= len(found):
        why = "agents have pods while a run lasts" if role == "loadtest" else f"`ltops status -c {name}` says why"
        raise ClusterError(f"{role}-{index} has no pod now: {why}")
    return dict(found[index])
