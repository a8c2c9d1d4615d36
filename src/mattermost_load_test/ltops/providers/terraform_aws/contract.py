"""The contract with a Terraform module: which module, which variables it takes, which outputs it gives.

The one that comes along (`terraform/`) makes clusters on AWS; the variable LTOPS_TERRAFORM_MODULE names another with
the same variables and outputs, such as a fork of it. docs/terraform.md describes them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ValidationError

from mattermost_load_test.errors import OperationError, UsageError
from mattermost_load_test.ltops.cluster import Role
from mattermost_load_test.ltops.hosts.fleet import Driver, Host
from mattermost_load_test.ltops.shipped import shipped

MODULE_VARIABLE = "LTOPS_TERRAFORM_MODULE"
LET_IN_VARIABLE = "allow_cidrs"
"""The variable that says who reaches the cluster."""

_AWS_PROVIDER = "hashicorp/aws"
_RESOURCE = re.compile(r'^resource "(\S+)" "(\S+)" \{\n(.*?)^\}', re.MULTILINE | re.DOTALL)
"""A resource as `terraform fmt` leaves it."""


def module_of(environ: Mapping[str, str]) -> Path:
    """Return the folder of the module to use; raises `UsageError` for one that is none."""
    given = environ.get(MODULE_VARIABLE)
    module = Path(given).expanduser().absolute() if given else shipped("terraform")
    if not any(module.glob("*.tf")):
        raise UsageError(f"{MODULE_VARIABLE} names {module}, which holds no Terraform module (no *.tf)")
    return module


def makes_on_aws(module: Path) -> bool:
    """Say whether a module's files name the AWS provider: only then is AWS asked about anything."""
    return any(_AWS_PROVIDER in path.read_text(errors="replace") for path in module.glob("*.tf"))


def resources_of(module: Path, variable: str) -> list[str]:
    """Return the resources of a module that are made by a variable of its, such as ``terraform_data.host``."""
    texts = [path.read_text(errors="replace") for path in sorted(module.glob("*.tf"))]
    blocks = [block for text in texts for block in _RESOURCE.findall(text)]
    return [f"{kind}.{name}" for kind, name, body in blocks if re.search(rf"\bvar\.{variable}\b", body)]


class InstanceOutput(BaseModel):
    """A host, as the module tells of it."""

    role: Role
    address: str
    private_address: str
    id: str


class DatabaseOutput(BaseModel):
    """How the hosts reach the database; its password is what was given."""

    driver: Driver
    address: str
    reader_address: str
    readers: int
    port: int
    name: str
    user: str


class BucketOutput(BaseModel):
    """Where Mattermost keeps its files."""

    name: str
    region: str


class Outputs(BaseModel):
    """What the module gives; Terraform leaves out what is null."""

    instances: dict[str, InstanceOutput]
    ssh_user: str
    database: DatabaseOutput | None = None
    bucket: BucketOutput | None = None

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Self:
        """Return a module's outputs; raises `OperationError` where they are not as they should be."""
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            place = ".".join(map(str, first["loc"]))
            raise OperationError(
                f"the module's output {place} is not as docs/terraform.md says ({first['msg']}): mend the module"
            ) from None

    def hosts(self) -> Iterator[Host]:
        """Yield the hosts, by role and index."""
        for name, one in sorted(self.instances.items(), key=lambda item: (item[1].role, _index(item[0]))):
            yield Host(name, one.role, _index(name), one.address, one.private_address)


def _index(name: str) -> int:
    """Return the number that ends a host's name; raises `OperationError` where none does."""
    number = name.rpartition("-")[2]
    if not number.isdecimal():
        raise OperationError(f"the module's output instances names a host {name}: it must end in its index, as app-0")
    return int(number)
