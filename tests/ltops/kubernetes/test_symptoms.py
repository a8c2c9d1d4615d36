"""What is said of pods that are not well, and of agents by their pods: as the API of a real cluster tells it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from mattermost_load_test.ltops.providers.base import AgentState
from mattermost_load_test.ltops.providers.kubernetes.states import (
    is_gone,
    loss_of,
    state_of,
    state_without_pod,
    unseen_losses,
)
from mattermost_load_test.ltops.providers.kubernetes.symptoms import refused_by_quota, symptom

MADE = "2026-11-26T08:00:00Z"
MADE_S = datetime.fromisoformat(MADE).timestamp()


def pod(state: dict[str, Any], *, phase: str = "Pending", name: str = "agent", **status: Any) -> dict[str, Any]:
    """Return a pod of one container in a state."""
    container = {"name": name, "image": "registry.example.com/agent:1", "state": state, "ready": False, **status}
    return {
        "metadata": {"name": "demo-app-0", "creationTimestamp": MADE},
        "spec": {},
        "status": {"phase": phase, "containerStatuses": [container]},
    }


UNSCHEDULABLE = {
    "metadata": {"creationTimestamp": MADE},
    "status": {
        "phase": "Pending",
        "conditions": [
            {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/3 nodes: too few cpu."}
        ],
    },
}

EVICTED = {"metadata": {}, "status": {"phase": "Failed", "reason": "Evicted", "message": "low on memory"}}


@pytest.mark.parametrize(
    ("one", "text", "hopeless"),
    [
        (UNSCHEDULABLE, "no node takes it: 0/3 nodes: too few cpu.", False),
        (
            pod({"waiting": {"reason": "ImagePullBackOff", "message": "Back-off pulling"}}),
            "its image registry.example.com/agent:1 cannot be pulled: Back-off pulling",
            True,
        ),
        (
            pod(
                {"waiting": {"reason": "CrashLoopBackOff"}},
                phase="Running",
                restartCount=4,
                lastState={"terminated": {"exitCode": 137, "reason": "OOMKilled"}},
            ),
            "its container agent crashes again and again (4 times): was out of memory: give it more by `resources` in "
            "a values file",
            True,
        ),
        (
            pod({"waiting": {"reason": "CreateContainerConfigError", "message": 'secret "a" not found'}}),
            'its container agent cannot be made: secret "a" not found',
            True,
        ),
        (pod({"terminated": {"exitCode": 2}}, phase="Running"), "its container agent ended with exit code 2", False),
        (pod({"running": {}}, phase="Running"), "its container agent runs and is not ready yet", False),
        (EVICTED, "evicted: low on memory", False),
    ],
)  # fmt: skip
def test_why_a_pod_is_not_well(one: dict[str, Any], text: str, hopeless: bool) -> None:
    """One line, which says whether waiting helps."""
    found = symptom(one)
    assert found is not None
    assert (found.text, found.hopeless) == (text, hopeless)


def test_a_pod_that_is_well() -> None:
    """It runs and is ready, or has ended as it should."""
    assert symptom(pod({"running": {}}, phase="Running") | {"status": {"phase": "Running"}}) is None
    assert symptom({"metadata": {}, "status": {"phase": "Succeeded"}}) is None


def test_pods_that_a_quota_refuses() -> None:
    """The newest event of what makes them counts."""
    event = {
        "reason": "FailedCreate",
        "involvedObject": {"name": "demo-app-1"},
        "message": 'pods "x" is forbidden: exceeded quota: small, requested: cpu=2, used: cpu=1, limited: cpu=2',
    }
    found = refused_by_quota([event], ["demo-"])
    assert found is not None
    assert found.hopeless
    assert "exceeded quota: small" in found.text
    assert refused_by_quota([event], ["other-"]) is None


@pytest.mark.parametrize(
    ("one", "now_s", "state"),
    [
        (pod({"running": {}}, phase="Running"), 0, AgentState("running")),
        (pod({"terminated": {"exitCode": 0, "message": "99\n"}}), 0, AgentState("ended", 99)),
        (pod({"terminated": {"exitCode": 0}}), 0, AgentState("ended", 0)),
    ],
)
def test_how_an_agent_is(one: dict[str, Any], now_s: float, state: AgentState) -> None:
    """Its verdict is the container's message, since a verdict is no failure of the container."""
    assert state_of(one, now_s) == state


def test_an_agent_that_was_killed_is_started_again() -> None:
    """Until its pod is given up."""
    killed = {"terminated": {"exitCode": 137}}
    assert state_of(pod(killed, phase="Running"), 0).phase == "waiting"
    assert not is_gone(pod(killed, phase="Running"))
    failed = pod(killed, phase="Failed")
    assert is_gone(failed)
    assert "was lost (its container" in loss_of(failed)
    assert "137" in loss_of(failed)


def test_an_agent_whose_image_does_not_come() -> None:
    """It is waited for, then given up with what to do."""
    waiting = pod({"waiting": {"reason": "ErrImagePull", "message": "not found"}})
    assert state_of(waiting, MADE_S + 5).phase == "waiting"
    lost = state_of(waiting, MADE_S + 100)
    assert lost.phase == "lost"
    assert "make image" in lost.reason
    assert "--agent-image" in lost.reason


def test_an_agent_without_a_pod() -> None:
    """Its job is gone, or has failed, or makes one just now."""
    failed = {"status": {"conditions": [{"type": "Failed", "status": "True", "message": "too many restarts"}]}}
    assert state_without_pod({}, [], 0) == AgentState("lost", reason="its job is gone")
    assert state_without_pod(failed, [], 0) == AgentState("lost", reason="its job failed: too many restarts")
    assert state_without_pod({"status": {}}, [], 0) == AgentState("waiting", reason="its pod is being made")


def test_an_agent_whose_pod_is_gone_after_its_end() -> None:
    """It is not waited for, whichever others go on."""
    job = {"status": {"completedIndexes": "0,2-4"}}
    phases = [state_without_pod(job, [], index).phase for index in range(6)]
    assert phases == ["lost", "waiting", "lost", "lost", "lost", "waiting"]


def test_pods_that_were_removed_altogether() -> None:
    """Their job has counted them; its events name them for an hour, then the youngest pods must have followed them."""
    pods = {
        index: [{"metadata": {"name": f"demo-run-{index}-there", "creationTimestamp": made}, "status": {}}]
        for index, made in enumerate(("2026-11-26T08:00:00Z", "2026-11-26T09:00:00Z", "2026-11-26T08:00:00Z"))
    }
    made = [
        {"reason": "SuccessfulCreate", "message": f"Created pod: demo-run-{name}"} for name in ("0-there", "2-gone")
    ]
    one = {"status": {"failed": 1}}
    assert unseen_losses({"status": {}}, made, pods) == {}
    (found,) = unseen_losses(one, made, pods).items()
    assert (found[0], found[1].startswith("its pod demo-run-2-gone was lost (it was removed)")) == (2, True)
    (found,) = unseen_losses(one, [], pods).items()
    assert (found[0], found[1].startswith("an earlier pod of its was lost")) == (1, True)


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ({"reason": "Evicted", "message": "The node was low on memory."}, "evicted: The node was low on memory."),
        (
            {"conditions": [{"type": "DisruptionTarget", "status": "True", "message": "Eviction API: evicting"}]},
            "evicted: Eviction API: evicting",
        ),
        ({}, "it failed: no reason is told"),
    ],
)
def test_a_pod_that_is_taken_away(status: dict[str, Any], words: str) -> None:
    """It is named with what took it, and that samples are lost; its agent counts as gone, not as ended."""
    taken = {"metadata": {"name": "demo-run-0-abcde"}, "status": {"phase": "Failed", **status}}
    assert is_gone(taken)
    assert loss_of(taken).startswith(f"its pod demo-run-0-abcde was lost ({words}): ")
