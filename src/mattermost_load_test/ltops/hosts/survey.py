"""How a host is: what is installed on it and how that runs, all by one command that changes nothing."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from mattermost_load_test.ltops.roles.parts import Part
from mattermost_load_test.ltops.ssh.commands import as_root, run_well
from mattermost_load_test.ltops.ssh.connection import Connection

MARKS = "/var/lib/ltops/parts"
"""Holds a file for each part that was put into place, with its digest."""


@dataclass(slots=True)
class Facts:
    """What was found on a host: of parts the digests, of files the SHA-256, of units systemd's word for their state.

    `pythons` are the versions (``3.11``) of the Pythons it has, of those that were asked for.
    """

    boot_id: str = ""
    wants_reboot: bool = False
    parts: dict[str, str] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    units: dict[str, str] = field(default_factory=dict)
    pythons: set[str] = field(default_factory=set)

    def has(self, part: Part) -> bool:
        """Say whether a part is as it should be."""
        return (
            self.parts.get(part.name) == part.digest
            and all(self.files.get(path) == digest for path, digest in part.watched.items())
            and all(self.units.get(unit) == "active" for unit in part.units)
        )


def survey(connection: Connection, parts: Sequence[Part], pythons: Iterable[str] = ()) -> Facts:
    """Look at a host; raises `HostError`, `OperationError`."""
    found = Facts()
    for line in run_well(connection, as_root("\n".join(_script(parts, pythons))), quiet=True).text.splitlines():
        word, _, rest = line.partition(" ")
        name, _, value = rest.partition(" ")
        if word == "boot":
            found.boot_id = name
        elif word == "reboot":
            found.wants_reboot = True
        elif word == "python":
            found.pythons.add(name)
        elif word in ("part", "unit"):
            (found.parts if word == "part" else found.units)[name] = value
        elif word == "file":
            found.files[value.strip()] = name
    return found


def _script(parts: Sequence[Part], pythons: Iterable[str]) -> Iterable[str]:
    """Yield the lines of shell that print what `survey` reads."""
    yield 'echo "boot $(cat /proc/sys/kernel/random/boot_id)"'
    yield "if test -e /run/reboot-required; then echo reboot; fi"
    yield f'for part in {MARKS}/*; do test ! -f $part || echo "part ${{part##*/}} $(cat $part)"; done'
    if paths := [shlex.quote(path) for part in parts for path in part.watched]:
        yield f"sha256sum -- {' '.join(paths)} 2>/dev/null | sed 's/^/file /' || true"
    if units := [unit for part in parts for unit in part.units]:
        yield f'for unit in {" ".join(units)}; do echo "unit $unit $(systemctl is-active $unit || true)"; done'
    version = shlex.quote('import sys; print("python %d.%d" % sys.version_info[:2])')
    for name in ("python3", *(f"python{python}" for python in pythons)):
        yield f"! command -v {name} >/dev/null || {name} -c {version} || true"
