"""What stands in the way of a release while it comes up, looked at now and then."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from mattermost_load_test.errors import ServerError
from mattermost_load_test.ltops.providers.kubernetes import addresses
from mattermost_load_test.ltops.providers.kubernetes.api import Api
from mattermost_load_test.ltops.providers.kubernetes.names import component_of, selector
from mattermost_load_test.ltops.providers.kubernetes.symptoms import Symptom, refused_by_quota, symptom

LOOK_S = 2.0
HOPELESS_S = 15.0
"""How long something hopeless is looked at before it is believed: a registry may be busy."""

PROVISIONED_S = 300.0
"""How long it may be waited for what a cluster adds by itself: nodes, load balancers."""


class Watch:
    """Watches the pods of a release; `reasons` are those of the last look, by pod's name."""

    def __init__(self, api: Api, name: str, tell: Callable[[str], None]) -> None:
        self.reasons: dict[str, Symptom] = {}
        self._api = api
        self._name = name
        self._tell = tell
        self._looked_s = 0.0
        self._since_s: dict[str, float] = {}

    def hopeless(self) -> str | None:
        """Return why the release will not come up, None while it may."""
        now_s = time.monotonic()
        if now_s - self._looked_s < LOOK_S:
            return None
        self._looked_s = now_s
        try:
            self.reasons = reasons_of(self._api, self._name) | _unbalanced(self._api, self._name)
        except ServerError:
            return None  # Helm notices, too, and says it
        self._since_s = {name: self._since_s.get(name, now_s) for name in self.reasons}
        if self.reasons:
            self._tell(self.words())
        for name, found in self.reasons.items():
            waited_s = now_s - self._since_s[name]
            limit_s = HOPELESS_S if found.hopeless else PROVISIONED_S if found.from_cloud else float("inf")
            if waited_s >= limit_s:
                return f"{name}: {found.text}"
        return None

    def words(self) -> str:
        """Return what the last look showed."""
        return "; ".join(f"{name}: {found.text}" for name, found in self.reasons.items())


def reasons_of(api: Api, name: str) -> dict[str, Symptom]:
    """Return what is wrong with a release's pods, and with what is to make them."""
    pods = api.items(api.namespaced("pods"), labelSelector=selector(name))
    live = [pod for pod in pods if component_of(pod) != "loadtest" and "deletionTimestamp" not in pod["metadata"]]
    found = {pod["metadata"]["name"]: bad for pod in live if (bad := symptom(pod))}
    events = api.items(api.namespaced("events"), fieldSelector="reason=FailedCreate")
    prefix = f"{name}-"
    if refused := refused_by_quota([one for one in events if _is_current(one, prefix, live)], [prefix]):
        found[f"{name} pods"] = refused
    return found


def _unbalanced(api: Api, name: str) -> dict[str, Symptom]:
    """Return the load balancers that are waited for."""
    hint = "a cluster that makes none wants `service: {type: NodePort}` in a values file, or an Ingress"
    return {
        f"service {service}": Symptom(f"{words}: {hint}", from_cloud=True)
        for service, words in addresses.pending(api, name)
    }


def _is_current(event: Mapping[str, Any], prefix: str, pods: list[dict[str, Any]]) -> bool:
    """Say whether a refusal still holds: what was refused a pod has none."""
    about = event.get("involvedObject", {}).get("name", "")
    return about.startswith(prefix) and not any(pod["metadata"]["name"].startswith(about) for pod in pods)
