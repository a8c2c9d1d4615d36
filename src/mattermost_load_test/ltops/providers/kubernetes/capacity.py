"""Whether what is to be deployed fits on the nodes: requests added up against what is free; pure.

Quantities are Kubernetes' own: cores (``500m``, ``2``) and bytes (``4Gi``, ``128M``), by its reference of resource
units.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mattermost_load_test.counts import counted

Object = Mapping[str, Any]

GIB = 1 << 30
_FACTORS = {
    "": 1.0, "m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15,
    "Ki": 2.0**10, "Mi": 2.0**20, "Gi": 2.0**30, "Ti": 2.0**40, "Pi": 2.0**50,
}  # fmt: skip
_QUANTITY = re.compile(r"([0-9.]+(?:[eE][+-]?[0-9]+)?)([A-Za-z]*)")
_KEEPS_AWAY = ("NoSchedule", "NoExecute")


@dataclass(frozen=True, slots=True)
class Size:
    """Cores and bytes of memory."""

    cores: float = 0.0
    memory_bytes: float = 0.0

    def __add__(self, other: Size) -> Size:
        return Size(self.cores + other.cores, self.memory_bytes + other.memory_bytes)

    def __sub__(self, other: Size) -> Size:
        return Size(self.cores - other.cores, self.memory_bytes - other.memory_bytes)

    def __str__(self) -> str:
        return f"{self.cores:,.4g} cores and {self.memory_bytes / GIB:,.4g} GiB"

    def fits(self, room: Size) -> bool:
        """Say whether there is room for it."""
        return self.cores <= room.cores + 1e-9 and self.memory_bytes <= room.memory_bytes

    @classmethod
    def of(cls, quantities: Mapping[str, Any]) -> Size:
        """Return the size that quantities by resource's name make: ``{"cpu": "2", "memory": "4Gi"}``."""
        return cls(amount(quantities.get("cpu", 0)), amount(quantities.get("memory", 0)))


@dataclass(frozen=True, slots=True)
class Need:
    """A pod that is to run somewhere: what it is of, and its requests."""

    part: str
    size: Size


def amount(quantity: str | float) -> float:
    """Return a quantity as a number; raises `ValueError` for what is none."""
    found = _QUANTITY.fullmatch(str(quantity))
    if found is None or found[2] not in _FACTORS:
        raise ValueError(f"{quantity} is no quantity")
    return float(found[1]) * _FACTORS[found[2]]


def requests_of(pod_spec: Object) -> Size:
    """Return what a pod asks for: its containers together, or its greediest init container."""
    together = Size()
    for container in pod_spec.get("containers", ()):
        together += Size.of((container.get("resources") or {}).get("requests") or {})
    for container in pod_spec.get("initContainers", ()):
        alone = Size.of((container.get("resources") or {}).get("requests") or {})
        together = Size(max(together.cores, alone.cores), max(together.memory_bytes, alone.memory_bytes))
    return together


def needs_of(documents: Iterable[Object]) -> list[Need]:
    """Return the pods that a chart's objects make."""
    found = []
    for one in documents:
        if one.get("kind") in ("Deployment", "StatefulSet"):
            part = one["spec"]["template"]["metadata"]["labels"]["app.kubernetes.io/component"]
            found += [Need(str(part), requests_of(one["spec"]["template"]["spec"]))] * one["spec"].get("replicas", 1)
    return found


def room_on(nodes: Iterable[Object], pods: Iterable[Object], without: str) -> list[Size]:
    """Return what is free on each node that takes pods; those of the release `without` do not count."""
    taken: dict[str, Size] = {}
    for pod in pods:
        ours = pod["metadata"].get("labels", {}).get("app.kubernetes.io/instance") == without
        node = pod["spec"].get("nodeName")
        if node and not ours and pod.get("status", {}).get("phase") not in ("Succeeded", "Failed"):
            taken[node] = taken.get(node, Size()) + requests_of(pod["spec"])
    return [
        Size.of(node["status"].get("allocatable", {})) - taken.get(node["metadata"]["name"], Size())
        for node in nodes
        if _takes_pods(node)
    ]


def _takes_pods(node: Object) -> bool:
    spec = node.get("spec", {})
    kept_away = any(taint.get("effect") in _KEEPS_AWAY for taint in spec.get("taints", ()))
    return is_ready(node) and not kept_away and not spec.get("unschedulable")


def is_ready(node: Object) -> bool:
    """Say whether a node says of itself that it is ready."""
    return any(one["type"] == "Ready" and one["status"] == "True" for one in node["status"].get("conditions", ()))


def shortage(needs: Sequence[Need], room: Sequence[Size]) -> str | None:
    """Return why pods do not fit, with the numbers, None if they do; the largest are placed first."""
    left = list(room)
    wanted, free = sum((need.size for need in needs), Size()), sum(room, Size())
    for need in sorted(needs, key=lambda need: (need.size.memory_bytes, need.size.cores), reverse=True):
        place = next((index for index, there in enumerate(left) if need.size.fits(there)), None)
        if place is None:
            return (
                f"it asks for {wanted} in {counted(len(needs), 'pod')} ({_parts(needs)}), and "
                f"{counted(len(room), 'node')} for pods, with {free} free together: "
                f"there is no room for {need.part}, {need.size}"
            )
        left[place] -= need.size
    return None


def _parts(needs: Sequence[Need]) -> str:
    """Return the pods by part, as in ``app 2 × (2 cores and 4 GiB)``."""
    counts: dict[Need, int] = {}
    for need in needs:
        counts[need] = counts.get(need, 0) + 1
    return ", ".join(f"{need.part} {count} × ({need.size})" for need, count in counts.items())
