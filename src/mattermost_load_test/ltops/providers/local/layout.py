"""Where the parts of a local cluster are: folders, ports, and what its state file says of them."""

from __future__ import annotations

import errno
import os
import random
import socket
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mattermost_load_test.config.values import HttpUrl
from mattermost_load_test.errors import OperationError, OutputError, PortInUseError, UsageError
from mattermost_load_test.ltops.store import Cluster

HOST = "127.0.0.1"
PORTS = range(20_000, 32_000)
"""Where ports are looked for: below those that outgoing connections are given."""

INSTANCES_MAX = 100
_TRIES = 200


class LocalOptions(BaseModel):
    """What `create` may be told of a local cluster."""

    model_config = ConfigDict(extra="forbid")

    app_count: int = Field(1, ge=0, le=INSTANCES_MAX)
    loadtest_count: int = Field(1, ge=1, le=INSTANCES_MAX)
    server_url: HttpUrl | None = None
    port: int | None = Field(None, ge=1, le=65535)

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Self:
        """Return the options given; raises `UsageError` for one that a local cluster does not take."""
        try:
            options = cls.model_validate(given)
        except ValidationError as error:
            raise UsageError(
                "; ".join(_complaint(problem["loc"], problem["msg"]) for problem in error.errors())
            ) from None
        options._check()
        return options

    def _check(self) -> None:
        if self.server_url is not None:
            if self.app_count and "app_count" in self.model_fields_set:
                raise UsageError("--server-url and --app-count exclude each other: the servers are those of that URL")
            if self.port is not None:
                raise UsageError("--server-url and --port exclude each other: nothing is served here")
            self.app_count = 0
        elif self.app_count == 0:
            raise UsageError("--app-count 0 makes a cluster without a server: say with --server-url where one is")


def _complaint(place: tuple[int | str, ...], message: str) -> str:
    option = f"--{str(place[0]).replace('_', '-')}"
    if message.startswith("Extra inputs"):
        return f"{option} means nothing for a local cluster"
    words = message.removeprefix("Value error, ").removeprefix("Input ")
    return f"{option} {words[:1].lower()}{words[1:]}"


class LocalDetails(BaseModel):
    """What the state file keeps of a local cluster: each part's port, what is deployed.

    `archive` is the Mattermost archive, empty for the embedded server; `bundle` is that of the agents, empty for this
    installation's. `own_database` says whether the database is a PostgreSQL of the cluster, whose password stands here.
    """

    ports: dict[str, int] = Field(default_factory=dict)
    archive: str = ""
    bundle: str = ""
    own_database: bool = False
    database_password: str = ""
    license_file: str = ""

    @classmethod
    def of(cls, cluster: Cluster) -> Self:
        """Return what a cluster's state says."""
        return cls.model_validate(cluster.state.details)

    def keep(self, cluster: Cluster) -> None:
        """Put it into a cluster's state."""
        cluster.state.details = self.model_dump()

    def port(self, part: str) -> int:
        """Return the port of a part, a free one if it has none yet."""
        if part not in self.ports:
            self.ports[part] = free_port(self.ports.values())
        return self.ports[part]


def free_port(taken: Iterable[int]) -> int:
    """Return a port that nothing listens on, and that is not among those `taken`; raises `OperationError`."""
    chance = random.SystemRandom()
    for port in chance.sample(PORTS, _TRIES):
        if port not in taken and is_free(port):
            return port
    raise OperationError(f"no free port found among {_TRIES} between {PORTS.start} and {PORTS.stop}")


def is_free(port: int) -> bool:
    """Say whether a port can be listened on; raises `UsageError` for one that we may not have."""
    try:
        with socket.create_server((HOST, port)):
            return True
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            return False
        raise UsageError(f"port {port} cannot be listened on: {error.strerror}; choose one above 1023") from error


def need_free(port: int, part: str) -> None:
    """Raise `PortInUseError` when a port is taken that `part` is to listen on."""
    if not is_free(port):
        raise PortInUseError(
            f"port {port}, which {part} is to listen on, is taken by another program: end that program"
        )


def folder(cluster_directory: Path, name: str) -> Path:
    """Return the folder of an instance, whether it is there or not."""
    return cluster_directory / "instances" / name


def made(path: Path) -> Path:
    """Return a folder, made for its owner only if need be; raises `OutputError`."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{path} cannot be made: {error.strerror}") from error
    return path


def write_private(path: Path, data: bytes) -> None:
    """Write a file that only its owner reads, whole or not at all; raises `OutputError`."""
    unfinished = path.with_name(f".{path.name}.unfinished")
    try:
        fd = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(fd, "wb") as file:
            file.write(data)
        unfinished.replace(path)
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        raise OutputError(f"{path} cannot be written: {error.strerror}; make room and run the command again") from error
