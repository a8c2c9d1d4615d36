"""What `create` may be told of a cluster on Kubernetes, and what its state file and folder keep of it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from mattermost_load_test.config.values import HttpUrl
from mattermost_load_test.errors import OutputError, UsageError
from mattermost_load_test.ltops.providers.kubernetes.api import kube_context
from mattermost_load_test.ltops.store import Cluster

PLACE_FILE = "kubernetes.json"
"""What finds a cluster's objects again, whatever became of its state file."""

NAMESPACE_MAX = 63
_NAMESPACE = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?")


class KubernetesOptions(BaseModel):
    """What `create` may be told; no `namespace` is one of the cluster's own name."""

    model_config = ConfigDict(extra="forbid")

    namespace: str | None = None
    context: str
    server_url: HttpUrl | None = None

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Self:
        """Return the options given, the context being the current one unless it is named; raises `UsageError`."""
        given = dict(given)
        for option in given.keys() - cls.model_fields.keys():
            flag = f"--{option.replace('_', '-')}"
            raise UsageError(
                f"{flag} means nothing for a cluster of type kubernetes: what there is to be follows from "
                "`ltops deploy --users` and from a values file (--values)"
            )
        namespace = given.get("namespace")
        if namespace is not None and not (len(namespace) <= NAMESPACE_MAX and _NAMESPACE.fullmatch(namespace)):
            raise UsageError(f"--namespace {namespace!r} cannot be: lower-case letters, digits, hyphens")
        given["context"] = kube_context(given.get("context")).name
        try:
            return cls.model_validate(given)
        except ValidationError as error:
            (problem, *_) = error.errors()
            raise UsageError(f"--{str(problem['loc'][0]).replace('_', '-')}: {problem['msg']}") from None


class Where(BaseModel):
    """Where a cluster is: the context, the namespace, whether we made that; `owner` tells its release from others'."""

    name: str
    context: str
    namespace: str
    owner: str
    namespace_made: bool = False

    @classmethod
    def in_folder(cls, directory: Path) -> Self | None:
        """Return what a cluster's folder says, None where it says nothing."""
        try:
            return cls.model_validate(json.loads((directory / PLACE_FILE).read_bytes()))
        except (OSError, ValueError):
            return None

    @classmethod
    def of(cls, cluster: Cluster) -> Self:
        """Return where a cluster is."""
        return cls.model_validate(cluster.state.details["where"])

    def keep(self, cluster: Cluster) -> None:
        """Put it into a cluster's state, and into its folder; raises `OutputError`."""
        cluster.state.details["where"] = self.model_dump()
        try:
            (cluster.directory / PLACE_FILE).write_text(self.model_dump_json(indent=2) + "\n")
        except OSError as error:
            raise OutputError(f"{cluster.directory / PLACE_FILE} cannot be written: {error.strerror}") from error


class Deployed(BaseModel):
    """What is deployed: the agents' image that was named, the secret that holds the licence, what was put there.

    `chart_digest` is of the chart that the release was made of, `checked_image` the agents' image that was tried.
    """

    agent_image: str = ""
    license_secret: str = ""
    chart_digest: str = ""
    checked_image: str = ""

    @classmethod
    def of(cls, cluster: Cluster) -> Self:
        """Return what a cluster's state says."""
        return cls.model_validate(cluster.state.details.get("deployed", {}))

    def keep(self, cluster: Cluster) -> None:
        """Put it into a cluster's state."""
        cluster.state.details["deployed"] = self.model_dump()
