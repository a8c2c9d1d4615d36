"""What the machine allows, against what a run needs: open files, ports, memory. Raised where that is allowed.

An entity holds a websocket, and a connection for requests while it has one under way: two open files, two ports. A
run that cannot work is refused before it does anything; one that could run short is told so, each time with the command
that mends it.
"""

from __future__ import annotations

import ipaddress
import math
import os
import resource
import socket
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from mattermost_load_test.errors import ConfigurationError
from mattermost_load_test.loadtest.machine.resources import available_memory_bytes

FILES_APART = 256  # of a process beside its entities' connections: log, libraries, loop, some to spare
SOCKETS_OF_ENTITY = 2
PROCESS_BYTES = 64 << 20  # a worker without entities, what it shares with the parent left out
ENTITY_BYTES = 60 << 10  # measured: docs/performance.md
_PORT_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
_DEFAULT_PORTS = 28_232


@dataclass(frozen=True, slots=True)
class Needs:
    """What a run asks of the machine: its entities, over so many processes, and the servers it connects to."""

    entities: int
    processes: int
    urls: Sequence[str]

    @property
    def entities_of_worker(self) -> int:
        """How many entities the largest share has."""
        return math.ceil(self.entities / self.processes)


def ensure(needs: Needs) -> list[str]:
    """Raise this process's limits to what a run needs, and return what could run short all the same, in sentences.

    Workers inherit the limits. Raises `ConfigurationError` where the run cannot work.
    """
    return [*_ensure_files(needs), *_ports(needs), *_memory(needs)]


def _ensure_files(needs: Needs) -> Iterator[str]:
    """Raise the number of open files."""
    wanted = needs.entities_of_worker * SOCKETS_OF_ENTITY + FILES_APART
    allowed = _raise_files(wanted)
    if allowed >= wanted:
        return
    remedy = (
        f"raise it before the run: `ulimit -n {wanted}` where the hard limit allows it, else `sudo prlimit --pid $$ "
        f"--nofile={wanted}`, for good in /etc/security/limits.conf or systemd's LimitNOFILE"
    )
    if allowed < needs.entities_of_worker + FILES_APART:
        raise ConfigurationError(
            f"a worker process with {needs.entities_of_worker:,} entities needs {wanted:,} open files, and {allowed:,} "
            f"are allowed: {remedy}; or play fewer entities (NumActiveEntities), or by more processes (NumProcesses)"
        )
    yield f"only {allowed:,} of the {wanted:,} open files that could be needed are allowed; {remedy}."


def _raise_files(wanted: int) -> int:
    """Raise the limit of open files as far as it goes, at most to `wanted`, and return it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft >= wanted or soft == resource.RLIM_INFINITY:
        return wanted
    for new_hard in (max(hard, wanted), hard):
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (min(wanted, new_hard), new_hard))
        except (ValueError, OSError):  # only root may raise the hard limit, and not beyond the kernel's own
            continue
        return min(wanted, new_hard)
    return soft


def source_addresses(needs: Needs, server_url: str) -> list[str]:
    """Return the address that each worker connects from, or nothing where the system's choice does.

    On loopback each worker gets an address that no other process uses where one has not ports enough for all:
    127.64.x.y and up, x and y being the agent's process id.
    """
    host = urlsplit(server_url).hostname or ""
    if needs.entities * SOCKETS_OF_ENTITY <= ephemeral_ports() or not _is_loopback_v4(host):
        return []
    if sys.platform != "linux":  # elsewhere only 127.0.0.1 is there unless it was set up
        return []
    high, low = divmod(os.getpid() & 0xFFFF, 256)
    return [f"127.{64 + number % 128}.{high}.{low}" for number in range(needs.processes)]


def _ports(needs: Needs) -> Iterator[str]:
    """Tell where there are fewer ports than connections to one address."""
    ports = ephemeral_ports()
    for url in dict.fromkeys(needs.urls):
        entities = needs.entities_of_worker if source_addresses(needs, url) else needs.entities
        remedy = (
            '`sudo sysctl -w net.ipv4.ip_local_port_range="1024 65535"`, several addresses of the server behind one '
            "name, or more agents"
        )
        if entities > ports:
            raise ConfigurationError(
                f"{entities:,} websockets to {url} need a port each, and this machine has {ports:,}: {remedy}"
            )
        if entities * SOCKETS_OF_ENTITY > ports:
            yield (
                f"connections to {url} could need up to {entities * SOCKETS_OF_ENTITY:,} ports, and this machine has "
                f"{ports:,}; {remedy} would give more."
            )


def ephemeral_ports() -> int:
    """Return how many connections one address can make to one port of one server."""
    try:
        first, last = map(int, _PORT_RANGE.read_text().split())
    except (OSError, ValueError):  # not Linux
        return _DEFAULT_PORTS
    return last - first + 1


def _is_loopback_v4(host: str) -> bool:
    """Say whether a host is an IPv4 address of this machine's loopback, by number or by name."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        if host != "localhost":
            return False
        return socket.gethostbyname(host).startswith("127.")
    return address.version == 4 and address.is_loopback


def _memory(needs: Needs) -> Iterator[str]:
    """Tell where the entities will not fit into memory."""
    wanted = needs.processes * PROCESS_BYTES + needs.entities * ENTITY_BYTES
    available = available_memory_bytes()
    if available is not None and wanted > available:
        yield (
            f"{needs.entities:,} entities take about {wanted / 2**20:,.0f} MiB of memory, and {available / 2**20:,.0f} "
            "MiB are available: play fewer (NumActiveEntities), on more machines."
        )
