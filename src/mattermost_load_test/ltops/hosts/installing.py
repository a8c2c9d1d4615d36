"""A part put into place on a host, and hosts started anew."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

from mattermost_load_test.errors import HostError, OperationError
from mattermost_load_test.ltops.hosts.survey import MARKS
from mattermost_load_test.ltops.roles.parts import APT, Part
from mattermost_load_test.ltops.ssh.commands import as_root, run, run_well
from mattermost_load_test.ltops.ssh.connection import Connection, Tell
from mattermost_load_test.ltops.ssh.uploads import upload, write_files

PACKAGES_S = 900.0
COMMANDS_S = 900.0
RESTARTS_MAX = 3
"""After how many starts in vain a unit is given up."""

_POLL_S = 0.3
_RESTART = """systemctl daemon-reload
systemctl reset-failed {units} 2>/dev/null || true
systemctl enable --quiet {units}
systemctl restart {units}"""
"""Starts units, those too that systemd has given up for failing too often."""


def install(connection: Connection, part: Part, tell: Tell) -> None:
    """Put a part into place, all of it; raises `OperationError`, `OutputError`, `HostError`."""
    run_well(connection, as_root(f"install -d -m 755 {MARKS}; rm -f {MARKS}/{part.name}"))
    _bring_packages(connection, part, tell)
    archive = "" if part.archive is None else upload(connection, Path(part.archive.path), part.archive.digest, tell)
    if part.files:
        tell("writing its files")
        write_files(connection, part.files)
    if part.commands:
        tell("installing it")
        script = "\n".join([f"archive={archive}", *part.commands])
        run_well(connection, as_root(script), timeout_s=COMMANDS_S)
    if part.units:
        tell("starting it")
        _start(connection, part)
    run_well(connection, as_root(f"echo {part.digest} > {MARKS}/{part.name}"))


def _bring_packages(connection: Connection, part: Part, tell: Tell) -> None:
    """Install packages that are not there, their own units kept from starting."""
    if part.masked:
        run_well(connection, as_root(f"systemctl mask --quiet --now {' '.join(part.masked)} 2>/dev/null"))
    lacking = [name for name in part.packages if not _is_installed(connection, name)]
    if lacking:
        names = " ".join(lacking)
        tell(f"installing {names}")
        script = f"{APT} update >/dev/null\n{APT} install --no-install-recommends {names} </dev/null"
        run_well(connection, as_root(script), timeout_s=PACKAGES_S)


def _is_installed(connection: Connection, package: str) -> bool:
    command = f"dpkg-query -W -f '${{db:Status-Status}}' {package} 2>/dev/null"
    return run(connection, command).text == "installed"


def _start(connection: Connection, part: Part) -> None:
    """Start the units of a part and wait until its ports are listened on."""
    units = " ".join(part.units)
    run_well(connection, as_root(_RESTART.format(units=units)), timeout_s=part.start_s + 60)
    deadline_s = time.monotonic() + part.start_s
    checks = " && ".join(f"bash -c '</dev/tcp/{host}/{port}'" for host, port in part.ports) or "true"
    while run(connection, f"systemctl is-active --quiet {units} && {{ {checks}; }} 2>/dev/null", quiet=True).code:
        _look_for_failure(connection, part, late=time.monotonic() > deadline_s)
        time.sleep(_POLL_S)


def _look_for_failure(connection: Connection, part: Part, *, late: bool) -> None:
    """Raise `OperationError` when a unit is given up, with what it said last."""
    for unit in part.units:
        shown = run_well(connection, f"systemctl show -p NRestarts,ActiveState {unit}", quiet=True).text
        values = dict(line.split("=", 1) for line in shown.splitlines())
        failed = values["ActiveState"] == "failed" or int(values["NRestarts"]) >= RESTARTS_MAX
        if failed or late:
            how = "does not stay up" if failed else f"does not listen after {part.start_s:g} s"
            raise OperationError(f"{unit} {how}; {last_words(connection, unit)}")


def last_words(connection: Connection, unit: str) -> str:
    """Return what a unit's program wrote last, in words."""
    journal = f"journalctl --quiet --no-pager -u {unit} -n 20 -o cat _SYSTEMD_UNIT={unit}"
    said = run(connection, as_root(f"{journal} 2>/dev/null || true")).last_words
    return "it said nothing" if said == "it said nothing" else f"it said: {said}"


def boot_id(connection: Connection) -> str:
    """Return what tells one start of a host from another."""
    return run_well(connection, "cat /proc/sys/kernel/random/boot_id").text


def reboot(connection: Connection, tell: Tell, up_s: float) -> None:
    """Start a host anew and wait until it is back; raises `HostError` when that takes longer than `up_s`."""
    before = boot_id(connection)
    with contextlib.suppress(HostError):  # the connection may end before the command does
        run(connection, as_root("systemctl reboot"))
    deadline_s = time.monotonic() + up_s
    while True:
        connection.close()
        tell("waiting until it is back")
        connection.wait_until_up(tell, max(1.0, deadline_s - time.monotonic()))
        with contextlib.suppress(HostError, OperationError):  # it may still be going down
            if boot_id(connection) != before:
                return
        if time.monotonic() > deadline_s:
            raise HostError(f"{connection.login} did not start anew within {up_s:g} s")
        time.sleep(_POLL_S)
