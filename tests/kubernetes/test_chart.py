"""What the chart renders is what the API takes: each object tried on a real API server, by its strict validation."""

from __future__ import annotations

import os
import subprocess
from typing import Any

import pytest
import yaml
from kubernetes import client
from tests.kubernetes.cluster import Cluster
from tests.kubernetes.conftest import NewNamespace

from mattermost_load_test.ltops.providers.base import Job
from mattermost_load_test.ltops.providers.kubernetes.jobs import AgentPod, check_of, job_of, secret_of
from mattermost_load_test.ltops.shipped import shipped

pytestmark = pytest.mark.xdist_group("kubernetes")

CHART = shipped("helm") / "mattermost-load-test"
GROUPS = {"v1": "/api/v1", "apps/v1": "/apis/apps/v1", "batch/v1": "/apis/batch/v1"}
LICENSED = ("--set-string", "mattermost.license.content=licence")
USERS = [row["users"] for row in yaml.safe_load((CHART / "profiles.yaml").read_text())["standard"]]
SWITCHES = {
    "plain": (),
    "ingress": ("--set", "ingress.enabled=true,ingress.host=chat.example.com,ingress.className=nginx"),
    "node ports": (
        "--set",
        "proxy.service.type=NodePort,prometheus.service.type=NodePort,grafana.service.type=NodePort",
    ),
    "balanced": ("--set", "proxy.service.type=LoadBalancer"),
    "external database": ("--set", "postgresql.enabled=false,externalDatabase.dataSource=postgres://a:b@db/mm"),
    "replicas": (*LICENSED, "--set", "externalDatabase.readReplicas={postgres://a:b@reader/mm}"),
    "no volumes": ("--set", "mattermost.files.enabled=false,postgresql.storage.enabled=false"),
    "agents only": ("--set", "mattermost.enabled=false,prometheus.enabled=false,grafana.enabled=false"),
    "pull secrets": ("--set", "imagePullSecrets[0].name=registry"),
}


def rendered(cluster: Cluster, where: str, *options: str) -> list[dict[str, Any]]:
    """Return what the chart renders."""
    command = ["helm", "template", "trial", str(CHART), "--namespace", where, "--kube-version", "v1.37.0", *options]
    environment = os.environ | cluster.environment
    text = subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout
    return [one for one in yaml.safe_load_all(text) if one]


def try_out(cluster: Cluster, where: str, objects: list[dict[str, Any]]) -> None:
    """Hand objects to the API server, which makes none of them; unknown fields are errors."""
    api = cluster.api()
    for one in objects:
        root = GROUPS.get(one["apiVersion"], f"/apis/{one['apiVersion']}")
        kind = one["kind"].lower()
        path = f"{root}/namespaces/{where}/{kind + 'es' if kind.endswith('s') else kind + 's'}"
        query = [("dryRun", "All"), ("fieldValidation", "Strict")]
        try:
            api.call_api(
                path, "POST", query_params=query, body=one, auth_settings=["BearerToken"], _preload_content=False
            )
        except client.ApiException as error:
            pytest.fail(f"{one['kind']} {one['metadata']['name']}: {error.body}")


@pytest.mark.parametrize("users", USERS)
def test_each_profile(simulated: Cluster, namespace: NewNamespace, users: int) -> None:
    """With a licence, for as many replicas as there are to be."""
    where = namespace(simulated)
    try_out(simulated, where, rendered(simulated, where, "--set", f"profile.users={users}", *LICENSED))


@pytest.mark.parametrize("options", SWITCHES.values(), ids=SWITCHES)
def test_each_switch(simulated: Cluster, namespace: NewNamespace, options: tuple[str, ...]) -> None:
    """And what a run and the trial of the image are made of."""
    where = namespace(simulated)
    objects = rendered(simulated, where, *options)
    (agents,) = [one for one in objects if (one["kind"], one["metadata"]["name"]) == ("ConfigMap", "trial-agent")]
    pod = AgentPod.of(agents)
    run = Job("20261126T080000Z", 2, [b"{}"], lambda index: ["all", "--agent-index", index])
    made = [secret_of("trial", run), job_of("trial", run, pod), check_of("trial", pod, ["loadtest", "--version"])]
    try_out(simulated, where, [one for one in objects if one["kind"] != "Pod"])
    service_account(simulated, where)
    try_out(simulated, where, made)


def service_account(cluster: Cluster, where: str) -> None:
    """Make the account of the agents, which a pod must have to be taken."""
    body = {"metadata": {"name": "trial-agent"}}
    cluster.core.create_namespaced_service_account(where, body)
