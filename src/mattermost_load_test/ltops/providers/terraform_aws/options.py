"""What `create` may be told of an AWS cluster, and what its state file keeps beside."""

from __future__ import annotations

import getpass
from collections.abc import Mapping
from datetime import timedelta
from ipaddress import IPv4Network
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_serializer, field_validator

from mattermost_load_test.config.values import HttpUrl
from mattermost_load_test.errors import UsageError
from mattermost_load_test.ltops.expiry import age_of
from mattermost_load_test.ltops.providers.terraform_aws.contract import Outputs
from mattermost_load_test.ltops.store import Cluster

INSTANCES_MAX = 100
_SERVERS_ONLY = ("app_count", "app_type", "proxy_count", "proxy_type", "db_count", "db_type", "db_engine")


class TerraformOptions(BaseModel):
    """The options of an AWS cluster; those of types and counts have the defaults of the module."""

    model_config = ConfigDict(extra="forbid")

    app_type: str = Field("c7i.xlarge", min_length=1)
    app_count: int = Field(1, ge=0, le=INSTANCES_MAX)
    db_type: str = Field("db.r6g.large", min_length=1)
    db_count: int = Field(1, ge=1, le=16)
    db_engine: Literal["aurora-postgresql", "aurora-mysql"] = "aurora-postgresql"
    proxy_type: str = Field("c7i.large", min_length=1)
    proxy_count: int = Field(1, ge=1, le=INSTANCES_MAX)
    loadtest_type: str = Field("c7i.xlarge", min_length=1)
    loadtest_count: int = Field(1, ge=1, le=INSTANCES_MAX)
    metrics_type: str = Field("t3.large", min_length=1)
    server_url: HttpUrl | None = None
    region: str = ""
    profile: str = ""
    allow_cidr: list[str] = Field(default_factory=list)
    max_age: str = ""
    owner: str = Field(default_factory=getpass.getuser, min_length=1, max_length=256, pattern=r"^[\w .:/=+@-]+$")
    vpc_id: str = ""
    subnet_id: list[str] = Field(default_factory=list)
    zone: list[str] = Field(default_factory=list)

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Self:
        """Return the options given; raises `UsageError` for what an AWS cluster does not take."""
        try:
            options = cls.model_validate(given)
        except ValidationError as error:
            raise UsageError("; ".join(_complaint(one["loc"], one["msg"]) for one in error.errors())) from None
        options._check()
        return options

    @field_validator("allow_cidr")
    @classmethod
    def _networks(cls, given: list[str]) -> list[str]:
        return [network_of(text) for text in given]

    @field_validator("max_age")
    @classmethod
    def _age(cls, given: str) -> str:
        if given:
            age_of(given)
        return given

    @property
    def age(self) -> timedelta | None:
        """How old the cluster may become, None for as old as it likes."""
        return age_of(self.max_age) if self.max_age else None

    def hosts(self) -> dict[str, tuple[str, int]]:
        """Return the type and number of the hosts of each role."""
        servers = {"app": (self.app_type, self.app_count), "proxy": (self.proxy_type, self.proxy_count)}
        return {
            **(servers if self.app_count else {}),
            "loadtest": (self.loadtest_type, self.loadtest_count),
            "metrics": (self.metrics_type, 1),
        }

    def _check(self) -> None:
        """Raise `UsageError` for options that contradict each other."""
        if self.server_url is not None:
            if extra := [
                name
                for name in _SERVERS_ONLY
                if name in self.model_fields_set and (name, self.app_count) != ("app_count", 0)
            ]:
                raise UsageError(
                    f"--server-url and {_option(extra[0])} exclude each other: the servers are those of that URL"
                )
            self.app_count = 0
        elif self.app_count == 0:
            raise UsageError("--app-count 0 makes a cluster without a server: say with --server-url where one is")
        if bool(self.vpc_id) != bool(self.subnet_id):
            raise UsageError("--vpc-id and --subnet-id belong together: a network that is there, and its subnets")
        if self.vpc_id and self.app_count and len(self.subnet_id) < 2:
            raise UsageError("--subnet-id is wanted twice, for subnets in two zones: the database stands in both")
        if self.zone and self.vpc_id:
            raise UsageError("--zone and --vpc-id exclude each other: instances stand in the first subnet's zone")
        if len(self.zone) == 1:
            raise UsageError("--zone is wanted twice: hosts stand in the first, the database in both")


def network_of(text: str) -> str:
    """Return an IPv4 network in its own form; raises `ValueError`."""
    try:
        network = IPv4Network(text, strict=False)
    except ValueError:
        raise ValueError(f"must be an IPv4 address or network such as 203.0.113.7/32, not {text}") from None
    if network.prefixlen == 0:
        raise ValueError("does not let in the whole internet: name the networks that need it")
    return str(network)


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _complaint(place: tuple[int | str, ...], message: str) -> str:
    option = _option(str(place[0]))
    if message.startswith("Extra inputs"):
        return f"{option} means nothing for a cluster of type terraform"
    words = message.removeprefix("Value error, ").removeprefix("Input ")
    return f"{option} {words[:1].lower()}{words[1:]}"


class TerraformDetails(BaseModel):
    """What the state file keeps of an AWS cluster; it is empty until the first thing is to be made.

    `aws` says whether its module makes it on AWS; `outputs` is what the module gave, None until it was through.
    """

    aws: bool
    region: str
    profile: str
    zones: list[str] = Field(default_factory=list)
    db_password: SecretStr
    outputs: Outputs | None = None

    @field_serializer("db_password")
    def _whole(self, value: SecretStr) -> str:
        return value.get_secret_value()

    @classmethod
    def of(cls, cluster: Cluster) -> Self | None:
        """Return what a cluster's state says, None while it says nothing."""
        return cls.model_validate(cluster.state.details) if cluster.state.details else None

    def keep(self, cluster: Cluster) -> None:
        """Put it into a cluster's state."""
        cluster.state.details = self.model_dump(mode="json")
