"""A real cluster of one real node: containerd, kubelet, kube-proxy and CoreDNS beside the control plane."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import yaml
from tests.kubernetes import namespaces
from tests.kubernetes.certificates import ADMINISTRATORS
from tests.kubernetes.cluster import PODS, Cluster, Place, start
from tests.kubernetes.images import Image, write
from tests.kubernetes.keeping import Processes
from tests.kubernetes.namespaces import ADDRESS
from tests.kubernetes.programs import Programs
from tests.kubernetes.simulated import is_ready

NAME = "node"
PORTS = (6443, 2379, 2380, 10257, 10259)
DOMAIN = "cluster.local"
PAUSE = "registry.invalid/pause:1"
CONTAINERD = "/run/containerd/containerd.sock"
PACKAGES = {
    "containerd": "containerd",
    "runc": "runc",
    "iptables": "iptables",
    "conntrack": "conntrack",
    "ebtables": "ebtables",
    "ethtool": "ethtool",
    "socat": "socat",
    "ip": "iproute2",
    "kmod": "kmod",
    "/usr/lib/cni/ptp": "containernetworking-plugins",
}
"""Debian's packages that a node wants, by a program of each."""

PATH = f"{os.environ['PATH']}:/usr/sbin:/sbin"


def missing() -> str:
    """Say what this machine lacks for a node and how to get it; empty if it lacks nothing."""
    lacking = sorted({package for program, package in PACKAGES.items() if shutil.which(program, path=PATH) is None})
    if lacking:
        return f"a real node of Kubernetes wants: sudo apt-get install {' '.join(lacking)}"
    refusal = namespaces.refused()
    return f"a real node of Kubernetes wants namespaces: sudo make test ({refusal})" if refusal else ""


@contextlib.contextmanager
def node_cluster(
    folder: Path, programs: Programs, images: Sequence[Image], binds: Mapping[str, str]
) -> Iterator[Cluster]:
    """Give a cluster of one node that has some images.

    `binds` are files and folders of this machine, by where all containers find them, read-only.
    """
    outside = Processes(folder)
    inside = Processes(folder)
    try:
        inside.enter = namespaces.make(outside, programs["pause"])
        place = Place(ADDRESS, PORTS, namespaces.publish(outside, inside, PORTS[0]))
        cluster = start(programs, place, inside)
        _start_runtime(cluster, images, binds)
        _start_kubelet(cluster)
        _start_proxy(cluster)
        _start_names(cluster)
        nodes = cluster.core
        cluster.until(lambda: is_ready(nodes.read_node(NAME)), "the node is ready")
        yield cluster
    finally:
        outside.kill()
        inside.kill()  # they have ended with their namespaces


def _start_runtime(cluster: Cluster, images: Sequence[Image], binds: Mapping[str, str]) -> None:
    """Start containerd and import the images."""
    folder, processes = cluster.folder, cluster.processes
    networks = folder / "networks"
    networks.mkdir()
    (networks / "pods.conflist").write_text(json.dumps(NETWORK))
    base = json.loads(subprocess.check_output(["ctr", "oci", "spec"]))
    base["mounts"] += [
        {"destination": where, "source": source, "type": "bind", "options": ["rbind", "ro"]}
        for where, source in binds.items()
    ]
    (folder / "base.json").write_text(json.dumps(base))
    configuration = folder / "containerd.toml"
    configuration.write_text(CONTAINERD_CONFIGURATION.format(folder=folder, socket=CONTAINERD, pause=PAUSE))
    processes.run("containerd", "containerd", f"--config={configuration}")

    archive = folder / "images.tar"
    pause = Image(PAUSE, entrypoint=["/pause"], files={"pause": Path(cluster.programs["pause"]).read_bytes()})
    write([pause, *images], archive)
    client = [*processes.enter, "ctr", f"--address={CONTAINERD}", "--namespace=k8s.io"]
    cluster.until(lambda: subprocess.run([*client, "version"], capture_output=True).returncode == 0, "containerd runs")
    subprocess.run([*client, "images", "import", str(archive)], check=True, capture_output=True)


NETWORK = {
    "cniVersion": "0.4.0",
    "name": "pods",
    "plugins": [
        {  # each pod's packets go through the node: a bridge would need a kernel module for services
            "type": "ptp",
            "ipam": {"type": "host-local", "subnet": "10.244.0.0/24", "routes": [{"dst": "0.0.0.0/0"}]},
        },
        {"type": "portmap", "capabilities": {"portMappings": True}},
    ],
}
CONTAINERD_CONFIGURATION = """
version = 2
root = "{folder}/containerd"
state = "/run/containerd"
disabled_plugins = ["io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs",
    "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs", "io.containerd.internal.v1.opt"]
[grpc]
  address = "{socket}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{pause}"
  restrict_oom_score_adj = true # not every root may make a process safer from being killed
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "{folder}/networks"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    base_runtime_spec = "{folder}/base.json"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
      SystemdCgroup = false
"""


def _start_kubelet(cluster: Cluster) -> None:
    """Start the kubelet, whose control groups are below one of the folder's name."""
    authority, folder = cluster.authority, cluster.folder
    namespaces.make_control_groups(folder.name)
    certificate, key = authority.serving("kubelet", [ADDRESS, NAME])
    configuration = folder / "kubelet.yaml"
    configuration.write_text(
        yaml.safe_dump(
            {
                "apiVersion": "kubelet.config.k8s.io/v1beta1",
                "kind": "KubeletConfiguration",
                "address": ADDRESS,
                "authentication": {
                    "anonymous": {"enabled": False},
                    "webhook": {"enabled": True},
                    "x509": {"clientCAFile": str(authority.file)},
                },
                "authorization": {"mode": "Webhook"},
                "tlsCertFile": str(certificate),
                "tlsPrivateKeyFile": str(key),
                "containerRuntimeEndpoint": f"unix://{CONTAINERD}",
                "cgroupDriver": "cgroupfs",
                "cgroupRoot": f"/{folder.name}",
                "failCgroupV1": False,
                "failSwapOn": False,
                "enforceNodeAllocatable": [],
                "resolvConf": "",
                "clusterDNS": [ADDRESS],
                "clusterDomain": DOMAIN,
                "evictionHard": dict.fromkeys(("memory.available", "nodefs.available", "imagefs.available"), "1%"),
                "imageGCHighThresholdPercent": 100,  # images that were imported cannot be pulled again
            }
        )
    )
    cluster.component(
        "kubelet",
        f"--config={configuration}",
        f"--kubeconfig={authority.kubeconfig(cluster.server, f'system:node:{NAME}', 'system:nodes')}",
        f"--root-dir={folder / 'kubelet'}",
        f"--hostname-override={NAME}",
        f"--node-ip={ADDRESS}",
    )


def _start_proxy(cluster: Cluster) -> None:
    """Start kube-proxy; it leaves the kernel's tracking of connections as it is."""
    cluster.component(
        "kube-proxy",
        f"--kubeconfig={cluster.authority.kubeconfig(cluster.server, 'system:kube-proxy')}",
        f"--hostname-override={NAME}",
        "--proxy-mode=iptables",
        f"--cluster-cidr={PODS}",
        "--conntrack-max-per-core=0",
        "--conntrack-tcp-timeout-established=0",
        "--conntrack-tcp-timeout-close-wait=0",
    )


def _start_names(cluster: Cluster) -> None:
    """Start CoreDNS, which knows services and the pods behind headless ones."""
    user = cluster.authority.kubeconfig(cluster.server, "coredns", ADMINISTRATORS)
    configuration = cluster.folder / "Corefile"
    configuration.write_text(
        f".:53 {{\n  errors\n  cache 1\n  kubernetes {DOMAIN} {{\n    kubeconfig {user}\n  }}\n}}\n"
    )
    cluster.processes.run("coredns", cluster.programs["coredns"], "-conf", str(configuration))
