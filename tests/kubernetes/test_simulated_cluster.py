"""The cluster of simulated nodes behaves as the tests that use it take for granted."""

from __future__ import annotations

import json
from typing import Any

import pytest
from kubernetes import client, config
from tests.kubernetes.cluster import Cluster
from tests.kubernetes.conftest import NewNamespace
from tests.kubernetes.simulated import end_pods, nodes

pytestmark = pytest.mark.xdist_group("kubernetes")


def pod(image: str = "any", **labels: str) -> dict[str, Any]:
    """Return a pod's template of one container."""
    container = {"name": "main", "image": image, "resources": {"requests": {"cpu": "1", "memory": "1Gi"}}}
    return {"metadata": {"labels": labels}, "spec": {"containers": [container], "restartPolicy": "Never"}}


@pytest.mark.parametrize(
    ("image", "reason", "exit_code"),
    [
        ("registry.invalid/unpullable", "ImagePullBackOff", None),
        ("registry.invalid/crashing", "CrashLoopBackOff", 1),
        ("registry.invalid/out-of-memory", "CrashLoopBackOff", 137),
    ],
)
def test_an_image_tells_what_becomes_of_a_pod(
    simulated: Cluster, namespace: NewNamespace, image: str, reason: str, exit_code: int | None
) -> None:
    """A pod with such a word in its image's name waits, for the reason that a kubelet would give."""
    core, where = simulated.core, namespace(simulated)
    with nodes(simulated, cores=2, gib=4):
        core.create_namespaced_pod(where, pod(image) | {"metadata": {"name": "trial"}})

        def waiting() -> Any:
            statuses = core.read_namespaced_pod("trial", where).status.container_statuses
            return statuses and statuses[0].state.waiting and statuses[0]

        status = simulated.until(waiting, "the container waits")
    assert status.state.waiting.reason == reason
    assert (status.last_state.terminated and status.last_state.terminated.exit_code) == exit_code


def test_a_job_ends_when_its_agents_do(simulated: Cluster, namespace: NewNamespace) -> None:
    """Agents of an Indexed Job run until they are told how to end; one that fails is made anew."""
    core, batch, where = simulated.core, client.BatchV1Api(simulated.api()), namespace(simulated)
    agent = {"app.kubernetes.io/component": "loadtest"}
    job = {
        "metadata": {"name": "run"},
        "spec": {
            "completions": 2,
            "parallelism": 2,
            "completionMode": "Indexed",
            "backoffLimit": 3,
            "template": pod(**agent),
        },
    }

    def running() -> list[str]:
        pods = core.list_namespaced_pod(where, label_selector="job-name=run").items
        return [one.metadata.name for one in pods if one.status.phase == "Running"]

    with nodes(simulated, cores=4, gib=8):
        batch.create_namespaced_job(where, job)
        first = simulated.until(lambda: len(running()) == 2 and running(), "both agents run")
        end_pods(simulated, where, "job-name=run", 1, count=1)
        simulated.until(lambda: len(running()) == 2 and running() != first, "a new one runs")
        end_pods(simulated, where, "job-name=run", count=2)
        simulated.until(lambda: batch.read_namespaced_job("run", where).status.succeeded == 2, "the job is complete")


def test_what_does_not_fit_waits(simulated: Cluster, namespace: NewNamespace) -> None:
    """A pod that asks for more than any node has free is not scheduled, and an event says why."""
    core, where = simulated.core, namespace(simulated)
    with nodes(simulated, cores=0.5, gib=8):
        core.create_namespaced_pod(where, pod() | {"metadata": {"name": "trial"}})

        def refusal() -> str:
            for condition in core.read_namespaced_pod("trial", where).status.conditions or ():
                if condition.reason == "Unschedulable":
                    return str(condition.message)
            return ""

        assert "Insufficient cpu" in simulated.until(refusal, "the pod cannot be scheduled")


def test_a_volume_is_there_as_soon_as_it_is_asked_for(simulated: Cluster, namespace: NewNamespace) -> None:
    """A claim is bound to a volume made for it, which goes with the claim."""
    core, where = simulated.core, namespace(simulated)
    claim = {
        "metadata": {"name": "data"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    }
    core.create_namespaced_persistent_volume_claim(where, claim)
    bound = simulated.until(
        lambda: core.read_namespaced_persistent_volume_claim("data", where).status.phase == "Bound", "it is bound"
    )
    assert bound
    name = core.read_namespaced_persistent_volume_claim("data", where).spec.volume_name
    core.delete_namespaced_persistent_volume_claim("data", where)
    simulated.until(
        lambda: name not in [one.metadata.name for one in core.list_persistent_volume().items], "the volume is gone"
    )


def test_another_user_may_do_nothing(simulated: Cluster) -> None:
    """Until a role is bound to them; the refusal names what they lack."""
    stranger = client.CoreV1Api(config.new_client_from_config(str(simulated.kubeconfig_of("stranger"))))
    with pytest.raises(client.ApiException) as caught:
        stranger.list_namespaced_pod("default")
    assert caught.value.status == 403
    assert 'User "stranger" cannot list resource "pods"' in json.loads(caught.value.body)["message"]
