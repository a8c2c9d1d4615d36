"""The agent on a host: its bundle in a virtual environment of its own, and the unit that a job is."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from mattermost_load_test.ltops.roles.parts import Archive, Part, account, unit_file
from mattermost_load_test.ltops.roles.rendering import render

ACCOUNT = "loadtest"
HOME = "/opt/mattermost-load-test"
CURRENT = f"{HOME}/current"
JOBS = "/var/lib/mattermost-load-test/jobs"
"""A folder for each job, called by its id."""

UNIT = "mattermost-load-test@.service"
METRICS_PORT = 9108
OPEN_FILES = 65_536
STOP_S = 60
EXIT_FILE = "exit"
"""Holds how a job's process ended: systemd's words for the result, the way and the status."""

START_FILE = "start"
"""What a job's unit runs, in its folder."""


@dataclass(frozen=True, slots=True)
class AgentRelease:
    """A bundle of the agent: its path and SHA-256, its top folder, its version."""

    path: str
    digest: str
    top: str
    version: str


def metrics_address(private_address: str) -> str:
    """Return where the agent on a host tells its metrics while it runs."""
    return f"{private_address}:{METRICS_PORT}"


def agent_part(release: AgentRelease, private_address: str) -> Part:
    """Return the agent; while it runs, it tells its metrics on the host's private address."""
    place = f"{HOME}/releases/{release.digest[:16]}"
    top = f"{place}/{shlex.quote(release.top)}"
    unit = render(
        "agent.service.j2",
        account=ACCOUNT,
        jobs=JOBS,
        current=CURRENT,
        metrics=metrics_address(private_address),
        open_files=OPEN_FILES,
        stop_s=STOP_S,
        start_file=START_FILE,
        exit_file=EXIT_FILE,
    )
    return Part(
        name="agent",
        what=f"install the agent {release.version}",
        packages=("python3-venv",),
        files=(unit_file(UNIT, unit),),
        archive=Archive(release.path, release.digest),
        commands=(
            *account(ACCOUNT, HOME),
            f"install -d -m 755 {HOME} {HOME}/releases",
            f"install -d -m 700 -o {ACCOUNT} -g {ACCOUNT} {JOBS}",
            f"rm -rf {place} && mkdir {place}",
            f'tar -xzf "$archive" -C {place} --no-same-owner',
            f"{top}/install.sh {place}/venv",
            f"ln -sfn {place} {HOME}/.current && mv -T {HOME}/.current {CURRENT}",
            f"ls -d {HOME}/releases/* | grep -v '^{place}$' | xargs -r rm -rf",
        ),
    )
