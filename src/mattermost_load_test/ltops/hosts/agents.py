"""The agents on hosts: a job is a unit of systemd on each, in a folder of its own, and goes on without us."""

from __future__ import annotations

import shlex
import time
from collections.abc import Sequence
from typing import ClassVar

from mattermost_load_test.ltops.hosts.connections import Connections, side_by_side
from mattermost_load_test.ltops.hosts.fleet import Fleet, Host
from mattermost_load_test.ltops.providers.base import CONFIGURATION_FILE, OUTPUT_FILE, AgentState, Digest, Job
from mattermost_load_test.ltops.roles.agent_host import ACCOUNT, CURRENT, EXIT_FILE, JOBS, START_FILE
from mattermost_load_test.ltops.ssh.commands import as_root, run_well
from mattermost_load_test.ltops.ssh.uploads import RemoteFile, write_files

READ_BYTES = 1 << 20
CLOCK_ASKS = 5
DIGEST_S = 600.0
_UNITS = "mattermost-load-test@*.service"


class HostAgents:
    """See `Agents`. A connection that was lost is made again by the next call."""

    starts_again: ClassVar[bool] = False
    come_with_a_job: ClassVar[bool] = False

    def __init__(self, fleet: Fleet) -> None:
        self._hosts = fleet.of_role("loadtest")
        self._connections = Connections(fleet)

    def clock_offsets_ms(self) -> Sequence[float]:
        """Return by how much each host's clock is ahead of ours: of some answers the one that came soonest tells."""
        return side_by_side(self._hosts, self._clock_offset_ms)

    def start(self, job: Job) -> None:
        """Start a job on its hosts; on all of them what runs of an earlier one is ended, and its folders go."""
        side_by_side(self._hosts, lambda host: self._start(host, job))

    def states(self, job_id: str, count: int) -> Sequence[AgentState]:
        """Return how each agent of a job is."""
        return side_by_side(self._hosts[:count], lambda host: self._state(host, job_id))

    def read(self, job_id: str, index: int, file: str, offset: int) -> bytes:
        """Return a piece of a file from `offset` on."""
        path = shlex.quote(f"{JOBS}/{job_id}/{file}")
        script = f"test ! -f {path} || tail -c +{offset + 1} {path} | head -c {READ_BYTES}"
        return run_well(self._connections.to(self._hosts[index]), as_root(script)).output

    def digest(self, job_id: str, index: int, file: str) -> Digest | None:
        """Return a file's size and checksum."""
        path = shlex.quote(f"{JOBS}/{job_id}/{file}")
        script = f"test ! -f {path} || {{ stat -c %s {path}; sha256sum < {path}; }}"
        words = run_well(self._connections.to(self._hosts[index]), as_root(script), timeout_s=DIGEST_S).text.split()
        return Digest(int(words[0]), words[1]) if words else None

    def home(self, job_id: str, index: int) -> str:
        """Return nothing: files stay where they are."""
        return ""

    def stop(self, job_id: str, count: int) -> None:
        """Let systemd send each agent SIGINT, and end it by force when it takes too long."""
        script = as_root(f"systemctl stop --no-block {shlex.quote(_unit(job_id))}")
        side_by_side(self._hosts[:count], lambda host: run_well(self._connections.to(host), script))

    def release(self, job_id: str) -> None:
        """Do nothing: the files of a job stay until the next, for `collect`."""

    def close(self) -> None:
        """End the connections."""
        self._connections.close()

    def _clock_offset_ms(self, host: Host) -> float:
        connection = self._connections.to(host)
        found = []
        for _ in range(CLOCK_ASKS):
            asked_s = time.time()
            there_s = int(run_well(connection, "date +%s%N").text) / 1e9
            took_s = time.time() - asked_s
            found.append((took_s, (there_s - asked_s - took_s / 2) * 1000))
        return min(found)[1]

    def _start(self, host: Host, job: Job) -> None:
        """End what runs on a host, and start a job there if it is one of its."""
        connection = self._connections.to(host)
        run_well(connection, as_root(f"systemctl stop '{_UNITS}'\nrm -rf {JOBS}/*"), timeout_s=120.0)
        if host not in self._hosts[: job.count]:
            return
        place = f"{JOBS}/{job.id}"
        run_well(connection, as_root(f"install -d -m 700 -o {ACCOUNT} -g {ACCOUNT} {shlex.quote(place)}"))
        index = self._hosts.index(host)
        command = shlex.join([f"{CURRENT}/venv/bin/loadtest", *job.arguments(str(index))])
        configuration = job.configurations[index % len(job.configurations)]
        files = {
            CONFIGURATION_FILE: configuration,
            START_FILE: f"exec {command} > /dev/null 2> {OUTPUT_FILE}\n".encode(),
        }
        write_files(
            connection,
            [RemoteFile(f"{place}/{name}", content, 0o600, ACCOUNT, ACCOUNT) for name, content in files.items()],
        )
        run_well(connection, as_root(f"systemctl start {shlex.quote(_unit(job.id))}"))

    def _state(self, host: Host, job_id: str) -> AgentState:
        unit, place = shlex.quote(_unit(job_id)), shlex.quote(f"{JOBS}/{job_id}")
        script = f"systemctl is-active {unit} || true\ncat {place}/{EXIT_FILE} 2>/dev/null || true"
        said = run_well(self._connections.to(host), as_root(script)).text.splitlines()
        if len(said) > 1:
            return _ended(said[1])
        if said and said[0] in ("active", "activating", "deactivating"):
            return AgentState("running")
        return AgentState(
            "lost", reason="its process is gone: it never began, the host was started anew, or another job came"
        )


def _unit(job_id: str) -> str:
    return f"mattermost-load-test@{job_id}.service"


def _ended(said: str) -> AgentState:
    """Return the state that stands in an exit file: systemd's words for the result, the way and the status."""
    result, way, status = (*said.split(), "", "")[:3]
    if result == "oom-kill":
        return AgentState("lost", reason="it was killed: the host had no memory left")
    if way == "exited" and status.isdecimal():
        return AgentState("ended", int(status))
    return AgentState("lost", reason=f"its process was killed ({status or result})")
