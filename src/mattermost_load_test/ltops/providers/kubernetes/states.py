"""How an agent is, from the status of its pod; pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from mattermost_load_test.ltops.providers.base import AgentState
from mattermost_load_test.ltops.providers.kubernetes.symptoms import Symptom, refused_by_quota, symptom

Object = Mapping[str, Any]

PATIENCE_S = 60.0
"""How long a pod may wait for what does not come by itself, until its agent counts as lost."""

NOT_FETCHED = "not fetched"
"""What a keeper's last words begin with where it gave up waiting."""

REMOVED = "it was removed"

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


def is_gone(pod: Object) -> bool:
    """Say whether a pod is over without its agent having come to its end: its job makes another one."""
    over = pod.get("status", {}).get("phase") == "Failed" or (
        "deletionTimestamp" in pod["metadata"] and pod.get("status", {}).get("phase") != "Succeeded"
    )
    return over and not runs(pod, "agent")


def loss_of(pod: Object) -> str:
    """Return what is lost with a pod that is gone."""
    found = symptom(pod)
    return loss(f"its pod {pod['metadata']['name']}", found.text if found else REMOVED)


def loss(pod: str, why: str) -> str:
    """Return what is lost with a pod, called as it is, by what took it."""
    return f"{pod} was lost ({why}): what it had measured and not sent by then is lost"


def unseen_losses(job: Object, events: Iterable[Object], pods: Mapping[int, Sequence[Object]]) -> dict[int, str]:
    """Return what is lost with pods of a job that are there no more, by index; `pods` are those that are there.

    The job has counted them. Its events name them for an hour; later, the youngest pods must have followed them.
    """
    there = {pod["metadata"]["name"] for lives in pods.values() for pod in lives}
    missing = job.get("status", {}).get("failed", 0) - sum(is_gone(pod) for lives in pods.values() for pod in lives)
    made = [str(event["message"]).rpartition(" ")[2] for event in events if event.get("reason") == "SuccessfulCreate"]
    named = {int(name.split("-")[-2]): name for name in made if name not in there}
    young = sorted(pods, key=lambda index: str(pods[index][-1]["metadata"]["creationTimestamp"]), reverse=True)
    indexes = list(dict.fromkeys((*named, *young)))[: max(0, missing)]
    return {
        index: loss(f"its pod {named[index]}" if index in named else "an earlier pod of its", REMOVED)
        for index in indexes
    }


def state_of(pod: Object, now_s: float) -> AgentState:
    """Return how the agent of a pod is that is not gone."""
    agent = container_status(pod, "agent").get("state", {})
    if "running" in agent:
        return AgentState("running")
    found = symptom(pod)
    if "terminated" in agent:
        return _ended(pod, agent["terminated"], found)
    if found is not None and found.hopeless and _age_s(pod, now_s) > PATIENCE_S:
        return AgentState("lost", reason=explained(found))
    return AgentState("waiting", reason=found.text if found else "its pod is being started")


def _ended(pod: Object, ended: Object, found: Symptom | None) -> AgentState:
    """Return how an agent is whose container ended: its verdict is the message, it was killed where there is none."""
    message = str(ended.get("message", "")).strip()
    if message.isdecimal() or ended.get("exitCode") == 0:
        return AgentState("ended", int(message) if message.isdecimal() else 0, losses=_dropped(pod))
    reason = found.text if found else f"it ended with exit code {ended.get('exitCode')}"
    return AgentState("waiting", reason=f"{reason}; it is started again")


def _dropped(pod: Object) -> Sequence[str]:
    """Return that nobody fetched what an agent left, if its keeper says so as it ended (`keeper.sh`)."""
    keeper = container_status(pod, "keeper").get("state", {}).get("terminated") or {}
    if not str(keeper.get("message", "")).strip().startswith(NOT_FETCHED):
        return ()
    when = datetime.fromisoformat(str(keeper["finishedAt"]))
    return (f"its results were dropped at {when:%Y-%m-%d %H:%M:%S} UTC: {str(keeper['message']).strip()}",)


def state_without_pod(job: Object, events: Iterable[Object], index: int) -> AgentState:
    """Return how the agent of an index is that has no pod, or one that is gone."""
    if not job:
        return AgentState("lost", reason="its job is gone")
    if index in _completed(job):
        return AgentState("lost", reason="it had ended, and its pod was removed since, with its results")
    for condition in job.get("status", {}).get("conditions", ()):
        if condition["type"] == "Failed" and condition["status"] == "True":
            return AgentState("lost", reason=f"its job failed: {condition.get('message', '')}")
    refused = refused_by_quota(events)
    if refused is not None and refused.hopeless:
        return AgentState("lost", reason=f"its pod is refused: {refused.text}")
    return AgentState("waiting", reason=refused.text if refused else "its pod is being made")


def _completed(job: Object) -> set[int]:
    """Return the indexes whose pods ended well (`completedIndexes`: ``0,2-4``)."""
    found: set[int] = set()
    for part in filter(None, str(job.get("status", {}).get("completedIndexes", "")).split(",")):
        first, _, last = part.partition("-")
        found.update(range(int(first), int(last or first) + 1))
    return found


def explained(found: Symptom) -> str:
    """Return what is wrong, and what to do where it is an image."""
    return f"{found.text}. Where that is the agents': {BUILD}" if found.image else found.text


def _age_s(pod: Object, now_s: float) -> float:
    made = datetime.fromisoformat(str(pod["metadata"]["creationTimestamp"]))
    return now_s - made.timestamp()
