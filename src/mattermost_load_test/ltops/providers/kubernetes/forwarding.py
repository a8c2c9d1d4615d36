"""Ways from a port of this machine to a port of a pod, through the cluster's API."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from mattermost_load_test.errors import ClusterError, LoadTestError, OperationError
from mattermost_load_test.ltops.loopback import READ_BYTES, listening
from mattermost_load_test.ltops.providers.kubernetes.api import Api
from mattermost_load_test.ltops.providers.kubernetes.streams import connect_to_port

Goal = Callable[[], tuple[str, int]]
"""Finds the pod that a way leads to just now, and its port."""


@contextmanager
def forwarded(api: Api, goal: Goal, local_port: int, told: Callable[[str], None]) -> Iterator[str]:
    """Listen on loopback and carry what comes to a pod's port; a `local_port` of 0 is a free one.

    Gives where it listens; what goes wrong with a connection is `told`. Raises what `goal` raises, `PortInUseError`.
    """
    goal()
    with listening(local_port, lambda near: _carry(api, goal, told, near)) as here:
        yield here


def _carry(api: Api, goal: Goal, told: Callable[[str], None], near: socket.socket) -> None:
    """Carry one connection both ways until one end is done."""
    try:
        pod, number = goal()
        far = connect_to_port(api, pod, number).socket(number)
    except LoadTestError as error:
        told(str(error))
        return
    back = threading.Thread(target=_copy, args=(far, near), daemon=True)
    back.start()
    _copy(near, far)
    back.join()
    far.close()


def _copy(source: Any, target: Any) -> None:
    """Copy one way until that is done, then end both."""
    with suppress(OSError):
        while data := source.recv(READ_BYTES):
            target.sendall(data)
    for end in (source, target):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


def pod_of(api: Api, service: str, port: int) -> tuple[str, int]:
    """Return a pod of a service that is ready, and its port behind the service's.

    Raises `ClusterError` where there is no such service, `OperationError` where no pod of it is ready.
    """
    found = api.get(api.namespaced("services", service))
    if found is None:
        raise ClusterError(f"there is no service {service} in the namespace {api.namespace}")
    labels = ",".join(f"{name}={value}" for name, value in found["spec"].get("selector", {}).items())
    pods = api.items(api.namespaced("pods"), labelSelector=labels)
    ready = [pod for pod in pods if _is_ready(pod) and "deletionTimestamp" not in pod["metadata"]]
    if not ready:
        raise OperationError(f"no pod of the service {service} is ready: `ltops status` says why")
    target = next((one.get("targetPort", port) for one in found["spec"]["ports"] if one["port"] == port), port)
    return ready[0]["metadata"]["name"], _number(ready[0], target)


def _is_ready(pod: dict[str, Any]) -> bool:
    conditions = pod.get("status", {}).get("conditions", ())
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


def _number(pod: dict[str, Any], port: int | str) -> int:
    """Return the number of a port that a pod may know by name."""
    if isinstance(port, int):
        return port
    for container in pod["spec"]["containers"]:
        for one in container.get("ports", ()):
            if one.get("name") == port:
                return int(one["containerPort"])
    raise OperationError(f"the pod {pod['metadata']['name']} has no port {port}")
