"""The API of a Kubernetes cluster, by its official client: objects as the JSON they are, errors as ours.

This module and `streams.py` are the only ones that know the client; both import it late, since that takes a while.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mattermost_load_test.errors import OperationError, ServerError, ServerUnreachableError, UsageError

TIMEOUT_S = (5.0, 60.0)
"""For connecting, and for an answer."""

Object = Mapping[str, Any]
"""A Kubernetes object, as in its API's JSON."""


class ForbiddenError(ServerError):
    """The cluster does not allow us what we asked; the message is its own."""

    kind = "forbidden"


class ConflictError(OperationError):
    """There is an object of that name already."""


@dataclass(frozen=True, slots=True)
class KubeContext:
    """A context of the kubeconfig: its name, and the namespace that it names, if any."""

    name: str
    namespace: str


def kubeconfig() -> str:
    """Return where the kubeconfig is, several files as kubectl takes them; the client asks only when it is imported."""
    return os.environ.get("KUBECONFIG") or "~/.kube/config"


def kube_context(wanted: str | None) -> KubeContext:
    """Return the context that was named, else the current one; raises `UsageError` where there is none."""
    from kubernetes import config
    from kubernetes.config.config_exception import ConfigException

    try:
        contexts, current = config.list_kube_config_contexts(kubeconfig())
    except ConfigException as error:
        raise UsageError(
            f"there is no kubeconfig that can be used ({_first_line(error)}): set KUBECONFIG, or put one at "
            "~/.kube/config"
        ) from None
    known = {one["name"]: one for one in contexts}
    name = wanted or (current or {}).get("name", "")
    if name not in known:
        what = f"no context {name}" if name else "no current context"
        raise UsageError(f"the kubeconfig has {what}; name one with --context: {', '.join(known) or 'there is none'}")
    return KubeContext(name, known[name].get("context", {}).get("namespace", ""))


class Api:
    """A cluster's API, for one namespace. Calls raise `ServerError`: unreachable, or refused."""

    def __init__(self, namespace: str, context: str) -> None:
        self.namespace = namespace
        self.context = context
        self._client = self.new_client()

    def new_client(self) -> Any:
        """Return a client of its own: one that opens streams must serve nothing else meanwhile."""
        from kubernetes import config
        from kubernetes.config.config_exception import ConfigException
        from urllib3 import Retry

        try:
            client = config.new_client_from_config(kubeconfig(), context=self.context or None)
        except (ConfigException, OSError, ValueError) as error:
            raise UsageError(
                f"the kubeconfig cannot be used ({_first_line(error)}): set KUBECONFIG, or put it at ~/.kube/config"
            ) from None
        client.configuration.retries = Retry(2, backoff_factor=0.2)
        return client

    @property
    def server(self) -> str:
        """The address of the API."""
        return str(self._client.configuration.host)

    def get(self, path: str, **query: str) -> dict[str, Any] | None:
        """Return what is at a path below the API's root, None if nothing is."""
        return self._asked("GET", path, query=query, absent=True)

    def items(self, path: str, **query: str) -> list[dict[str, Any]]:
        """Return the objects of a list, none where the cluster does not know their kind."""
        found = self.get(path, **query) or {}
        items: list[dict[str, Any]] = found.get("items") or []
        return items

    def namespaced(self, resource: str, name: str = "", group: str = "") -> str:
        """Return the path of a resource in our namespace: ``namespaced("jobs", "run", "batch/v1")``."""
        root = f"/apis/{group}" if group else "/api/v1"
        return f"{root}/namespaces/{self.namespace}/{resource}" + (f"/{name}" if name else "")

    def create(self, path: str, body: Object) -> dict[str, Any]:
        """Make an object and return it; raises `ConflictError` where one of its name is there."""
        return self._asked("POST", path, body=body) or {}

    def patch(self, path: str, body: Object) -> None:
        """Change parts of an object."""
        self._asked("PATCH", path, body=body)

    def delete(self, path: str) -> bool:
        """Begin to delete an object with all that it owns; say whether there was one."""
        body = {"propagationPolicy": "Foreground"}
        return self._asked("DELETE", path, body=body, absent=True) is not None

    def text(self, path: str, **query: str) -> str:
        """Return a text, such as a container's log; empty if nothing is there."""
        return self._answer("GET", path, query, None, absent=True).decode(errors="replace")

    def version(self) -> str:
        """Return the cluster's version."""
        return str((self.get("/version") or {}).get("gitVersion", "unknown"))

    def _asked(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Object | None = None,
        absent: bool = False,
    ) -> dict[str, Any] | None:
        data = self._answer(method, path, query or {}, body, absent=absent)
        return json.loads(data) if data else None

    def _answer(self, method: str, path: str, query: Mapping[str, str], body: Object | None, *, absent: bool) -> bytes:
        """Make one request and return the answer's body; empty for what is not there, if it may be `absent`."""
        from kubernetes.client.exceptions import ApiException

        headers = {"Accept": "application/json"}
        if body is not None:
            patch = "application/merge-patch+json"
            headers["Content-Type"] = patch if method == "PATCH" else "application/json"
        try:
            answer = self._client.call_api(
                path,
                method,
                query_params=list(query.items()),
                header_params=headers,
                body=body,
                auth_settings=["BearerToken"],
                _preload_content=False,
                _return_http_data_only=True,
                _request_timeout=TIMEOUT_S,
            )
        except ApiException as error:
            if absent and error.status == 404:
                return b""
            raise refusal(error.status, error.body, f"{method} {path}", self.server) from None
        except Exception as error:
            raise unreachable(error, self.server) from error
        return bytes(answer.data)


def refusal(status: int | None, body: bytes | str | None, asked: str, server: str) -> ServerError | OperationError:
    """Return the error for an answer of the API with an error status."""
    try:
        said = str(json.loads(body or "{}").get("message", ""))
    except ValueError:
        said = ""
    said = said or f"{asked} was answered {status}"
    if status == 403 and "exceeded quota" in said:
        return OperationError(said)
    if status in (401, 403):
        return ForbiddenError(f"{server} does not allow it: {said}")
    if status == 409:
        return ConflictError(said)
    return ServerError(f"{server} refused: {said}")


def unreachable(error: Exception, server: str) -> ServerUnreachableError:
    """Return the error for a cluster that did not answer; raises `error` when it is a defect of ours."""
    from urllib3.exceptions import HTTPError

    if not isinstance(error, HTTPError | OSError):
        raise error
    reason = getattr(error, "reason", None) or error
    words = str(reason).rpartition("object at")[2].partition(">: ")[2] or str(reason)
    return ServerUnreachableError(
        f"the Kubernetes cluster at {server} cannot be reached: {words}. Is it up, and is the kubeconfig's context the "
        "right one?"
    )


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
