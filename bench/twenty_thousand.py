"""Benchmark 5: an agent with 20,000 entities at the default action rate, status polling on, held on this machine.

The whole command is measured, as a user runs it, against the embedded server in a process of its own: parent and worker
processes, their memory by the kernel's proportional share (what workers share with the parent counts once), their CPU.
Websockets end in a front of several processes (`bench.front`), since one may not hold 20,000 of them everywhere.
"""

from __future__ import annotations

import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from bench.front import fronts
from bench.tables import Table, show

LOADTEST = (sys.executable, "-m", "mattermost_load_test.loadtest.cli")
ACTION_RATE_MS = 240_000
EVENTS_PER_S = 0.05  # to each websocket, as the embedded server's own channels gave
MIB = 1024.0
TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def configuration(entities: int, minutes: float, processes: int) -> dict[str, dict[str, object]]:
    """Return a configuration: 400 channels, the largest with 1 % of the users, so that one post is told to 200."""
    return {
        "ConnectionConfiguration": {"MaxLoginsInFlight": 32},
        "LoadtestEnviromentConfig": {
            "NumTeams": 1,
            "NumChannelsPerTeam": 300,
            "NumPrivateChannelsPerTeam": 100,
            "NumUsers": entities,
            "NumDirectMessageChannels": 0,
            "NumGroupMessageChannels": 0,
            "NumEmoji": 0,
            "NumPlugins": 0,
            "NumPosts": 0,
            "NumTeamSchemes": 0,
            "NumChannelSchemes": 0,
            "PercentUsersHighVolumeTeams": 1.0,
            "PercentUsersHighVolumeChannel": 0.01,
        },
        "UserEntitiesConfiguration": {
            "NumActiveEntities": entities,
            "NumProcesses": processes,
            "ActionRateMilliseconds": ACTION_RATE_MS,
            "TestLengthMinutes": minutes,
        },
        "ResultsConfiguration": {"PProfDelayMinutes": 0},
    }


@dataclass(slots=True)
class Seen:
    """What was seen of a process: its CPU so far, and the most memory it had, in KiB."""

    cpu_s: float = 0.0
    share_kib: int = 0
    resident_kib: int = 0


@dataclass(slots=True)
class Agent:
    """What was seen of a run's processes, by id."""

    processes: dict[int, Seen] = field(default_factory=dict)
    together_kib: int = 0

    def look(self, pid: int) -> None:
        """Look at the process and its children."""
        together_kib = 0
        for process in (pid, *_children(pid)):
            memory = _memory_kib(process)
            if memory is None:
                continue
            seen = self.processes.setdefault(process, Seen())
            seen.cpu_s = _cpu_s(process)
            seen.share_kib, seen.resident_kib = max(seen.share_kib, memory[0]), max(seen.resident_kib, memory[1])
            together_kib += memory[0]
        self.together_kib = max(self.together_kib, together_kib)


def _children(pid: int) -> list[int]:
    return [int(child) for child in _text(f"/proc/{pid}/task/{pid}/children").split()]


def _memory_kib(pid: int) -> tuple[int, int] | None:
    """Return a process's proportional share of memory and what it has resident; None when it has ended."""
    sizes = re.findall(r"^(Pss|Rss): +(\d+)", _text(f"/proc/{pid}/smaps_rollup"), re.MULTILINE)
    found = {name: int(size) for name, size in sizes}
    return (found["Pss"], found["Rss"]) if found else None


def _cpu_s(pid: int) -> float:
    """Return the CPU that a process has used, of user and system."""
    fields = _text(f"/proc/{pid}/stat").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_S if fields else 0.0


def _text(path: str) -> str:
    """Return what a file of /proc holds, nothing when the process has ended."""
    try:
        return Path(path).read_text()
    except OSError:
        return ""


@contextmanager
def _server(folder: Path) -> Iterator[tuple[str, int]]:
    """Run the embedded server with the configuration's population, and give its URL and process id."""
    process = subprocess.Popen((*LOADTEST, "server", "--port", "0"), cwd=folder, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        for line in process.stdout:
            if match := re.search(r"listens on (\S+)", line):
                yield match[1], process.pid
                return
        raise SystemExit("the embedded server did not start; its message stands above")
    finally:
        process.terminate()
        process.wait(60)


@contextmanager
def _target(folder: Path, front_count: int) -> Iterator[tuple[str, Sequence[int]]]:
    """Run the server and what stands before it, and give the URL for the agent and all its process ids."""
    with _server(folder) as (url, server):
        if not front_count:
            yield url, [server]
            return
        with fronts(url, front_count, EVENTS_PER_S) as front:
            yield front.url, [server, *front.pids]


def _run(folder: Path, url: str) -> tuple[Agent, int]:
    """Run the agent, looking at its processes every two seconds, and return what was seen and its exit code."""
    environment = os.environ | {"MMLOADTEST_CONNECTIONCONFIGURATION_SERVERURL": url}
    agent = Agent()
    with (folder / "summary").open("wb") as summary, (folder / "out").open("wb") as out:
        process = subprocess.Popen((*LOADTEST, "all"), cwd=folder, env=environment, stdout=out, stderr=summary)
        while process.poll() is None:
            agent.look(process.pid)
            time.sleep(2.0)
    return agent, process.returncode


def _lines(log: Path, key: str, value: str) -> list[dict[str, Any]]:
    """Return the lines of a log in which a field has a value."""
    return [line for line in map(json.loads, log.read_text().splitlines()) if line.get(key) == value]


@click.command()
@click.option("--rounds", default=1, show_default=True, help="How often it runs; each round is a row.")
@click.option("--entities", default=20_000, show_default=True, help="User entities, each a user of its own.")
@click.option("--minutes", default=5.0, show_default=True, help="How long they act; the first two, they connect.")
@click.option("--processes", default=2, show_default=True, help="Worker processes.")
@click.option("--fronts", "front_count", default=2, show_default=True, help="Processes of the front; 0: none.")
@click.option("--seconds", default=0.0, hidden=True, help="Of other benchmarks.")
def main(rounds: int, entities: int, minutes: float, processes: int, front_count: int, seconds: float) -> None:
    """Hold 20,000 entities at the default action rate, with status polling, against the embedded server."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))  # without a front the server takes all in one process
    rows = []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            (folder / "loadtestconfig.json").write_text(json.dumps(configuration(entities, minutes, processes)))
            with _target(folder, front_count) as (url, servers):
                begun_s, before_s = time.monotonic(), sum(map(_cpu_s, servers))
                agent, code = _run(folder, url)
                rows.append(_row(folder, agent, code, time.monotonic() - begun_s, sum(map(_cpu_s, servers)) - before_s))
            print((folder / "summary").read_text(), file=sys.stderr)
            for line in _lines(folder / "loadtest.log", "level", "warn"):  # what failed, so that it can be traced
                print(line, file=sys.stderr)
    columns = (
        "entities", "exit code", "most sockets", "requests/s", "events/s", "errors", "lateness p99 ms",
        "CPU % of a core, each worker", "agent CPU s", "server CPU s", "wall s", "agent MiB", "KiB an entity",
    )  # fmt: skip
    show(Table(f"{entities:,} entities, an action every {ACTION_RATE_MS / 1000:.0f} s each", columns, rows))


def _row(folder: Path, agent: Agent, code: int, wall_s: float, server_cpu_s: float) -> tuple[str, ...]:
    """Return what a run came to."""
    log = folder / "loadtest.log"
    (health,) = _lines(log, "tag", "health")[-1:]
    progress = [line for line in _lines(log, "msg", "Progress") if line["phase"] == "Running"]
    last = progress[-1]
    workers = health["workers"]
    entities = sum(worker["entities"] for worker in workers)
    elapsed_s = last["elapsed_s"]
    return (
        f"{entities:,}",
        str(code),
        f"{max(line['sockets_open'] for line in progress):,}",
        f"{last['requests'] / elapsed_s:,.0f}",
        f"{last['websocket_events'] / elapsed_s:,.0f}",
        f"{last['errors']:,}",
        f"{health['lateness_p99_ms']:,.1f}",
        ", ".join(f"{worker['cpu_percent']:.0f}" for worker in workers),
        f"{sum(seen.cpu_s for seen in agent.processes.values()):,.0f}",
        f"{server_cpu_s:,.0f}",
        f"{wall_s:,.0f}",
        f"{agent.together_kib / MIB:,.0f}",
        f"{agent.together_kib / entities:,.1f}",
    )


if __name__ == "__main__":
    main()
