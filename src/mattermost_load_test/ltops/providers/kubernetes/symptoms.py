"""Why a pod is not well, in one line, from what the API tells of it; pure.

`hopeless` are states that do not pass by themselves: an image that cannot be pulled, a quota, a configuration that does
not exist.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Object = Mapping[str, Any]

WORDS_MAX = 300
CRASHES_MAX = 3
"""A container that ended badly more often than this is not waited for."""

_PULL = ("ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "ImageInspectError")
_CONFIGURATION = ("CreateContainerConfigError", "CreateContainerError", "RunContainerError")
_OUT_OF_MEMORY = 137


@dataclass(frozen=True, slots=True)
class Symptom:
    """What is wrong with a pod; `image` is the one that cannot be pulled, empty otherwise.

    `from_cloud` says that it waits for what some clusters add by themselves, a node or a load balancer.
    """

    text: str
    hopeless: bool = False
    image: str = ""
    from_cloud: bool = False


def symptom(pod: Object) -> Symptom | None:
    """Return what is wrong with a pod, None if nothing is: one that starts, or has ended well, is well."""
    status = pod.get("status", {})
    if status.get("phase") == "Succeeded":
        return None
    if disrupted := _disrupted(status):
        return Symptom(disrupted)
    if unschedulable := _unschedulable(status):
        return Symptom(f"no node takes it: {shortened(unschedulable)}", from_cloud=True)
    for container in [*status.get("initContainerStatuses", ()), *status.get("containerStatuses", ())]:
        if found := _of_container(container):
            return found
    if status.get("phase") == "Failed":
        return Symptom(
            f"it failed: {shortened(status.get('message', '') or status.get('reason', 'no reason is told'))}"
        )
    return _not_ready(pod)


def _disrupted(status: Object) -> str:
    """Return what took a pod away: its node, its priority, somebody who drains the node; empty if nothing did."""
    if status.get("reason") in ("Evicted", "NodeLost", "Preempting"):
        return f"{status['reason'].lower()}: {shortened(status.get('message', ''))}"
    for condition in status.get("conditions", ()):
        if condition["type"] == "DisruptionTarget" and condition["status"] == "True":
            return f"evicted: {shortened(condition.get('message', '') or condition.get('reason', ''))}"
    return ""


def _unschedulable(status: Object) -> str:
    for condition in status.get("conditions", ()):
        if condition["type"] == "PodScheduled" and condition.get("reason") == "Unschedulable":
            return str(condition.get("message", "")) or "no reason is told"
    return ""


def _of_container(container: Object) -> Symptom | None:
    """Return what is wrong with a container."""
    state, name, image = container.get("state", {}), container["name"], container.get("image", "")
    waiting = state.get("waiting", {})
    reason, message = waiting.get("reason", ""), shortened(waiting.get("message", ""))
    if reason in _PULL:
        return Symptom(f"its image {image} cannot be pulled: {message or reason}", hopeless=True, image=image)
    if reason in _CONFIGURATION:
        return Symptom(f"its container {name} cannot be made: {message or reason}", hopeless=True)
    ended = state.get("terminated") or (container.get("lastState", {}).get("terminated") if waiting else None)
    if not ended or not ended.get("exitCode"):
        return None
    restarts = container.get("restartCount", 0)
    how = _end(ended)
    if reason == "CrashLoopBackOff":
        return Symptom(
            f"its container {name} crashes again and again ({restarts} times): {how}", restarts >= CRASHES_MAX
        )
    return Symptom(f"its container {name} {how}", restarts >= CRASHES_MAX)


def _end(ended: Object) -> str:
    """Return how a container ended."""
    if ended.get("reason") == "OOMKilled":
        return "was out of memory: give it more by `resources` in a values file"
    code = ended["exitCode"]
    killed = " (killed, perhaps for its memory)" if code == _OUT_OF_MEMORY else ""
    said = shortened(ended.get("message", "").strip())
    return f"ended with exit code {code}{killed}" + (f": {said}" if said else "")


def _not_ready(pod: Object) -> Symptom | None:
    """Return that a pod which runs does not answer its readiness probe."""
    status = pod.get("status", {})
    waiting = [
        one["name"]
        for one in status.get("containerStatuses", ())
        if not one.get("ready") and "running" in one.get("state", {})
    ]
    if status.get("phase") == "Running" and waiting:
        return Symptom(f"its container {waiting[0]} runs and is not ready yet")
    if status.get("phase") == "Pending":
        return Symptom("it is being started")
    return None


def refused_by_quota(events: Iterable[Object], of: Sequence[str] = ()) -> Symptom | None:
    """Return that pods could not be made, by the events of what is to make them; `of` are names to look at only."""
    for event in _newest_first(events):
        about = event.get("involvedObject", {}).get("name", "")
        if event.get("reason") == "FailedCreate" and (not of or any(about.startswith(name) for name in of)):
            message = str(event.get("message", ""))
            return Symptom(
                f"{about}: {shortened(message)}", hopeless="exceeded quota" in message or "forbidden" in message
            )
    return None


def _newest_first(events: Iterable[Object]) -> Iterator[Object]:
    yield from sorted(
        events, key=lambda event: event.get("lastTimestamp") or event.get("eventTime") or "", reverse=True
    )


def shortened(text: str) -> str:
    """Return a message on one line, of at most some hundred characters."""
    words = " ".join(text.split())
    return words if len(words) <= WORDS_MAX else f"{words[:WORDS_MAX]} …"
