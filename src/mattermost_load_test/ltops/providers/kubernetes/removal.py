"""What `delete` does on Kubernetes: the release, its volumes, its runs, and the namespace where that is ours."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

from mattermost_load_test.errors import ClusterError, OperationError
from mattermost_load_test.ltops.helm import Helm
from mattermost_load_test.ltops.progress import Progress
from mattermost_load_test.ltops.providers.kubernetes.agents import remove_jobs
from mattermost_load_test.ltops.providers.kubernetes.api import Api, ForbiddenError
from mattermost_load_test.ltops.providers.kubernetes.creation import MARK
from mattermost_load_test.ltops.providers.kubernetes.deployment import own_release
from mattermost_load_test.ltops.providers.kubernetes.names import selector
from mattermost_load_test.ltops.providers.kubernetes.options import Where
from mattermost_load_test.ltops.steps import Stage, Step, Tell

UNINSTALL_S = 300.0
GONE_S = 300.0
_POLL_S = 0.5
_KINDS = (
    ("jobs", "batch/v1"),
    ("pods", ""),
    ("persistentvolumeclaims", ""),
    ("secrets", ""),
    ("configmaps", ""),
    ("services", ""),
    ("deployments", "apps/v1"),
    ("statefulsets", "apps/v1"),
)
"""What the chart and the runs leave, looked for by label at the end."""


class Removal:
    """Removes a cluster, by what its folder tells."""

    def __init__(self, directory: Path, progress: Progress) -> None:
        self._where = Where.in_folder(directory)
        self._progress = progress

    def stages(self) -> Iterator[Stage]:
        """Yield the release, what is beside it, the namespace, and a look at what is left."""
        where = self._where
        if where is None:  # its creation did not come so far
            return
        api = Api(where.namespace, where.context)
        helm = Helm(where.namespace, where.context, self._progress.command)
        if _is_foreign(helm, where):
            self._progress.warn(
                f"the release {where.name} in the namespace {where.namespace} is not of this cluster: "
                "it is left alone, its volumes and its namespace, too"
            )
            return
        volumes = _volumes(api)
        yield [Step("runs", "end them", lambda tell: remove_jobs(api, where.name))]
        yield [
            Step(
                "release",
                "remove it",
                lambda tell: helm.uninstall(where.name, UNINSTALL_S),
                lambda: helm.release(where.name) is not None,
            )
        ]
        yield [Step("volumes", "remove what is beside it", lambda tell: _remove_rest(api, where))]
        yield [
            Step(
                "namespace",
                f"remove {where.namespace}",
                lambda tell: _remove_namespace(api, where, tell),
                lambda: _is_ours(api, where),
            )
        ]
        yield [Step("cluster", "look for what is left", lambda tell: _check_left(api, where, volumes))]


def _is_foreign(helm: Helm, where: Where) -> bool:
    """Say whether the release of the cluster's name is another's: its objects carry the labels that ours would."""
    try:
        own_release(helm, where)
    except ClusterError:
        return True
    return False


def _remove_rest(api: Api, where: Where) -> None:
    """Remove claims of volumes, licences and what tried images: what Helm does not know, or leaves."""
    for resource, group in (("persistentvolumeclaims", ""), ("pods", ""), ("secrets", "")):
        for one in api.items(api.namespaced(resource, group=group), labelSelector=selector(where.name)):
            if (
                resource == "persistentvolumeclaims"
                or one["metadata"]["labels"].get("app.kubernetes.io/managed-by") == "ltops"
            ):
                api.delete(api.namespaced(resource, one["metadata"]["name"], group))


def _is_ours(api: Api, where: Where) -> bool:
    """Say whether the namespace is there, and we made it."""
    try:
        found = api.get(f"/api/v1/namespaces/{where.namespace}")
    except ForbiddenError:
        return False
    return found is not None and found["metadata"].get("labels", {}).get(MARK) == where.owner


def _remove_namespace(api: Api, where: Where, tell: Tell) -> None:
    """Remove the namespace and wait until it is gone."""
    path = f"/api/v1/namespaces/{where.namespace}"
    api.delete(path)
    tell("waiting until it is gone")
    _until(lambda: api.get(path) is None, f"the namespace {where.namespace} is still there after {GONE_S:g} s")


def _volumes(api: Api) -> set[str]:
    """Return the persistent volumes of our namespace."""
    try:
        volumes = api.items("/api/v1/persistentvolumes")
    except ForbiddenError:  # they belong to the whole cluster
        return set()
    return {
        one["metadata"]["name"] for one in volumes if one["spec"].get("claimRef", {}).get("namespace") == api.namespace
    }


def _check_left(api: Api, where: Where, volumes: set[str]) -> None:
    """Wait until all is gone; raises `OperationError` with what is left."""
    try:
        _until(lambda: not _left(api, where, volumes), "")
    except OperationError:
        raise OperationError(f"this is left: {', '.join(_left(api, where, volumes))}") from None


def _left(api: Api, where: Where, volumes: set[str]) -> list[str]:
    """Return what is there of the cluster."""
    found = [
        f"{resource}/{one['metadata']['name']}"
        for resource, group in _KINDS
        for one in api.items(api.namespaced(resource, group=group), labelSelector=selector(where.name))
    ]
    return found + [f"persistentvolumes/{name}" for name in sorted(volumes & _volumes(api))]


def _until(condition: Callable[[], bool], failed: str) -> None:
    deadline_s = time.monotonic() + GONE_S
    while not condition():
        if time.monotonic() > deadline_s:
            raise OperationError(failed)
        time.sleep(_POLL_S)
