"""The SSH connections to the hosts of a fleet, one each, and work on several hosts at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from mattermost_load_test.ltops.hosts.fleet import Fleet, Host
from mattermost_load_test.ltops.ssh.connection import Connection, Login, Tell

MAX_AT_ONCE = 32

Result = TypeVar("Result")


class Connections:
    """Connections that are made when they are needed; `log` is told the commands that are run on them."""

    def __init__(self, fleet: Fleet, log: Tell = lambda words: None) -> None:
        self._of = {host.name: Connection(login_of(fleet, host), log) for host in fleet.hosts}

    def to(self, host: Host) -> Connection:
        """Return the connection to a host."""
        return self._of[host.name]

    def close(self) -> None:
        """End all connections; the next use makes others."""
        for connection in self._of.values():
            connection.close()


def login_of(fleet: Fleet, host: Host) -> Login:
    """Return how to log in on a host."""
    key, known, hint = fleet.key_file, fleet.known_hosts_file, fleet.if_silent
    return Login(host.name, host.address, host.port, fleet.ssh_user, key, known, hint)


def side_by_side(hosts: Sequence[Host], ask: Callable[[Host], Result]) -> list[Result]:
    """Do something for several hosts at once and return what came of it, in their order; raises the first's error."""
    if len(hosts) < 2:
        return [ask(host) for host in hosts]
    with ThreadPoolExecutor(max_workers=min(MAX_AT_ONCE, len(hosts))) as pool:
        return list(pool.map(ask, hosts))
