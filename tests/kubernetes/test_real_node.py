"""The cluster of one real node runs the chart's images, and its pods find one another."""

from __future__ import annotations

from typing import Any

import pytest
from tests.kubernetes.cluster import Cluster
from tests.kubernetes.conftest import NewNamespace
from tests.kubernetes.stand_ins import PLAIN_IMAGE

pytestmark = [pytest.mark.xdist_group("kubernetes"), pytest.mark.timeout(240)]


def outcome(cluster: Cluster, where: str, name: str) -> Any:
    """Wait until a pod has ended; return how its container did, and what it printed."""
    core = cluster.core

    def ended() -> Any:
        pod = core.read_namespaced_pod(name, where)
        return pod.status.phase in ("Succeeded", "Failed") and pod.status.container_statuses[0].state.terminated

    state = cluster.until(ended, f"{name} ends")
    printed = core.read_namespaced_pod_log(name, where, _preload_content=False).data  # else the client spoils it
    return state.exit_code, printed.decode()


def pod(name: str, image: str, *command: str, **spec: Any) -> dict[str, Any]:
    """Return a pod of one container that runs a command."""
    container = {"name": "main", "image": image, "command": list(command)}
    return {"metadata": {"name": name}, "spec": {"containers": [container], "restartPolicy": "Never"} | spec}


def test_agents_run_as_the_dockerfile_says(real_node: Cluster, namespace: NewNamespace) -> None:
    """By its user, in its folder, from a file system that only root may write: `loadtest` of the wheel."""
    where, image = namespace(real_node), stand_in(real_node, "mattermost-load-test")
    real_node.core.create_namespaced_pod(where, pod("agent", image, "sh", "-c", "id -u; pwd; loadtest --version"))
    assert outcome(real_node, where, "agent") == (0, "10001\n/work\nloadtest 0.1.0\n")


def test_pods_find_services_by_name(real_node: Cluster, namespace: NewNamespace) -> None:
    """Over kube-proxy and CoreDNS, from one pod to the other's port."""
    core, where = real_node.core, namespace(real_node)
    serving = pod("server", PLAIN_IMAGE, "python3", "-m", "http.server", "8000")
    serving["metadata"]["labels"] = {"part": "server"}
    core.create_namespaced_pod(where, serving)
    port = {"port": 80, "targetPort": 8000}
    core.create_namespaced_service(
        where, {"metadata": {"name": "web"}, "spec": {"selector": {"part": "server"}, "ports": [port]}}
    )
    asking = f"until wget -q -O - -T 2 http://web.{where}.svc/etc/group; do sleep 0.2; done"
    core.create_namespaced_pod(where, pod("client", PLAIN_IMAGE, "sh", "-c", asking, activeDeadlineSeconds=60))
    code, printed = outcome(real_node, where, "client")
    assert code == 0
    assert printed.startswith("root:x:0:")


def stand_in(cluster: Cluster, word: str) -> str:
    """Return the name of the node's image that has a word in it."""
    (node,) = cluster.core.list_node().items
    (name,) = [name for image in node.status.images for name in image.names if word in name and "@" not in name]
    return str(name)
