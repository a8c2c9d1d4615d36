"""A real Kubernetes cluster for tests: etcd, API server, controller manager and scheduler, without a container engine.

It runs on this machine's loopback, for nodes that KWOK simulates, or in namespaces of its own, for a real node. Ready
after some four seconds; pods can be made after some ten, when the first service account is there.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kubernetes import client, config
from tests.kubernetes.certificates import ADMINISTRATORS, Authority
from tests.kubernetes.keeping import START_TIMEOUT_S, Processes
from tests.kubernetes.programs import Programs

SERVICES = "10.96.0.0/16"
PODS = "10.244.0.0/16"
API_SERVICE = "10.96.0.1"
"""The address of the service `kubernetes`: the first of `SERVICES`."""


@dataclass(frozen=True)
class Place:
    """Where a cluster listens: an address, and ports of the API server, etcd (two), the controllers and the scheduler.

    `reached_at` is the API server's address and port for the tests, where that is another one.
    """

    address: str
    ports: Sequence[int]
    reached_at: str = ""


@dataclass(frozen=True)
class Cluster:
    """A cluster that runs; `kubeconfig` is the administrator's."""

    programs: Programs
    place: Place
    processes: Processes
    authority: Authority

    @property
    def folder(self) -> Path:
        """The folder of all that is the cluster's."""
        return self.processes.folder

    @property
    def server(self) -> str:
        """The API server's URL for the cluster's own programs."""
        return f"https://{self.place.address}:{self.place.ports[0]}"

    @property
    def reached_at(self) -> str:
        """The API server's URL for the tests."""
        return f"https://{self.place.reached_at}" if self.place.reached_at else self.server

    @property
    def kubeconfig(self) -> Path:
        """The kubeconfig file of the administrator."""
        return self.authority.folder / "admin.kubeconfig"

    @property
    def environment(self) -> dict[str, str]:
        """What a program that works with the cluster finds in its environment: who it is, and Helm."""
        return {
            "KUBECONFIG": str(self.kubeconfig),
            "PATH": f"{self.programs.folder}:{os.environ['PATH']}",
            **{f"HELM_{name}_HOME": str(self.folder / f"helm-{name.lower()}") for name in ("CACHE", "CONFIG", "DATA")},
        }

    def kubeconfig_of(self, user: str, *, group: str = "", namespace: str = "default") -> Path:
        """Write a kubeconfig file for another user, who may do nothing before a role is bound to them."""
        return self.authority.kubeconfig(self.reached_at, user, group, namespace=namespace)

    def api(self) -> client.ApiClient:
        """Return a client of the administrator."""
        return config.new_client_from_config(str(self.kubeconfig))

    @property
    def core(self) -> client.CoreV1Api:
        """The client's calls for pods, services and the like."""
        return client.CoreV1Api(self.api())

    def until(self, condition: Callable[[], Any], what: str, timeout_s: float = START_TIMEOUT_S) -> Any:
        """Wait until something holds, and return it; the API server's errors do not count."""
        return self.processes.until(condition, what, timeout_s)

    def component(self, name: str, *flags: str) -> None:
        """Start a component of Kubernetes."""
        self.processes.run(name, self.programs["kubernetes"], name, *flags)


def start(programs: Programs, place: Place, processes: Processes) -> Cluster:
    """Start the control plane and wait until pods can be made; it has no node yet. To end it, end the processes."""
    cluster = Cluster(programs, place, processes, Authority(processes.folder / "pki"))
    cluster.kubeconfig_of("admin", group=ADMINISTRATORS)
    core = cluster.core
    _start_etcd(cluster)
    _start_api_server(cluster)
    cluster.until(lambda: core.read_namespace("kube-system"), "the API server answers")
    _start_controllers(cluster)
    cluster.until(
        lambda: core.read_namespaced_service_account("default", "default"), "the default service account is there"
    )
    return cluster


def _start_etcd(cluster: Cluster) -> None:
    """Start the store; it does not wait for the disk, since nothing of it is kept."""
    _, clients, peers, *_ = cluster.place.ports
    data = cluster.folder / "etcd"
    data.mkdir(mode=0o700)
    here, there = f"http://127.0.0.1:{clients}", f"http://127.0.0.1:{peers}"
    cluster.component(
        "etcd",
        f"--data-dir={data}",
        "--unsafe-no-fsync",
        f"--listen-client-urls={here}",
        f"--advertise-client-urls={here}",
        f"--listen-peer-urls={there}",
        f"--initial-advertise-peer-urls={there}",
        f"--initial-cluster=default={there}",
        "--log-level=warn",
    )


def _start_api_server(cluster: Cluster) -> None:
    """Start the API server, which knows users by their certificates."""
    authority, place = cluster.authority, cluster.place
    names = [place.address, "127.0.0.1", API_SERVICE, "localhost", "kubernetes", "kubernetes.default.svc"]
    certificate, key = authority.serving("kube-apiserver", names)
    tokens, tokens_public = authority.key("service-accounts")
    kubelet_certificate, kubelet_key = authority.client("kube-apiserver-kubelet-client", ADMINISTRATORS)
    cluster.component(
        "kube-apiserver",
        f"--etcd-servers=http://127.0.0.1:{place.ports[1]}",
        f"--bind-address={place.address}",
        f"--advertise-address={place.address}",
        f"--secure-port={place.ports[0]}",
        "--endpoint-reconciler-type=none",
        f"--tls-cert-file={certificate}",
        f"--tls-private-key-file={key}",
        f"--client-ca-file={authority.file}",
        f"--service-account-key-file={tokens_public}",
        f"--service-account-signing-key-file={tokens}",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-cluster-ip-range={SERVICES}",
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
        "--allow-privileged",
        f"--kubelet-client-certificate={kubelet_certificate}",
        f"--kubelet-client-key={kubelet_key}",
        f"--kubelet-certificate-authority={authority.file}",
        "--kubelet-preferred-address-types=InternalIP,Hostname",
    )


def _start_controllers(cluster: Cluster) -> None:
    """Start the controller manager and the scheduler."""
    authority, server, ports = cluster.authority, cluster.server, cluster.place.ports
    cluster.component(
        "kube-controller-manager",
        f"--kubeconfig={authority.kubeconfig(server, 'system:kube-controller-manager')}",
        "--bind-address=127.0.0.1",
        f"--secure-port={ports[3]}",
        f"--cert-dir={authority.folder}",
        "--leader-elect=false",
        "--use-service-account-credentials",
        f"--service-account-private-key-file={authority.folder / 'service-accounts.key'}",
        f"--root-ca-file={authority.file}",
        "--allocate-node-cidrs",
        f"--cluster-cidr={PODS}",
        f"--service-cluster-ip-range={SERVICES}",
    )
    cluster.component(
        "kube-scheduler",
        f"--kubeconfig={authority.kubeconfig(server, 'system:kube-scheduler')}",
        "--bind-address=127.0.0.1",
        f"--secure-port={ports[4]}",
        f"--cert-dir={authority.folder}",
        "--leader-elect=false",
    )
