"""What `create` does for a cluster on Kubernetes: sees whether it can work there, and makes the namespace."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

from mattermost_load_test.errors import OperationError
from mattermost_load_test.ltops.helm import Helm
from mattermost_load_test.ltops.progress import Progress
from mattermost_load_test.ltops.providers.kubernetes.api import Api, ConflictError
from mattermost_load_test.ltops.providers.kubernetes.options import KubernetesOptions, Where
from mattermost_load_test.ltops.providers.kubernetes.permissions import check_permissions
from mattermost_load_test.ltops.steps import Stage, Step, Tell
from mattermost_load_test.ltops.store import Cluster

MARK = "mattermost-load-test/owner"
"""The label of a namespace that we made."""


def creation(cluster: Cluster, progress: Progress) -> Iterator[Stage]:
    """Yield the stages; each raises `ServerError` where the cluster cannot be reached, or does not allow it."""
    options = KubernetesOptions.model_validate(cluster.state.options)
    where = Where.in_folder(cluster.directory) or Where(
        name=cluster.name,
        context=options.context,
        namespace=options.namespace or cluster.name,
        owner=uuid.uuid4().hex,
    )

    def check(tell: Tell) -> None:
        Helm(where.namespace, where.context, progress.command).check()
        tell(f"Kubernetes {Api(where.namespace, where.context).version()}")

    def make(tell: Tell) -> None:
        where.namespace_made = make_namespace(Api(where.namespace, where.context), where)
        where.keep(cluster)

    def permitted(tell: Tell) -> None:
        check_permissions(Api(where.namespace, where.context))

    yield [Step("kubernetes", f"reach it by the context {where.context}", check)]
    yield [Step("namespace", f"have the namespace {where.namespace}", make)]
    yield [Step("permissions", "ask what is allowed there", permitted)]


def make_namespace(api: Api, where: Where) -> bool:
    """Make the namespace unless it is there; say whether it is one of ours. Raises `OperationError` while it goes."""
    path = f"/api/v1/namespaces/{where.namespace}"
    found = api.get(path)
    if found is None:
        body = {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": where.namespace, "labels": {MARK: where.owner}},
        }
        try:
            api.create("/api/v1/namespaces", body)
        except ConflictError:  # somebody made it meanwhile
            found = api.get(path)
        else:
            return True
    if found is not None and found["metadata"].get("deletionTimestamp"):
        raise OperationError(f"the namespace {where.namespace} is being deleted: wait until that has ended, then again")
    return found is not None and found["metadata"].get("labels", {}).get(MARK) == where.owner
