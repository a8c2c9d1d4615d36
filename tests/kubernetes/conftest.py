"""Real Kubernetes clusters for tests, each started once in a session, at the first test that wants it.

`simulated`
    a control plane whose nodes and pods KWOK simulates (`simulation.yaml` says how pods behave), on loopback without
    privileges. It has no node until a test adds some: ``with nodes(simulated, 2, cores=4, gib=8): …``.

`real_node`
    a control plane with one real node: containerd, kubelet, kube-proxy, CoreDNS, in namespaces of their own (root, and
    Debian's packages that `node.PACKAGES` names). It has every image of the chart but Grafana's, under the names that
    the chart asks for (`stand_ins.py`). From outside, only its API server can be reached.

Each is a `Cluster`: `kubeconfig` and `kubeconfig_of(user)` for whom to be, `environment` for `ltops` and Helm as
programs, `core` and `api()` to look at it with the official client, `until` to wait. Tests share them: each uses a
namespace of its own (`namespace` makes one) and leaves no other trace. Mark modules that use one with
``pytest.mark.xdist_group("kubernetes")``, so that they share a worker and with it the cluster.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from kubernetes import client
from tests.kubernetes import stand_ins
from tests.kubernetes.cluster import Cluster
from tests.kubernetes.dockerfile import build
from tests.kubernetes.keeping import kept_folder
from tests.kubernetes.node import missing, node_cluster
from tests.kubernetes.programs import Programs, ProgramsMissingError, find
from tests.kubernetes.simulated import simulated_cluster

ROOT = Path(__file__).parents[2]

NewNamespace = Callable[[Cluster], str]
"""Makes a namespace in a cluster and returns its name."""


def lacking(reason: str) -> None:
    """Skip a test for want of something; on CI that is a failure."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"CI must have it: {reason}")
    pytest.skip(reason)


@pytest.fixture(scope="session")
def kubernetes_programs() -> Programs:
    """Give the programs of a cluster, built before."""
    try:
        return find()
    except ProgramsMissingError as error:
        lacking(str(error))
        raise


@pytest.fixture(scope="session")
def simulated(kubernetes_programs: Programs) -> Iterator[Cluster]:
    """Give a cluster whose nodes are simulated; it has none yet."""
    with kept_folder() as folder, simulated_cluster(folder, kubernetes_programs) as cluster:
        yield cluster


@pytest.fixture(scope="session")
def real_node(kubernetes_programs: Programs, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Give a cluster of one real node, which has the chart's images (`stand_ins.py`)."""
    if reason := missing():
        lacking(reason)
    with kept_folder() as folder:
        agent = build(copy_of_what_an_image_is_made_of(folder / "context"), folder / "image")
        with node_cluster(folder, kubernetes_programs, stand_ins.images(agent), agent.binds) as cluster:
            yield cluster


def copy_of_what_an_image_is_made_of(folder: Path) -> Path:
    """Put the Dockerfile, the lock file and our wheel, made for this, into a folder, and return it."""
    (folder / "dist").mkdir(parents=True)
    for name in ("Dockerfile", "requirements.lock"):
        shutil.copy(ROOT / name, folder)
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder / "dist"), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True)
    return folder


@pytest.fixture
def namespace() -> Iterator[NewNamespace]:
    """Give what makes namespaces, which are gone when the test ends (their deletion is not waited for)."""
    made: list[tuple[client.CoreV1Api, str]] = []

    def make(cluster: Cluster) -> str:
        name = f"test-{uuid.uuid4().hex[:8]}"
        core = cluster.core
        core.create_namespace({"metadata": {"name": name}})
        made.append((core, name))
        cluster.until(
            lambda: core.read_namespaced_service_account("default", name), f"the namespace {name} can be used"
        )
        return name

    yield make
    for core, name in made:
        with contextlib.suppress(client.ApiException):  # the test may have removed it
            core.delete_namespace(name)
