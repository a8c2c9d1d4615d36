"""A real control plane with nodes that KWOK simulates: on loopback, no privileges, as many nodes as a test wants."""

from __future__ import annotations

import contextlib
import itertools
import socket
import uuid
from collections.abc import Iterator
from pathlib import Path

from kubernetes import client
from tests.kubernetes.certificates import ADMINISTRATORS
from tests.kubernetes.cluster import Cluster, Place, start
from tests.kubernetes.keeping import Processes
from tests.kubernetes.programs import Programs

SIMULATION = Path(__file__).with_name("simulation.yaml")
MARK = "kwok.x-k8s.io/node"
VOLUMES = {
    "metadata": {"name": "simulated", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
    "provisioner": "simulated/volume",
    "reclaimPolicy": "Retain",
    "volumeBindingMode": "Immediate",
}
"""The class of volumes that `simulation.yaml` makes."""


@contextlib.contextmanager
def simulated_cluster(folder: Path, programs: Programs) -> Iterator[Cluster]:
    """Give a cluster without nodes; `nodes` adds some."""
    *ports, kubelets = _free_ports(6)
    processes = Processes(folder)
    try:
        cluster = start(programs, Place("127.0.0.1", ports), processes)
        certificate, key = cluster.authority.serving("kwok", ["127.0.0.1"])
        simulation = folder / "simulation.yaml"
        simulation.write_text(SIMULATION.read_text().replace("FOLDER", str(folder)))
        (folder / "output.txt").write_text("2026-01-01T00:00:00.000000000Z stdout F loadtest 0.1.0\n")
        processes.run(
            "kwok",
            programs["kwok"],
            f"--kubeconfig={cluster.authority.kubeconfig(cluster.server, 'simulation', ADMINISTRATORS)}",
            f"--config={simulation}",
            f"--manage-nodes-with-annotation-selector={MARK}=fake",
            "--node-ip=127.0.0.1",
            f"--node-port={kubelets}",
            f"--server-address=127.0.0.1:{kubelets}",
            f"--tls-cert-file={certificate}",
            f"--tls-private-key-file={key}",
            "--node-lease-duration-seconds=40",
            "--cidr=10.99.0.0/16",
        )
        client.StorageV1Api(cluster.api()).create_storage_class(VOLUMES)
        yield cluster
    finally:
        processes.kill()


@contextlib.contextmanager
def nodes(cluster: Cluster, count: int = 1, *, cores: float, gib: float) -> Iterator[list[str]]:
    """Add simulated nodes of a size to the cluster, wait until they are ready, and remove them afterwards.

    Gives their names, which are new each time: KWOK may miss that a node went and came back under the same one.
    """
    core = cluster.core
    size = {"cpu": f"{int(cores * 1000)}m", "memory": f"{int(gib * 1024)}Mi", "pods": "110"}
    names = [f"node-{uuid.uuid4().hex[:6]}" for _ in range(count)]
    try:
        for name in names:
            labels = {"kubernetes.io/hostname": name, "kubernetes.io/os": "linux"}
            metadata = {"name": name, "annotations": {MARK: "fake"}, "labels": labels}
            core.create_node({"metadata": metadata, "status": {"capacity": size, "allocatable": size}})
        for name in names:
            cluster.until(lambda name=name: is_ready(core.read_node(name)), f"the simulated node {name} is ready")
        yield names
    finally:
        for name in names:
            with contextlib.suppress(client.ApiException):  # the test may have removed it
                core.delete_node(name)


def end_pods(cluster: Cluster, namespace: str, selector: str, exit_code: int = 0, *, count: int) -> None:
    """End as many running pods of agents with an exit code, and wait until they have; KWOK may miss being told once."""
    core = cluster.core
    running = [one for one in core.list_namespaced_pod(namespace, label_selector=selector).items if _runs(one)]
    names = [one.metadata.name for one in running[:count]]
    told = itertools.count()

    def ended() -> bool:
        left = [name for name in names if _runs(core.read_namespaced_pod(name, namespace))]
        annotations = {"simulated/exit-code": str(exit_code), "simulated/told": str(next(told))}
        for name in left:
            core.patch_namespaced_pod(name, namespace, {"metadata": {"annotations": annotations}})
        return not left

    cluster.until(ended, f"{names} end")


def _runs(pod: client.V1Pod) -> bool:
    return bool(pod.status.phase == "Running")


def is_ready(node: client.V1Node) -> bool:
    """Say whether pods can run on a node."""
    told = any(condition.type == "Ready" and condition.status == "True" for condition in node.status.conditions or ())
    return told and not node.spec.taints


def _free_ports(count: int) -> list[int]:
    """Return TCP ports of this machine that nothing listens on, each another one."""
    with contextlib.ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [int(one.getsockname()[1]) for one in sockets]
