"""A Mattermost server on a host of its own: unpacked, configured whole, kept by systemd."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mattermost_load_test.ltops.roles.mattermost import LICENSE_VARIABLE, AppSettings
from mattermost_load_test.ltops.roles.parts import Archive, Part, account, unit_file
from mattermost_load_test.ltops.roles.rendering import render
from mattermost_load_test.ltops.ssh.uploads import RemoteFile

ACCOUNT = "mattermost"
HOME = "/opt/mattermost"
CURRENT = f"{HOME}/current"
CONFIGURATION = f"{HOME}/config/config.json"
LICENSE = f"{HOME}/config/mattermost-license"
LICENSE_ENVIRONMENT = f"{HOME}/config/license.env"
"""The licence as a variable, which counts more than the one that the database remembers from before."""

DATA = "/var/lib/mattermost"
UNIT = "mattermost.service"
PORT = 8065
METRICS_PORT = 8067
OPEN_FILES = 49_152
"""As in the original tool and in Mattermost's installation guide."""

START_S = 300.0
"""A server makes its tables at its first start, and migrates those of an older one."""


@dataclass(frozen=True, slots=True)
class AppRelease:
    """A Mattermost archive: its path and SHA-256, its top folder, its program's path below that, what it ships.

    `shipped` is the configuration in it, empty where there is none.
    """

    path: str
    digest: str
    top: str
    program: str
    shipped: Mapping[str, Any]


def metrics_address(private_address: str) -> str:
    """Return where a licensed server on a host tells its metrics and gives its profiles."""
    return f"{private_address}:{METRICS_PORT}"


def install_part(release: AppRelease) -> Part:
    """Return what unpacks a release beside the one that runs, and makes it the current one."""
    place = f"{HOME}/releases/{release.digest[:16]}"
    unpacked = f"{place}/{shlex.quote(release.top)}"
    return Part(
        name="mattermost-release",
        what="install Mattermost",
        archive=Archive(release.path, release.digest),
        commands=(
            *account(ACCOUNT, HOME),
            f"install -d -m 755 {HOME} {HOME}/releases",
            f"install -d -m 750 -o {ACCOUNT} -g {ACCOUNT} {HOME}/config {DATA} {DATA}/files {DATA}/plugins {DATA}/logs",
            f"rm -rf {place} {place}.unfinished && mkdir {place}.unfinished",
            f'tar -xzf "$archive" -C {place}.unfinished --no-same-owner',
            f"install -d {place}.unfinished/{shlex.quote(release.top)}/client/plugins",
            f"chown -R {ACCOUNT}: {place}.unfinished",
            f"mv -T {place}.unfinished {place}",
            f"ln -sfn {unpacked} {HOME}/.current && mv -T {HOME}/.current {CURRENT}",
            f"ls -d {HOME}/releases/* | grep -v '^{place}$' | xargs -r rm -rf",
        ),
    )


def run_part(release: AppRelease, settings: AppSettings, license_data: bytes | None, listen: str) -> Part:
    """Return what configures a server and runs it; `listen` is the address that it is to answer on."""
    configuration = json.dumps(settings.merged_into(release.shipped), indent=4) + "\n"
    licence = () if license_data is None else _license_files(license_data)
    command = [f"{CURRENT}/{release.program}", *(["server"] if release.program.endswith("mattermost") else [])]
    unit = render(
        "mattermost.service.j2",
        account=ACCOUNT,
        command=" ".join([*command, "--config", CONFIGURATION]),
        directory=CURRENT,
        open_files=OPEN_FILES,
        environment=LICENSE_ENVIRONMENT if licence else "",
    )
    return Part(
        name="mattermost",
        what="start Mattermost",
        files=(
            RemoteFile(CONFIGURATION, configuration.encode(), 0o600, ACCOUNT, ACCOUNT),
            *licence,
            unit_file(UNIT, unit),
        ),
        rewritten=frozenset({CONFIGURATION}),  # by the server, when its settings are changed over its API
        commands=(f": release {release.digest}", *(() if licence else (f"rm -f {LICENSE} {LICENSE_ENVIRONMENT}",))),
        units=(UNIT,),
        ports=((listen, PORT),),
        start_s=START_S,
    )


def _license_files(data: bytes) -> tuple[RemoteFile, ...]:
    """Return the files of a licence: servers that do not know the variable read the first."""
    variable = f'{LICENSE_VARIABLE}="{"".join(data.decode().split())}"\n'.encode()
    return (
        RemoteFile(LICENSE, data, 0o400, ACCOUNT, ACCOUNT),
        RemoteFile(LICENSE_ENVIRONMENT, variable, 0o400),
    )
