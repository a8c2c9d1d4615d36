"""How an agent is, from the status of its pod; pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from mattermost_load_test.ltops.providers.base import AgentState
from mattermost_load_test.ltops.providers.kubernetes.symptoms import Symptom, refused_by_quota, symptom

Object = Mapping[str, Any]

PATIENCE_S = 60.0
"""How long a pod may wait for what does not come by itself, until its agent counts as lost."""

BUILD = (
    "build the image, push it to a registry that the cluster reaches, and name it: make image, docker push REF, "
    "ltops deploy --agent-image REF"
)


def container_status(pod: Object, name: str) -> Object:
    """Return the status of a container, empty before it has one."""
    found: Object = next((one for one in pod.get("status", {}).get("containerStatuses", ()) if one["name"] == name), {})
    return found


def runs(pod: Object, container: str) -> bool:
    """Say whether a container runs."""
    return "running" in container_status(pod, container).get("state", {})


def state_of(pod: Object, now_s: float) -> AgentState:
    """Return how the agent of a pod is."""
    agent = container_status(pod, "agent").get("state", {})
    if "running" in agent:
        return AgentState("running")
    found = symptom(pod)
    if "terminated" in agent:
        return _ended(pod, agent["terminated"], found)
    if pod.get("status", {}).get("phase") == "Failed" or "deletionTimestamp" in pod["metadata"]:
        return AgentState("lost", reason=found.text if found else "its pod was removed")
    if found is not None and found.hopeless and _age_s(pod, now_s) > PATIENCE_S:
        return AgentState("lost", reason=explained(found))
    return AgentState("waiting", reason=found.text if found else "its pod is being started")


def _ended(pod: Object, ended: Object, found: Symptom | None) -> AgentState:
    """Return how an agent is whose container ended: its verdict is the message, it was killed where there is none."""
    message = str(ended.get("message", "")).strip()
    if message.isdecimal():
        return AgentState("ended", int(message))
    if ended.get("exitCode") == 0:
        return AgentState("ended", 0)
    reason = found.text if found else f"it ended with exit code {ended.get('exitCode')}"
    if pod.get("status", {}).get("phase") == "Failed":
        return AgentState("lost", reason=reason)
    return AgentState("waiting", reason=f"{reason}; it is started again")


def state_without_pod(job: Object, events: Iterable[Object]) -> AgentState:
    """Return how an agent is that has no pod."""
    if not job:
        return AgentState("lost", reason="its job is gone")
    for condition in job.get("status", {}).get("conditions", ()):
        if condition["type"] == "Failed" and condition["status"] == "True":
            return AgentState("lost", reason=f"its job failed: {condition.get('message', '')}")
    refused = refused_by_quota(events)
    if refused is not None and refused.hopeless:
        return AgentState("lost", reason=f"its pod is refused: {refused.text}")
    return AgentState("waiting", reason=refused.text if refused else "its pod is being made")


def explained(found: Symptom) -> str:
    """Return what is wrong, and what to do where it is an image."""
    return f"{found.text}. Where that is the agents': {BUILD}" if found.image else found.text


def _age_s(pod: Object, now_s: float) -> float:
    made = datetime.fromisoformat(str(pod["metadata"]["creationTimestamp"]))
    return now_s - made.timestamp()
