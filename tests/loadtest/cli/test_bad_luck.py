"""What may befall a server, or the agent's disk, during a run: the run goes on, and its summary says what happened.

After each mishap every sample that was taken is in the log, and requests succeed again.
"""

from __future__ import annotations

import asyncio
import re
import resource
import signal
import subprocess
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from mattermost_load_test.timings.reading import read_log

AgentHere = Any
"""An `Agent` of the conftest beside."""

DEADLINE_S = 90.0
CROWD = 500
"""Entities of a run that loses its server."""

BACKOFF_S = 3.0
"""The span of the first wait of a websocket that was cut, as `WebsocketOptions.first_backoff_s`."""


@pytest.fixture
async def crowd(agent_here: AgentHere, embedded: Any) -> AgentHere:
    """Give a run of 500 entities, each of which acts every five seconds, on a server that is filled."""
    agent_here.set(
        LoadtestEnviromentConfig_NumUsers=CROWD,
        LoadtestEnviromentConfig_NumDirectMessageChannels=0,
        LoadtestEnviromentConfig_NumGroupMessageChannels=0,
        ConnectionConfiguration_RequestTimeoutSeconds=30,
        UserEntitiesConfiguration_ActionRateMilliseconds=5000,
    )
    agent_here.set(UserEntitiesConfiguration_NumActiveEntities=CROWD, UserEntitiesConfiguration_TestLengthMinutes=60)
    assert (await agent_here.run("setup")).code == 0
    return agent_here


@pytest.fixture
async def few(agent_here: AgentHere) -> AgentHere:
    """Give a run of ten entities, each of which acts every half second, on a server that is filled."""
    agent_here.set(
        UserEntitiesConfiguration_ActionRateMilliseconds=500,
        UserEntitiesConfiguration_TestLengthMinutes=60,
        UserEntitiesConfiguration_MaxLoopLagMilliseconds=60_000,
    )
    assert (await agent_here.run("setup")).code == 0
    agent_here.set(ConnectionConfiguration_RequestTimeoutSeconds=1)
    return agent_here


async def until(condition: Callable[[], object], why: str) -> None:
    """Wait until something holds that is seen from here."""
    deadline_s = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline_s, f"waited in vain until {why}"
        await asyncio.sleep(0.02)


def timings_of(log: Path) -> Any:
    """Return what one agent's log holds of its run; it is read without a warning."""
    with log.open("rb") as stream:
        read = read_log(stream, str(log))
    assert read.warnings == ()
    (instance,) = read.instances.values()
    return instance.timings


def figure(ended: Any, name: str) -> str:
    """Return a row of the summary."""
    (row,) = [line for line in ended.stderr.splitlines() if line.startswith(f"{name} ")]
    return str(row.removeprefix(name).strip())


def errors_told(ended: Any) -> dict[str, int]:
    """Return the errors of the summary by kind."""
    return {
        kind: int(count.replace(",", "")) for kind, count in re.findall(r"([\w ]+): ([\d,]+)", figure(ended, "Errors"))
    }


async def ended_by_hand(running: Any) -> Any:
    """End a run and see that its log holds as many samples, and as many errors of each kind, as its summary."""
    running.signal(signal.SIGINT)
    ended = await running.ended()
    assert ended.code == 130, ended.stderr
    timings = timings_of(running.log)
    assert figure(ended, "Requests").split()[0] == f"{timings.hits:,}"
    logged = sum((Counter(route.error_kinds) for route in timings.routes.values()), Counter[str]())
    if logged:
        assert errors_told(ended) == logged
    return ended


async def until_succeeding(log: Path) -> None:
    """Wait until the log has requests that succeeded since now."""
    before = successes(log)
    await until(lambda: successes(log) > before, "requests succeed again")


def successes(log: Path) -> int:
    """Return how many requests of the run the log shows to have succeeded."""
    return sum(route.hits - route.errors for route in timings_of(log).routes.values())


async def test_a_server_that_restarts_under_500_entities(crowd: AgentHere, embedded: Any) -> None:
    """Connections are refused for a while, the websockets are cut: all come back, and the run goes on."""
    running = await crowd.start("search")
    await until(lambda: len(embedded.sockets.open) == CROWD, "all websockets are open")
    await embedded.faults.turn(refuse_connections=True)
    embedded.faults.drop_sockets()
    await running.until_logged('"kind":"connection"')
    await embedded.faults.rest()
    await until(lambda: len(embedded.sockets.open) == CROWD, "all websockets are open again")
    await until_succeeding(crowd.log)
    ended = await ended_by_hand(running)
    assert set(errors_told(ended)) == {"connection"}
    assert f"{CROWD} reconnects" in figure(ended, "Websockets")
    assert "0 dropped" in figure(ended, "Websockets")


async def test_500_websockets_cut_at_once_come_back_one_by_one(crowd: AgentHere, embedded: Any) -> None:
    """No herd: each waits a random part of three seconds, so that they come back evenly spread over them."""
    running = await crowd.start("search")
    await until(lambda: len(embedded.sockets.open) == CROWD, "all websockets are open")
    embedded.faults.drop_sockets()
    await until(lambda: not embedded.sockets.open, "all websockets are cut")
    cut_s = time.monotonic()
    seen = []
    while len(embedded.sockets.open) < CROWD:
        seen.append((time.monotonic() - cut_s, len(embedded.sockets.open)))
        assert seen[-1][0] < DEADLINE_S
        await asyncio.sleep(0.05)
    crowded = [(after_s, back) for after_s, back in seen if back > CROWD * after_s / BACKOFF_S + CROWD * 0.15]
    assert not crowded
    assert any(0.1 < after_s < BACKOFF_S for after_s, _ in seen), "it was not looked at in time"
    ended = await ended_by_hand(running)
    assert f"{CROWD} reconnects" in figure(ended, "Websockets")


@pytest.mark.slow
async def test_a_server_that_answers_500_for_a_while(few: AgentHere, embedded: Any) -> None:
    """Every request fails for a third of a minute: one line in the log, a count in the summary, and on it goes."""
    running = await few.start("basic")
    await running.until_logged('"tag":"timings"')
    await embedded.faults.turn(error_rate=1.0)
    embedded.faults.drop_sockets()
    await asyncio.sleep(20.0)  # that it lasts is the subject
    await embedded.faults.rest()
    await until(lambda: len(embedded.sockets.open) == 10, "all websockets are open again")
    await until_succeeding(few.log)
    ended = await ended_by_hand(running)
    assert errors_told(ended).keys() == {"500"}
    assert len([line for line in ended.lines if line.get("kind") == "500"]) == 1
    assert len([line for line in ended.lines if line.get("kind") == "websocket: 500"]) == 1
    assert "500" in figure(ended, "Failed")


@pytest.fixture
async def server_process(few: AgentHere) -> AsyncIterator[Any]:
    """Run `loadtest server` as a process of its own, filled, and point the agent at it."""
    running = await few.start("server", "--port", "0")
    assert running.process.stdout is not None
    async with asyncio.timeout(DEADLINE_S):
        line = (await running.process.stdout.readline()).decode()
    few.set(ConnectionConfiguration_ServerURL=line.split()[-1])
    yield running.process
    with suppress(ProcessLookupError):
        running.process.send_signal(signal.SIGCONT)


@pytest.mark.slow
async def test_a_server_that_hangs(few: AgentHere, server_process: Any) -> None:
    """Stopped, it accepts connections and never answers: requests time out, and when it goes on, so does the run."""
    running = await few.start("basic")
    await running.until_logged('"tag":"timings"')
    server_process.send_signal(signal.SIGSTOP)
    await running.until_logged('"kind":"timeout"')
    server_process.send_signal(signal.SIGCONT)
    await until_succeeding(few.log)
    ended = await ended_by_hand(running)
    assert errors_told(ended).keys() == {"timeout"}
    assert len([line for line in ended.lines if line.get("kind") == "timeout"]) == 1


async def test_a_server_that_is_killed(few: AgentHere, server_process: Any) -> None:
    """It never comes back: the run lasts its time all the same, and its figures say from when on nothing worked."""
    few.set(UserEntitiesConfiguration_TestLengthMinutes=0.15)
    running = await few.start("basic")
    await running.until_logged('"tag":"timings"')
    server_process.kill()
    ended = await running.ended()
    assert ended.code == 0, ended.stderr
    timings = timings_of(few.log)
    assert figure(ended, "Requests").split()[0] == f"{timings.hits:,}"
    assert errors_told(ended).keys() == {"connection"}
    assert successes(few.log) > 0


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Give a disk of 96 kB of its own; needs to be root."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=96k", "tmpfs", disk], capture_output=True)
    if mounted.returncode:
        pytest.skip("mounting a small disk needs root")
    yield disk
    subprocess.run(["umount", disk], check=True)


@pytest.mark.slow
async def test_a_disk_that_fills_under_everything(few: AgentHere, embedded: Any, small_disk: Path) -> None:
    """Log and report share a disk that fills: the run ends with 1, the report is shown, no line is cut off."""
    agent = type(few)(small_disk).use(embedded)
    agent.set(UserEntitiesConfiguration_TestLengthMinutes=60)
    ended = await agent.run("all")
    assert ended.code == 1
    assert "No space left" in ended.error
    assert str(small_disk / "loadtest.log") in ended.error
    assert "Timings Report" in ended.stderr
    assert agent.log.read_bytes().endswith(b"\n")
    assert timings_of(agent.log).hits > 0
    elsewhere = few.folder / "stdout.log"
    elsewhere.write_text(ended.stdout)
    assert figure(ended, "Requests").split()[0] == f"{timings_of(elsewhere).hits:,}"


async def test_a_log_that_may_not_grow_ends_the_run(few: AgentHere) -> None:
    """A limit on the size of files (`ulimit -f`) is met as a full disk is, and the report is written beside the log."""
    running = await few.start("all")
    await running.until_logged('"tag":"timings"')
    limit_bytes = few.log.stat().st_size + 20_000
    resource.prlimit(running.process.pid, resource.RLIMIT_FSIZE, (limit_bytes, limit_bytes))
    ended = await running.ended()
    assert ended.code == 1
    assert "File too large" in ended.error
    assert few.log.read_bytes().endswith(b"\n")
    assert (few.folder / "results.txt").read_text() in ended.stderr
