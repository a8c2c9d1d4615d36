"""Jobs of agents as Kubernetes objects: an Indexed Job of the pod that the chart describes, its secret; pure."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from mattermost_load_test.ltops.providers.base import CONFIGURATION_FILE, Job
from mattermost_load_test.ltops.providers.kubernetes.capacity import Need, requests_of
from mattermost_load_test.ltops.providers.kubernetes.names import COMPONENT, INSTANCE, job_name

Object = Mapping[str, Any]

INDEX_VARIABLE = "$(JOB_COMPLETION_INDEX)"
"""What Kubernetes replaces in an argument by the agent's index (Kubernetes documentation, Indexed Job)."""

RESTARTS_MAX = 20
"""How often an agent may be started again before its job is given up."""

FOLDER = "/job"


@dataclass(frozen=True, slots=True)
class AgentPod:
    """What agents are made of: the chart's pod, and how many there are to be."""

    template: Object
    count: int

    @classmethod
    def of(cls, config_map: Object) -> AgentPod:
        """Return what the chart's ConfigMap of agents says."""
        data = config_map["data"]
        return cls(yaml.safe_load(data["pod.yaml"]), int(data["agents"]))

    @property
    def image(self) -> str:
        """The agents' image."""
        return str(self.template["spec"]["containers"][0]["image"])

    @property
    def needs(self) -> list[Need]:
        """What all of them ask for."""
        return [Need("loadtest", requests_of(self.template["spec"]))] * self.count


def labels(cluster: str) -> dict[str, str]:
    """Return what tells objects of a cluster's runs."""
    return {INSTANCE: cluster, COMPONENT: "loadtest", "app.kubernetes.io/managed-by": "ltops"}


def secret_of(cluster: str, job: Job) -> dict[str, Any]:
    """Return the secret with the configurations of a job's agents."""
    files = {_file(index): job.configurations[index % len(job.configurations)] for index in range(job.count)}
    if len(job.configurations) == 1:
        files = {CONFIGURATION_FILE: job.configurations[0]}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": job_name(cluster, job.id), "labels": labels(cluster)},
        "type": "Opaque",
        "stringData": {name: data.decode() for name, data in files.items()},
    }


def job_of(cluster: str, job: Job, pod: AgentPod) -> dict[str, Any]:
    """Return the Job: each of its pods plays the share of its index, and is started again when it was killed."""
    name = job_name(cluster, job.id)
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "labels": labels(cluster)},
        "spec": {
            "completions": job.count,
            "parallelism": job.count,
            "completionMode": "Indexed",
            "backoffLimit": RESTARTS_MAX * job.count,
            "template": _pod(job, pod, name),
        },
    }


def _pod(job: Job, pod: AgentPod, name: str) -> dict[str, Any]:
    """Return the chart's pod with what it is to do."""
    template: dict[str, Any] = copy.deepcopy(dict(pod.template))
    file = CONFIGURATION_FILE if len(job.configurations) == 1 else _file(INDEX_VARIABLE)
    agent, _ = template["spec"]["containers"]
    agent["args"] = ["--config", f"{FOLDER}/{file}", *job.arguments(INDEX_VARIABLE)]
    for volume in template["spec"]["volumes"]:
        if volume["name"] == "job":
            volume["secret"]["secretName"] = name
    return template


def check_of(cluster: str, pod: AgentPod, command: Sequence[str]) -> dict[str, Any]:
    """Return a pod that runs a command by the agents' image, once, which shows whether that can be had."""
    template: dict[str, Any] = copy.deepcopy(dict(pod.template))
    agent = template["spec"]["containers"][0]
    agent |= {"command": list(command), "env": [], "resources": {"requests": {"cpu": "10m", "memory": "64Mi"}}}
    agent["volumeMounts"] = [mount for mount in agent["volumeMounts"] if mount["name"] in ("work", "tmp")]
    volumes = [volume for volume in template["spec"]["volumes"] if volume["name"] in ("work", "tmp")]
    spec = template["spec"] | {"containers": [agent], "volumes": volumes, "restartPolicy": "Never"}
    spec.pop("topologySpreadConstraints", None)
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": f"{cluster}-image-check", "labels": labels(cluster) | {COMPONENT: "image-check"}},
        "spec": spec,
    }


def _file(index: int | str) -> str:
    return f"loadtestconfig-{index}.json"
