"""What there is to know of a cluster: its state file as models, and the rules for its name.

The state file holds secrets (the data source): it is written with mode 0600, and `masked` gives what may be shown.
"""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_serializer

from mattermost_load_test.errors import ClusterError

STATE_VERSION = 1
"""The version of the state file that this `ltops` writes; it reads no later one."""

NAME_MAX = 40
_NAME = re.compile(r"[a-z](?:[a-z0-9-]*[a-z0-9])?")

Role = Literal["app", "proxy", "db", "metrics", "loadtest"]
ROLES: tuple[Role, ...] = ("app", "proxy", "db", "metrics", "loadtest")

Phase = Literal["creating", "created", "deploying", "deployed", "deleting"]


def check_name(name: str) -> str:
    """Return `name` if a cluster may have it; raises `ClusterError` otherwise.

    The rule is the strictest of what carries it: a folder, a Kubernetes namespace, names of AWS.
    """
    if len(name) <= NAME_MAX and _NAME.fullmatch(name):
        return name
    raise ClusterError(
        f"{name!r} cannot be a cluster's name: use lower-case letters, digits and hyphens, a letter first, "
        f"no hyphen last, at most {NAME_MAX}"
    )


class _Model(BaseModel):
    """A part of the state file; what a later version adds within the same number is ignored."""

    model_config = ConfigDict(extra="ignore")


class Instance(_Model):
    """One host, pod or process of a cluster.

    `address` is a host, or host and port, by which messages call it; `url` is what it serves, empty if nothing, and
    `profiles_url` where a server gives its profiles, as the others call it: only a licensed one does. `metrics_url` is
    where an agent tells its metrics while it runs, empty where that is not known.
    """

    role: Role
    index: int
    address: str
    url: str = ""
    profiles_url: str = ""
    metrics_url: str = ""

    @property
    def name(self) -> str:
        """What the instance is called: ``app-0``."""
        return f"{self.role}-{self.index}"


class BulkLoad(_Model):
    """A population that was loaded: the hash of its settings, and the id of the server that holds it, if it has one."""

    settings_hash: str
    server_id: str
    loaded_at: datetime


class RunRecord(_Model):
    """A run of agents: launched, its users acting from `begins_at` on, finished.

    `begins_at` is None where a single agent begins when it is ready, `finished_at` while the run is not known to have
    ended; `exit_codes` are by agent's index, `losses` say what was lost of the samples.
    """

    id: str
    scenario: str
    agents: int
    launched_at: datetime
    begins_at: datetime | None = None
    length_s: float
    finished_at: datetime | None = None
    exit_codes: list[int | None] = Field(default_factory=list)
    score: float | None = None
    losses: list[str] = Field(default_factory=list)


class Price(_Model):
    """What a cluster's machines cost together, by the price list of its cloud; `unknown` says why that did not tell.

    `per_hour` is in `currency`, such as USD.
    """

    asked_at: datetime
    per_hour: float | None = None
    currency: str = ""
    unknown: str = ""


class ClusterState(_Model):
    """The state file. `options` are what `create` was given, `details` what only the cluster's kind understands."""

    version: int = STATE_VERSION
    name: str
    kind: str
    phase: Phase = "creating"
    created_at: datetime
    expires_at: datetime | None = None
    """From when on `delete --expired` removes it; None for never."""
    price: Price | None = None
    """What it costs, where its kind costs money."""
    options: dict[str, Any] = Field(default_factory=dict)
    details: dict[str, Any] = Field(default_factory=dict)
    instances: list[Instance] = Field(default_factory=list)
    site_url: str = ""
    metrics_url: str = ""
    grafana_url: str = ""
    grafana_password: SecretStr = SecretStr("")
    access: list[str] = Field(default_factory=list)
    """What of these cannot be reached from outside the cluster, why, and by which command it can: one sentence each."""
    driver: Literal["postgres", "mysql", ""] = ""
    data_source: SecretStr = SecretStr("")
    users: int | None = None
    acting_users: int | None = None
    """How many users act in a run, on all agents together, where the cluster was made for as many."""
    configuration: Path | None = None
    """Where the configuration lies here that came with the agents' bundle; None where they have none of their own."""
    missing: list[str] = Field(default_factory=list)
    """What could not be had where it was deployed, and how to get it: one sentence each."""
    bulk_load: BulkLoad | None = None
    run: RunRecord | None = None

    @field_serializer("data_source", "grafana_password", when_used="json")
    def _whole(self, value: SecretStr) -> str:
        return value.get_secret_value()

    def of_role(self, role: Role) -> list[Instance]:
        """Return the instances of a role, in their order."""
        return [instance for instance in self.instances if instance.role == role]

    def instance(self, role: Role, index: int) -> Instance:
        """Return one instance; raises `ClusterError` when there is none."""
        found = self.of_role(role)
        for instance in found:
            if instance.index == index:
                return instance
        if not found and self.phase != "deployed":
            raise ClusterError(
                f"the cluster {self.name} has no {role} instance yet: `ltops deploy -c {self.name}` first"
            )
        if not found:
            roles = ", ".join(dict.fromkeys(instance.role for instance in self.instances)) or "none"
            raise ClusterError(f"the cluster {self.name} has no {role} instance; its roles are: {roles}")
        there = f"only {role}-0" if len(found) == 1 else f"{role}-0 to {role}-{len(found) - 1}"
        raise ClusterError(f"the cluster {self.name} has no {role} instance {index}: there is {there}")
