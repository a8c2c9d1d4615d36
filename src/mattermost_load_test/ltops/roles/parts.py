"""What is installed on a host, as data: files, what they stand on, and the units that run of them.

A part is as it should be or it is put into place whole; what it is to be is summed up in its digest, which is kept on
the host. How that is done on a host stands in `ltops/hosts/`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

from mattermost_load_test.ltops.ssh.uploads import RemoteFile

HOME = "/etc/mattermost-load-test"
"""Where files of ours lie on a host that have no place of their own."""

UNITS = "/etc/systemd/system"
APT = "DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3"


@dataclass(frozen=True, slots=True)
class Part:
    """Something that is installed on a host; everything below happens in this order.

    `masked` are units of packages that must never start by themselves. `packages` are Debian's or Ubuntu's names.
    `files` are written, `rewritten` are among their paths those that a program changes later on, which is left so.
    `commands` are lines of shell for root. `units` are started, again if they run. `ports` of this host are listened on
    then.
    """

    name: str
    what: str
    masked: Sequence[str] = ()
    packages: Sequence[str] = ()
    files: Sequence[RemoteFile] = ()
    rewritten: frozenset[str] = frozenset()
    commands: Sequence[str] = ()
    units: Sequence[str] = ()
    ports: Sequence[tuple[str, int]] = ()
    start_s: float = 60.0
    archive: Archive | None = None

    @property
    def digest(self) -> str:
        """A hash of all that it is to be."""
        files = [[file.path, file.digest, file.mode, file.owner, file.group] for file in self.files]
        parts = [self.masked, self.packages, files, self.commands, self.units, self.ports, self.archive_digest]
        return hashlib.sha256(json.dumps(parts, default=str).encode()).hexdigest()

    @property
    def archive_digest(self) -> str:
        """The hash of its archive, empty if it has none."""
        return self.archive.digest if self.archive is not None else ""

    @property
    def watched(self) -> dict[str, str]:
        """The hashes of the files that must stay as they are, by path."""
        return {file.path: file.digest for file in self.files if file.path not in self.rewritten}


@dataclass(frozen=True, slots=True)
class Archive:
    """A big file that is brought along first, as ``$archive`` for the commands of its part; `digest` is its SHA-256."""

    path: str
    digest: str


def unit_file(name: str, text: str) -> RemoteFile:
    """Return a unit of systemd as a file."""
    return RemoteFile(f"{UNITS}/{name}", text.encode())


def account(name: str, home: str) -> Sequence[str]:
    """Return the commands that make an account for a service unless it is there."""
    made = f"useradd --system --user-group --home-dir {home} --shell /usr/sbin/nologin {name}"
    return (f"id -u {name} >/dev/null 2>&1 || {made}",)
