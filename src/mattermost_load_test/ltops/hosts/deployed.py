"""What was deployed on the hosts of a cluster, kept in its folder, so that `deploy` with less said changes less."""

from __future__ import annotations

import json
import secrets
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_serializer

from mattermost_load_test.errors import StateFileError
from mattermost_load_test.ltops.store import write_private

FILE = "hosts.json"
CONFIGURATION_COPY = "loadtestconfig.json"


def _key() -> SecretStr:
    """Return a key as a Mattermost server makes it for itself: 32 letters and digits."""
    return SecretStr(secrets.token_hex(16))


class _Model(BaseModel):
    model_config = ConfigDict(extra="ignore")


class Release(_Model):
    """A Mattermost archive: where it lies here, its SHA-256, its top folder and program, the configuration in it."""

    path: str
    digest: str
    top: str
    program: str
    shipped: dict[str, Any] = Field(default_factory=dict)


class AgentBundle(_Model):
    """A bundle of the agent: where it lies here, its SHA-256, its top folder, version and Pythons.

    `configuration` is the text of the one in it, empty where there is none.
    """

    path: str
    digest: str
    top: str
    version: str
    pythons: tuple[str, ...]
    configuration: str = ""


class Package(_Model):
    """A package of Debian: where it lies here, its SHA-256."""

    path: str
    digest: str


class Deployed(_Model):
    """What `deploy` was told and found out. `grafana` is None where it could not be had, or is not wanted.

    `at_rest_key` and `public_link_salt` are made once, for all servers. `connections` is how many the database at
    `database_address` allows, 0 while that is not known.
    """

    release: Release | None = None
    bundle: AgentBundle | None = None
    grafana: Package | None = None
    license: SecretStr | None = None
    at_rest_key: SecretStr = Field(default_factory=_key)
    public_link_salt: SecretStr = Field(default_factory=_key)
    connections: int = 0
    database_address: str = ""

    @field_serializer("license", "at_rest_key", "public_link_salt", when_used="json")
    def _whole(self, value: SecretStr | None) -> str | None:
        return None if value is None else value.get_secret_value()

    @classmethod
    def of(cls, directory: Path) -> Self:
        """Return what the folder of a cluster tells; raises `StateFileError`."""
        path = directory / FILE
        if not path.is_file():
            return cls()
        try:
            return cls.model_validate(json.loads(path.read_bytes()))
        except (ValueError, ValidationError) as error:
            raise StateFileError(f"{path} is broken: remove it, and deploy again with -m and -t") from error

    def keep(self, directory: Path) -> None:
        """Write it into the folder of a cluster, for its owner only; raises `OutputError`.

        The configuration of the agents is a file beside it, too, by which messages call it.
        """
        if (path := self.configuration_in(directory)) is not None and self.bundle is not None:
            write_private(path, self.bundle.configuration)
        write_private(directory / FILE, self.model_dump_json(indent=2) + "\n")

    def configuration_in(self, directory: Path) -> Path | None:
        """Return where the configuration is that came with the agents; None where none did."""
        return directory / CONFIGURATION_COPY if self.bundle is not None and self.bundle.configuration else None
