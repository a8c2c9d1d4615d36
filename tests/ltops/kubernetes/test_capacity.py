"""Requests added up against what nodes have free."""

from __future__ import annotations

from typing import Any

import pytest

from mattermost_load_test.ltops.providers.kubernetes.capacity import GIB, Need, Size, amount, room_on, shortage


@pytest.mark.parametrize(
    ("quantity", "number"), [("500m", 0.5), ("2", 2), (3, 3), ("4Gi", 4 * GIB), ("128M", 128e6), ("1e3", 1000)]
)
def test_quantities(quantity: str, number: float) -> None:
    """As Kubernetes writes them."""
    assert amount(quantity) == pytest.approx(number)


def node(name: str, cores: str, memory: str, **spec: Any) -> dict[str, Any]:
    """Return a node that is ready."""
    status = {"allocatable": {"cpu": cores, "memory": memory}, "conditions": [{"type": "Ready", "status": "True"}]}
    return {"metadata": {"name": name}, "spec": spec, "status": status}


def pod(where: str, cores: str, **labels: str) -> dict[str, Any]:
    """Return a pod on a node."""
    container = {"resources": {"requests": {"cpu": cores, "memory": "1Gi"}}}
    return {
        "metadata": {"labels": {f"app.kubernetes.io/{name}": value for name, value in labels.items()}},
        "spec": {"nodeName": where, "containers": [container]},
        "status": {"phase": "Running"},
    }


def test_room_is_what_others_leave() -> None:
    """Our own release's pods do not count, nor do nodes that take no pods."""
    tainted = node("c", "64", "64Gi", taints=[{"effect": "NoSchedule"}])
    nodes = [node("a", "4", "8Gi"), node("b", "2", "4Gi", unschedulable=True), tainted]
    pods = [pod("a", "1500m"), pod("a", "2", instance="demo"), pod("b", "1")]
    assert room_on(nodes, pods, without="demo") == [Size(2.5, 7 * GIB)]


def test_what_fits() -> None:
    """Pods are placed one by one: a sum that fits is not enough."""
    small, large = Need("proxy", Size(1, GIB)), Need("db", Size(3, 4 * GIB))
    assert shortage([large, small, small], [Size(2, 2 * GIB), Size(3, 4 * GIB)]) is None
    words = shortage([large, large, small], [Size(4, 8 * GIB), Size(2, 8 * GIB)])
    assert words is not None
    assert "7 cores and 9 GiB in 3 pods" in words
    assert "db 2 × (3 cores and 4 GiB)" in words
    assert "6 cores and 16 GiB free" in words
    assert "no room for db" in words
