"""How the chart calls what it makes, and which pods are which instances (`helm/mattermost-load-test/templates`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mattermost_load_test.ltops.cluster import Role

CHART = "mattermost-load-test"
INSTANCE = "app.kubernetes.io/instance"
COMPONENT = "app.kubernetes.io/component"
INDEX = "batch.kubernetes.io/job-completion-index"
JOB = "batch.kubernetes.io/job-name"
JOB_NAME_MAX = 25
"""A job's name goes into the host names of its pods, which are cut at 63: the run's id needs the rest."""

COMPONENTS: Mapping[Role, Sequence[str]] = {
    "app": ("app",),
    "proxy": ("proxy",),
    "db": ("db",),
    "metrics": ("prometheus", "grafana"),
    "loadtest": ("loadtest",),
}
"""The components that a role's pods carry as their label."""

CONTAINERS = {
    "app": "mattermost",
    "proxy": "nginx",
    "db": "postgres",
    "prometheus": "prometheus",
    "grafana": "grafana",
    "loadtest": "agent",
}
"""The container of a component that is meant where one is."""

Object = Mapping[str, Any]


def selector(name: str, component: str = "") -> str:
    """Return what selects a release's objects, or a component's."""
    return f"{INSTANCE}={name}" + (f",{COMPONENT}={component}" if component else "")


def component_of(one: Object) -> str:
    """Return the component that an object belongs to."""
    return str(one["metadata"].get("labels", {}).get(COMPONENT, ""))


def job_name(cluster: str, job_id: str) -> str:
    """Return the name of the Job that stands for a job of agents."""
    return f"{cluster[:JOB_NAME_MAX].rstrip('-')}-{job_id.lower()}"


def in_order(pods: Sequence[Object]) -> list[Object]:
    """Return pods as their instances are counted: an agent's by its index, the others by their names."""

    def place(pod: Object) -> tuple[int, str]:
        index = pod["metadata"].get("annotations", {}).get(INDEX, "0")
        return int(index), str(pod["metadata"]["name"])

    return sorted(pods, key=place)


def instance_pods(role: Role, pods: Sequence[Object]) -> list[Object]:
    """Return the pods of a role in the order of its instances, out of a release's pods; those that go are left out."""
    found = []
    for component in COMPONENTS[role]:
        live = [pod for pod in pods if component_of(pod) == component and "deletionTimestamp" not in pod["metadata"]]
        found += in_order(live)
    return found
