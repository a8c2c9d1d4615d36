"""What the other commands of `ltops` do on hosts: attach, collect, look for faults, reach what only hosts can."""

from __future__ import annotations

import contextlib
import io
import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from mattermost_load_test.errors import ClusterError, LoadTestError, OperationError, OutputError
from mattermost_load_test.ltops.artifacts.archives import unpack_stream
from mattermost_load_test.ltops.cluster import Instance, Role
from mattermost_load_test.ltops.hosts.connections import login_of, side_by_side
from mattermost_load_test.ltops.hosts.fleet import Fleet, Host
from mattermost_load_test.ltops.hosts.installing import last_words
from mattermost_load_test.ltops.redaction import without_secrets
from mattermost_load_test.ltops.roles import agent_host, app_host, metrics_host, parts, proxy_host
from mattermost_load_test.ltops.ssh import terminal
from mattermost_load_test.ltops.ssh.commands import as_root, run_well
from mattermost_load_test.ltops.ssh.connection import Connection
from mattermost_load_test.ltops.ssh.tunnels import tunnel
from mattermost_load_test.ltops.store import Cluster

NODE_EXPORTER_UNIT = "mattermost-load-test-node-exporter.service"
_UNITS: Mapping[Role, Sequence[str]] = {
    "app": (app_host.UNIT,),
    "proxy": (proxy_host.UNIT,),
    "metrics": (metrics_host.PROMETHEUS_UNIT,),  # Grafana is a comfort
    "loadtest": (),
    "db": (),
}
"""What runs on a host of a role as long as it is well; on agents that is a job, when there is one."""

_LOG_LINES = 20_000
_COLLECTED: Mapping[Role, Sequence[str]] = {
    "app": (app_host.CONFIGURATION, f"{app_host.DATA}/logs"),
    "proxy": (f"{parts.HOME}/nginx.conf",),
    "metrics": (f"{parts.HOME}/prometheus.yml",),
    "loadtest": (agent_host.JOBS,),
    "db": (),
}
COLLECT_S = 600.0
FILE_BYTES_MAX = 50_000_000


@contextmanager
def _connected(fleet: Fleet, host: Host) -> Iterator[Connection]:
    """Give a connection to a host that ends with the context."""
    with contextlib.closing(Connection(login_of(fleet, host))) as connection:
        yield connection


def host_of(fleet: Fleet, instance: Instance) -> Host:
    """Return the host that an instance is; raises `ClusterError` for a database, which is none that SSH opens."""
    for host in fleet.hosts:
        if (host.role, host.index) == (instance.role, instance.index):
            return host
    raise ClusterError(f"{instance.name} of {fleet.cluster_name} is no host that SSH opens; `ltops db` opens databases")


def attach(fleet: Fleet, instance: Instance, command: Sequence[str]) -> int:
    """Run a command on a host, a shell if it is empty, on this process's terminal; return its exit code."""
    with _connected(fleet, host_of(fleet, instance)) as connection:
        return terminal.attach(connection, shlex.join(command))


def faults(cluster: Cluster, fleet: Fleet) -> Mapping[str, str]:
    """Return what is wrong, by host's name: it does not let us in, or a unit of its does not run."""
    if cluster.state.phase != "deployed":
        return {}

    def look(host: Host) -> str:
        try:
            with _connected(fleet, host) as connection:
                return _fault(connection, [*_UNITS[host.role], NODE_EXPORTER_UNIT])
        except LoadTestError as error:
            return str(error)

    found = side_by_side(fleet.hosts, look)
    return {host.name: fault for host, fault in zip(fleet.hosts, found, strict=True) if fault}


def _fault(connection: Connection, units: Sequence[str]) -> str:
    """Return which units do not run, and what they said; empty when all do."""
    states = run_well(connection, f"systemctl is-active {' '.join(units)} || true").text.split()
    wrong = [
        f"{unit} is {state}; {last_words(connection, unit)}"
        for unit, state in zip(units, states, strict=True)
        if state != "active"
    ]
    return "; ".join(wrong)


def collect(fleet: Fleet, instance: Instance, into: Path) -> None:
    """Put a host's journal of the day, its own logs, and its configurations without secrets, into a folder.

    Of a database there is nothing to be had. Raises `HostError`, `OperationError`, `OutputError`.
    """
    if instance.role == "db":
        return
    with _connected(fleet, host_of(fleet, instance)) as connection:
        journal = f"journalctl --no-pager --lines {_LOG_LINES} --output short-iso"
        _keep(into / "journal.log", run_well(connection, as_root(journal), timeout_s=COLLECT_S).output)
        paths = " ".join(_COLLECTED[instance.role])
        small = f"find {paths} -type f -size -{FILE_BYTES_MAX}c -print0 2>/dev/null"
        script = f"{small} | tar -czf - --null --no-recursion -T - --ignore-failed-read 2>/dev/null"
        packed = run_well(connection, as_root(script), timeout_s=COLLECT_S).output
    unpack_stream(io.BytesIO(packed), into)
    for path in [*into.rglob("*.json"), *into.rglob("*.conf"), *into.rglob("*.yml")]:
        _keep(path, without_secrets(path.read_text(errors="replace")).encode())


def _keep(path: Path, data: bytes) -> None:
    try:
        path.write_bytes(data)
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror}") from error


@contextmanager
def reach(fleet: Fleet, address: str, port: int = 0) -> Iterator[str]:
    """Give where this machine reaches `address` as the hosts know it: the end of a tunnel through one of them.

    That is the host itself where the address is one's, else the first app host, else the first of all.
    """
    host, _, there = address.rpartition(":")
    if not there.isdecimal():
        host, there = address, str(proxy_host.PORT)
    own = [one for one in fleet.hosts if one.private_address == host]
    through = [*own, *fleet.of_role("app"), *fleet.hosts]
    if not through:
        raise OperationError(f"the cluster {fleet.cluster_name} has no host to reach {address} through")
    with _connected(fleet, through[0]) as connection, tunnel(connection, host, int(there), port) as here:
        yield here
