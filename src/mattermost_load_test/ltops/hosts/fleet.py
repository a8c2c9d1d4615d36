"""The hosts of a cluster as data: the contract between who makes them and what is done on them over SSH."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import SecretStr

from mattermost_load_test.ltops.cluster import Role

SSH_PORT = 22

Driver = Literal["postgres", "mysql"]
"""How Mattermost calls the two kinds of database."""


@dataclass(frozen=True, slots=True)
class Host:
    """One host: `address` is how it is reached from here, `private_address` how the other hosts reach it.

    Its role is app, proxy, metrics or loadtest; databases are no hosts of ours.
    """

    name: str
    role: Role
    index: int
    address: str
    private_address: str
    port: int = SSH_PORT


@dataclass(frozen=True, slots=True)
class DatabaseEndpoints:
    """A database as the hosts reach it: `readers` is how many replicas stand behind `reader_address`, 0 for none."""

    driver: Driver
    address: str
    reader_address: str
    readers: int
    port: int
    name: str
    user: str
    password: SecretStr


@dataclass(frozen=True, slots=True)
class Bucket:
    """An S3 bucket for Mattermost's files, opened to the app hosts by their instance profile."""

    name: str
    region: str


@dataclass(frozen=True, slots=True)
class Fleet:
    """The hosts of a cluster, how to log in on them, and what Mattermost stands on.

    `ssh_user` may use sudo without a password. `key_file` is the private key, readable by its owner only;
    `known_hosts_file` is in OpenSSH's format: a host in it must have the key that stands there, one that is not is
    added when it is first met. Without app hosts `database` and `bucket` are None and `server_url` says where the
    server is; with them and without a bucket, each keeps files on its own disk. `if_silent` is what may be done when
    hosts do not answer at all.
    """

    cluster_name: str
    hosts: Sequence[Host]
    ssh_user: str
    key_file: Path
    known_hosts_file: Path
    database: DatabaseEndpoints | None = None
    bucket: Bucket | None = None
    server_url: str | None = None
    if_silent: str = ""

    def of_role(self, role: Role) -> list[Host]:
        """Return the hosts of a role, by index."""
        return sorted((host for host in self.hosts if host.role == role), key=lambda host: host.index)
