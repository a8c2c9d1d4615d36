"""What `collect` takes of an instance on Kubernetes: its containers' logs, its pod as it is, what happened to it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from mattermost_load_test.logs import MASK
from mattermost_load_test.ltops.providers.kubernetes.api import Api

LOG_BYTES_MAX = 20_000_000
_SECRET = re.compile(r"PASSWORD|SECRET|TOKEN|KEY|DATASOURCE|LICENSE", re.IGNORECASE)
_EVENT = ("lastTimestamp", "type", "reason", "message", "count")


def collect_pod(api: Api, pod: dict[str, Any], into: Path) -> None:
    """Write a pod's logs, those before a restart too, its description without secrets, and its events."""
    name = pod["metadata"]["name"]
    for status in pod.get("status", {}).get("containerStatuses", ()):
        path = api.namespaced("pods", f"{name}/log")
        wanted = {"container": status["name"], "limitBytes": str(LOG_BYTES_MAX), "timestamps": "true"}
        if not status["state"].get("waiting"):
            (into / f"{status['name']}.log").write_text(api.text(path, **wanted))
        if status.get("lastState", {}).get("terminated"):
            (into / f"{status['name']}-previous.log").write_text(api.text(path, **wanted, previous="true"))
    (into / "pod.json").write_text(json.dumps(without_secrets(pod), indent=2) + "\n")
    events = api.items(api.namespaced("events"), fieldSelector=f"involvedObject.name={name}")
    told = [{key: event.get(key) for key in _EVENT} for event in events]
    (into / "events.json").write_text(json.dumps(told, indent=2) + "\n")


def without_secrets(pod: dict[str, Any]) -> dict[str, Any]:
    """Return a pod with the values of variables masked that may be secrets."""
    copied: dict[str, Any] = json.loads(json.dumps(pod))
    for container in [*copied["spec"].get("containers", ()), *copied["spec"].get("initContainers", ())]:
        for variable in container.get("env", ()):
            if "value" in variable and _SECRET.search(variable["name"]):
                variable["value"] = MASK
    return copied
