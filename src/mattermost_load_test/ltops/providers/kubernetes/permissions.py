"""What a user must be allowed to do in a namespace for `ltops` to work there, asked before it is needed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mattermost_load_test.ltops.providers.kubernetes.api import Api, ForbiddenError

CHANGES = ("get", "list", "create", "patch", "delete")
NEEDED: Sequence[tuple[str, str, Sequence[str]]] = (
    ("", "pods", ("get", "list", "create", "delete")),
    ("", "pods/exec", ("create",)),
    ("", "pods/portforward", ("create",)),
    ("", "pods/log", ("get",)),
    ("", "events", ("list",)),
    ("", "secrets", CHANGES),
    ("", "configmaps", CHANGES),
    ("", "services", CHANGES),
    ("", "serviceaccounts", CHANGES),
    ("", "persistentvolumeclaims", CHANGES),
    ("apps", "deployments", CHANGES),
    ("apps", "statefulsets", CHANGES),
    ("batch", "jobs", CHANGES),
)
"""Group, resource, verbs: what the chart makes, what Helm keeps of it, and what a run does."""

REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"


def check_permissions(api: Api) -> None:
    """Raise `ForbiddenError` with every permission that is missing in the namespace."""
    missing = list(_missing(api))
    if missing:
        raise ForbiddenError(
            f"you lack permissions in the namespace {api.namespace} of {api.server}: {'; '.join(missing)}. Its "
            f"administrator can give them, by the role `edit`: kubectl create rolebinding ltops --clusterrole=edit "
            f"--user=YOU -n {api.namespace}"
        )


def _missing(api: Api) -> Iterator[str]:
    """Yield what is not allowed: ``create, delete jobs.batch``."""
    for group, resource, verbs in NEEDED:
        refused = [verb for verb in verbs if not may(api, verb, resource, group)]
        if refused:
            yield f"{', '.join(refused)} {resource}{f'.{group}' if group else ''}"


def may(api: Api, verb: str, resource: str, group: str = "", *, everywhere: bool = False) -> bool:
    """Say whether we may do something: in our namespace, or with what is in none."""
    resource, _, subresource = resource.partition("/")
    attributes = {"verb": verb, "group": group, "resource": resource, "subresource": subresource}
    if not everywhere:
        attributes["namespace"] = api.namespace
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": attributes},
    }
    return bool(api.create(REVIEWS, review).get("status", {}).get("allowed"))
