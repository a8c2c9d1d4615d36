"""`ltops` on a real control plane whose nodes are simulated: the whole chart, sizes as users have them, refusals."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubernetes import client
from tests.kubernetes.cluster import Cluster
from tests.kubernetes.conftest import NewNamespace
from tests.kubernetes.simulated import end_pods, nodes
from tests.ltops.conftest import Ops, ltops_in

from mattermost_load_test.ltops.providers import provider_of
from mattermost_load_test.ltops.providers.base import Job
from mattermost_load_test.ltops.store import Store

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("kubernetes"), pytest.mark.timeout(240)]

VIEWER = {
    "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"},
    "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "viewer"}],
    "metadata": {"name": "viewer"},
}


@pytest.fixture(scope="module")
def large(simulated: Cluster) -> Iterator[Cluster]:
    """Give the cluster with two nodes that a deployment for 10,000 users fits on."""
    with nodes(simulated, 2, cores=16, gib=64):
        yield simulated


@pytest.fixture
def ops(simulated: Cluster, tmp_path: Path) -> Iterator[Ops]:
    """Give the command `ltops` of the cluster's administrator."""
    with ltops_in(tmp_path) as ops:
        ops.environment |= simulated.environment
        yield ops


def requests_of(cluster: Cluster, namespace: str, name: str) -> Any:
    """Return what the one container of a StatefulSet asks for."""
    found = client.AppsV1Api(cluster.api()).read_namespaced_stateful_set(name, namespace)
    return found.spec.template.spec.containers[0].resources.requests


def test_a_life_at_full_size(ops: Ops, large: Cluster) -> None:
    """The whole chart with its volumes, made larger, seen when a pod finds no place, and removed with its namespace."""
    core = large.core
    ops.good("create", "-c", "life", "--type", "kubernetes")
    ops.good("deploy", "-c", "life", "--users", "5000")
    assert requests_of(large, "life", "life-db") == {"cpu": "2", "memory": "4Gi"}
    claims = core.list_namespaced_persistent_volume_claim("life").items
    assert {claim.status.phase for claim in claims} == {"Bound"}
    assert "Nothing to do" in ops.good("deploy", "-c", "life").stderr
    shown = ops.good("status", "-c", "life").stdout
    assert "the site: it has no address outside the cluster; `ltops forward app -c life` opens a way there" in shown
    assert "Prometheus: it has no address outside the cluster; `ltops forward metrics -c life`" in shown

    larger_and_open_to_the_outside(ops, core)
    assert requests_of(large, "life", "life-db") == {"cpu": "4", "memory": "8Gi"}
    assert len([one for one in ops.state("life")["instances"] if one["role"] == "proxy"]) == 2

    a_pod_that_finds_no_place(ops, large)

    ops.good("delete", "-c", "life", "--yes")
    assert "life" not in [one.metadata.name for one in core.list_namespace().items]
    bound = {claim.spec.volume_name for claim in claims}
    assert not bound & {one.metadata.name for one in core.list_persistent_volume().items}
    assert list(ops.home.iterdir()) == []


OUTWARD = {
    "proxy": {"service": {"type": "LoadBalancer"}},
    "prometheus": {"service": {"type": "NodePort"}},
    "ingress": {"enabled": True},
}


def larger_and_open_to_the_outside(ops: Ops, core: client.CoreV1Api) -> None:
    """See that a load balancer is waited for, and addresses once a cloud gives them."""
    (ops.folder / "outward.yaml").write_text(yaml.safe_dump(OUTWARD))
    deploying = ops.start("deploy", "-c", "life", "--users", "10000", "-f", "outward.yaml")
    waits = "the site: the LoadBalancer of the service life-proxy has no address yet"
    ops.until(lambda: waits in ops.good("status", "-c", "life").stdout, "status says what is waited for")
    balancer = {"loadBalancer": {"ingress": [{"ip": "203.0.113.7"}]}}
    core.patch_namespaced_service_status("life-proxy", "life", {"status": balancer})
    _, said = deploying.communicate(timeout=120)
    assert deploying.returncode == 0, said
    assert "The site is http://203.0.113.7." in said
    assert "Access: the site: the Ingress life has no address yet" in said

    balancer = {"loadBalancer": {"ingress": [{"ip": "2001:db8::7"}]}}
    client.NetworkingV1Api(core.api_client).patch_namespaced_ingress_status("life", "life", {"status": balancer})
    found = ops.status("life")
    port = core.read_namespaced_service("life-prometheus", "life").spec.ports[0].node_port
    assert (found["site_url"], found["metrics_url"]) == ("http://[2001:db8::7]", f"http://127.0.0.1:{port}")
    assert [sentence.partition(":")[0] for sentence in found["access"]] == ["Grafana"]
    assert len(found["grafana_password"]) == 32
    assert found["grafana_password"] not in ops.good("status", "-c", "life").stdout


def a_pod_that_finds_no_place(ops: Ops, large: Cluster) -> None:
    """`status` says so in the scheduler's words, while no node takes pods."""
    core = large.core
    names = [node.metadata.name for node in core.list_node().items]
    (app,) = core.list_namespaced_pod("life", label_selector="app.kubernetes.io/component=app").items
    for name in names:
        core.patch_node(name, {"spec": {"unschedulable": True}})
    try:
        core.delete_namespaced_pod(app.metadata.name, "life")
        large.until(lambda: "no node takes it" in json.dumps(ops.status("life")), "status says that it finds no place")
    finally:
        for name in names:
            core.patch_node(name, {"spec": {"unschedulable": None}})
    large.until(lambda: "no node takes it" not in json.dumps(ops.status("life")), "it has found one")


def test_a_release_of_somebody_else(ops: Ops, simulated: Cluster, namespace: NewNamespace) -> None:
    """A release of the cluster's name that is not ours is refused by `deploy`, and `delete` leaves it alone."""
    where = namespace(simulated)
    chart = ops.folder / "other"
    (chart / "templates").mkdir(parents=True)
    (chart / "Chart.yaml").write_text(yaml.safe_dump({"apiVersion": "v2", "name": "other", "version": "1.0.0"}))
    labels = {"app.kubernetes.io/instance": "taken"}
    settings = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "theirs", "labels": labels}}
    (chart / "templates" / "theirs.yaml").write_text(yaml.safe_dump(settings))
    claim = {
        "metadata": {"name": "theirs", "labels": labels},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    }
    simulated.core.create_namespaced_persistent_volume_claim(where, claim)
    helm = ["helm", "install", "taken", str(chart), "--namespace", where]
    subprocess.run(helm, env=os.environ | ops.environment, check=True, capture_output=True)

    ops.good("create", "-c", "taken", "--type", "kubernetes", "--namespace", where)
    refused = ops.run("deploy", "-c", "taken", "--force")
    assert refused.code == 2
    assert "of the chart other-1.0.0: it is left alone" in refused.stderr
    assert "is not of this cluster" in ops.good("delete", "-c", "taken", "--yes").stderr
    assert simulated.core.read_namespaced_config_map("theirs", where)
    assert simulated.core.read_namespaced_persistent_volume_claim("theirs", where).metadata.deletion_timestamp is None


def test_twenty_agents(ops: Ops, large: Cluster, namespace: NewNamespace) -> None:
    """One Indexed Job runs them all; how each ends is known."""
    where = namespace(large)
    agents = {"replicas": 20, "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}}}
    (ops.folder / "values.yaml").write_text(yaml.safe_dump({"agent": agents}))
    ops.good(
        "create", "-c", "many", "--type", "kubernetes", "--namespace", where, "--server-url", "http://chat.invalid"
    )
    ops.good("deploy", "-c", "many", "-f", "values.yaml")
    cluster = Store(ops.home).load("many")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in large.environment.items():
            patch.setenv(name, value)
        running = provider_of("kubernetes").agents(cluster)
        running.start(Job("run", 20, [b"{}"], lambda index: ["all", "--agent-index", index]))
        large.until(lambda: {one.phase for one in running.states("run", 20)} == {"running"}, "all twenty run")
        end_pods(large, where, "app.kubernetes.io/component=loadtest", count=20)
        large.until(lambda: all(one.over for one in running.states("run", 20)), "all twenty have ended")
        assert [one.exit_code for one in running.states("run", 20)] == [0] * 20
    ops.good("delete", "-c", "many", "--yes")
    assert where in [one.metadata.name for one in large.core.list_namespace().items], "it was there before"
    assert not large.core.list_namespaced_pod(where).items


def test_no_room(ops: Ops, large: Cluster, namespace: NewNamespace) -> None:
    """Many nodes that are each too small beside two that are not: refused with the numbers before anything is made."""
    where = namespace(large)
    with nodes(large, 20, cores=1, gib=2):
        ops.good("create", "-c", "tight", "--type", "kubernetes", "--namespace", where)
        ended = ops.run("deploy", "-c", "tight", "--users", "40000")
    assert ended.code == 1
    assert "the cluster has no room for tight: it asks for 44.66 cores and 177.3 GiB in 16 pods" in ended.error
    assert "22 nodes for pods, with" in ended.error
    assert "there is no room for loadtest" in ended.error
    assert "--force" in ended.error
    assert not large.core.list_namespaced_service(where).items


def test_a_quota(ops: Ops, large: Cluster, namespace: NewNamespace) -> None:
    """The quota's own words come soon, long before the deployment's time is up, and nothing is left half-made."""
    where = namespace(large)
    quota = {"metadata": {"name": "small"}, "spec": {"hard": {"pods": "1"}}}
    large.core.create_namespaced_resource_quota(where, quota)
    ops.good("create", "-c", "held", "--type", "kubernetes", "--namespace", where)
    ended = ops.run("deploy", "-c", "held", "--users", "5000")
    assert ended.code == 1
    assert "exceeded quota: small, requested: pods=1, used: pods=1, limited: pods=1" in ended.error
    large.until(lambda: not large.core.list_namespaced_pod(where).items, "nothing is left of it")


def test_permissions_that_are_missing(ops: Ops, simulated: Cluster, namespace: NewNamespace) -> None:
    """All of them are named at once, and how they are given, before anything is deployed."""
    where = namespace(simulated)
    client.RbacAuthorizationV1Api(simulated.api()).create_namespaced_role_binding(where, VIEWER)
    ops.environment["KUBECONFIG"] = str(simulated.kubeconfig_of("viewer"))
    ended = ops.run("create", "-c", "shy", "--type", "kubernetes", "--namespace", where)
    assert ended.code == 3
    assert f"you lack permissions in the namespace {where}" in ended.error
    assert "create, delete pods; create pods/exec" in ended.error
    assert "get, list, create, patch, delete secrets" in ended.error
    assert "--clusterrole=edit" in ended.error


def test_a_namespace_that_may_not_be_made(ops: Ops, simulated: Cluster) -> None:
    """Who may do nothing is told what was refused."""
    ops.environment["KUBECONFIG"] = str(simulated.kubeconfig_of("stranger"))
    ended = ops.run("create", "-c", "shy", "--type", "kubernetes")
    assert ended.code == 3
    assert 'User "stranger" cannot' in ended.error


@pytest.mark.parametrize(
    ("values", "options", "words"),
    [
        (
            {"mattermost": {"image": {"repository": "registry.invalid/unpullable"}}},
            (),
            "its image registry.invalid/unpullable:11.6.0 cannot be pulled",
        ),
        (
            {"mattermost": {"image": {"repository": "registry.invalid/out-of-memory"}}},
            (),
            "was out of memory: give it more by `resources`",
        ),
        (
            {},
            ("--agent-image", "registry.invalid/unpullable:2"),
            "make image, docker push REF, ltops deploy --agent-image",
        ),
    ],
    ids=["server", "memory", "agents"],
)
def test_what_does_not_come_up(
    ops: Ops, large: Cluster, namespace: NewNamespace, values: dict[str, Any], options: tuple[str, ...], words: str
) -> None:
    """One message with the reason, soon."""
    where = namespace(large)
    (ops.folder / "values.yaml").write_text(yaml.safe_dump(values))
    ops.good("create", "-c", "bad", "--type", "kubernetes", "--namespace", where)
    ended = ops.run("deploy", "-c", "bad", "--users", "5000", "-f", "values.yaml", *options)
    assert (ended.code, words in ended.error) == (1, True), ended.error
    ops.good("delete", "-c", "bad", "--yes")
    assert not large.core.list_namespaced_pod(where).items


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("", "helm"),
        ('#!/bin/sh\n[ "$2" = --client ] || exit 1\necho "Client: v2.17.0+ga690bad"\n', "helm is version v2.17"),
    ],
    ids=["missing", "old"],
)
def test_helm_itself(ops: Ops, simulated: Cluster, script: str, words: str) -> None:
    """Without Helm 3 nothing is begun; the message says where it is to be had."""
    programs = ops.folder / "programs"
    programs.mkdir()
    if script:
        (programs / "helm").write_text(script)
        (programs / "helm").chmod(0o755)
    ops.environment["PATH"] = f"{programs}:/nowhere"
    ended = ops.run("create", "-c", "demo", "--type", "kubernetes")
    assert ended.code == 2
    assert words in ended.error
    assert "https://helm.sh/docs/intro/install/" in ended.error
