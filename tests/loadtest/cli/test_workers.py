"""An agent of several processes: what becomes of it when one of them, its parent or its machine fails."""

from __future__ import annotations

import asyncio
import json
import os
import re
import resource
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from mattermost_load_test.timings.reading import Instance, read_log

AgentHere = Any
"""An `Agent` of the conftest beside."""

DEADLINE_S = 60.0


@pytest.fixture
async def two_workers(agent_here: AgentHere) -> AgentHere:
    """Give an agent of two workers with five entities each, on a server that is filled."""
    agent_here.set(UserEntitiesConfiguration_ActionRateMilliseconds=300)
    assert (await agent_here.run("basic", "--processes", "1")).code in (0, 4)  # a crowded machine may be late here
    agent_here.log.unlink()
    agent_here.set(UserEntitiesConfiguration_NumProcesses=2)
    return agent_here


def workers_of(running: Any) -> dict[str, int]:
    """Return the process ids of an agent's workers by their names, those only that are not dead yet."""
    parent = running.process.pid
    found = {}
    for child in Path(f"/proc/{parent}/task/{parent}/children").read_text().split():
        folder = Path(f"/proc/{child}")
        if folder.joinpath("stat").read_text().rpartition(")")[2].split()[0] != "Z":
            found[folder.joinpath("comm").read_text().strip()] = int(child)
    return found


async def until(true: Callable[[], bool]) -> None:
    """Wait until something is true."""
    async with asyncio.timeout(DEADLINE_S):
        while not true():  # noqa: ASYNC110 — other processes give no event
            await asyncio.sleep(0.02)


def is_there(pid: int) -> bool:
    """Say whether a process is there and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def logged(agent: AgentHere) -> Instance:
    """Return what the log holds of the run; every line of it must be whole."""
    with agent.log.open("rb") as stream:
        read = read_log(stream, "log")
    assert read.warnings == ()
    (instance,) = read.instances.values()
    return instance


def counted(ended: Any, row: str) -> int:
    """Return the first number of a row of the summary."""
    (found,) = re.findall(rf"^{row} +([\d,]+)", ended.stderr, re.MULTILINE)
    return int(found.replace(",", ""))


async def test_entities_are_shared_out(two_workers: AgentHere) -> None:
    """Two workers play five users each: one log, one summary, every sample in both."""
    two_workers.set(UserEntitiesConfiguration_TestLengthMinutes=0.1)
    running = await two_workers.start("basic")
    await running.until_logged('"tag":"timings"')
    assert sorted(workers_of(running)) == ["loadtest-0", "loadtest-1"]
    ended = await running.ended()
    assert "10 of 10" in ended.stderr
    assert re.search(r"^Workers +2, up to \d+ % of a core", ended.stderr, re.MULTILINE)
    assert logged(two_workers).timings.hits == counted(ended, "Requests")
    (health,) = [line for line in ended.lines if line.get("tag") == "health"][-1:]
    assert [(worker["worker"], worker["entities"]) for worker in health["workers"]] == [(0, 5), (1, 5)]


@pytest.mark.parametrize("flags", [(), ("--no-restart",)], ids=["restart", "no restart"])
async def test_a_worker_killed_under_load_is_named_and_replaced(
    two_workers: AgentHere, embedded: Any, flags: tuple[str, ...]
) -> None:
    """SIGKILL of one: the run goes on, the summary tells what was lost, the entities come back if wanted; exit 1."""
    two_workers.set(UserEntitiesConfiguration_TestLengthMinutes=0.15)
    running = await two_workers.start("basic", *flags)
    await running.until_logged('"tag":"timings"')
    killed = workers_of(running)["loadtest-1"]
    os.kill(killed, signal.SIGKILL)
    await running.until_logged("A worker died")
    before = set(embedded.state.posts.by_id)
    ended = await running.ended()
    assert ended.code == 1, ended.stderr
    assert f"worker 1 (process {killed}) was killed by SIGKILL" in ended.error
    assert "its 5 entities were cut off" in ended.error
    assert f"WARNING: worker 1 (process {killed}) was killed by SIGKILL" in ended.stderr
    (told,) = ended.told("A worker died")
    assert (told["worker"], told["entities"], told["restarted"]) == (1, 5, not flags)
    posters = {post.user_id for post in embedded.state.posts.by_id.values() if post.id not in before and not post.type}
    names = {embedded.state.users.by_id[user_id].username for user_id in posters}
    assert names >= {f"user{number}" for number in range(5)}
    assert bool(names & {f"user{number}" for number in range(5, 10)}) is not bool(flags)
    assert logged(two_workers).timings.hits > 0


async def test_an_agent_whose_workers_are_all_dead_ends(two_workers: AgentHere) -> None:
    """Nobody is left to act: the run of an hour is over, with what it measured until then."""
    two_workers.set(UserEntitiesConfiguration_TestLengthMinutes=60)
    running = await two_workers.start("basic", "--no-restart")
    await running.until_logged('"tag":"timings"')
    for pid in workers_of(running).values():
        os.kill(pid, signal.SIGKILL)
    ended = await running.ended()
    assert ended.code == 1
    assert "no worker is left" in ended.error
    assert "Timings Report" in ended.stderr


async def test_what_dies_again_and_again_is_given_up(two_workers: AgentHere) -> None:
    """The entities of one worker are begun anew three times, not for ever."""
    two_workers.set(UserEntitiesConfiguration_TestLengthMinutes=60, UserEntitiesConfiguration_NumProcesses=1)
    running = await two_workers.start("basic")
    await running.until_logged('"tag":"timings"')
    dead: set[int] = set()
    for _ in range(4):
        await until(lambda: bool(set(workers_of(running).values()) - dead))
        (pid,) = set(workers_of(running).values()) - dead
        os.kill(pid, signal.SIGKILL)
        dead.add(pid)
    ended = await running.ended()
    assert ended.code == 1
    assert [line["restarted"] for line in ended.told("A worker died")] == [True, True, True, False]


async def scraped(url: str) -> dict[str, float]:
    """Return the figures that the agent tells Prometheus, by name and labels."""
    async with aiohttp.ClientSession() as http, http.get(url) as answer:
        lines = (await answer.text()).splitlines()
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines if line[:1] != "#")}


@pytest.mark.slow
async def test_a_stdout_that_nobody_reads(two_workers: AgentHere) -> None:
    """Metrics go on, the first Ctrl-C ends the run with its report, and it is said what nobody has read."""
    two_workers.set(
        UserEntitiesConfiguration_TestLengthMinutes=60,
        UserEntitiesConfiguration_ActionRateMilliseconds=20,
        UserEntitiesConfiguration_MaxLatenessMilliseconds=60_000,
        ResultsConfiguration_MetricsAddress="127.0.0.1:0",
    )
    reading, writing = os.pipe()
    running = await two_workers.start("all", stdout=writing)
    os.close(writing)
    await running.until_logged("Metrics for Prometheus")
    url = next(line["url"] for line in map(json.loads, two_workers.log.read_text().splitlines()) if "url" in line)
    await until(lambda: two_workers.log.stat().st_size > 4 << 16)  # four times what a pipe holds
    before = sum(value for name, value in (await scraped(url)).items() if name.startswith("loadtest_actions_total"))
    async with asyncio.timeout(DEADLINE_S):
        while True:
            now = await scraped(url)
            if sum(value for name, value in now.items() if name.startswith("loadtest_actions_total")) > before:
                break
            await asyncio.sleep(0.1)
    running.process.send_signal(signal.SIGINT)
    ended = await running.ended()
    os.close(reading)
    assert ended.code == 130
    assert "stdout is not read: the last " in ended.stderr
    assert f"{two_workers.log} has every line" in ended.stderr
    assert "Scenario    all on" in ended.stderr
    lines = [json.loads(line) for line in two_workers.log.read_text().splitlines()]
    assert samples_in(lines) == counted(ended, "Requests")


@pytest.mark.slow
async def test_a_worker_that_stands_still_loses_nothing(two_workers: AgentHere) -> None:
    """SIGSTOP for ten seconds: lateness tells of it, so that nobody trusts the figures; every sample is there."""
    two_workers.set(
        UserEntitiesConfiguration_TestLengthMinutes=0.4, UserEntitiesConfiguration_MaxLatenessMilliseconds=1000
    )
    running = await two_workers.start("basic")
    await running.until_logged('"tag":"timings"')
    stopped = workers_of(running)["loadtest-0"]
    os.kill(stopped, signal.SIGSTOP)
    await asyncio.sleep(10.0)  # the time itself is the subject
    os.kill(stopped, signal.SIGCONT)
    ended = await running.ended()
    assert ended.code == 4, ended.stderr
    assert "agent saturated" in ended.stderr
    assert "0 errors" in ended.stderr
    assert logged(two_workers).timings.hits == counted(ended, "Requests")
    (health,) = [line for line in ended.lines if line.get("tag") == "health"][-1:]
    stood_still, other = health["workers"]
    assert stood_still["lateness_p99_ms"] > 8000
    assert stood_still["loop_lag_p99_ms"] > 8000
    assert other["loop_lag_p99_ms"] < 8000


async def test_a_worker_out_of_open_files_goes_on(two_workers: AgentHere) -> None:
    """Connections that cannot be made are failures of kind connection, told with the remedy; then all goes on."""
    two_workers.set(UserEntitiesConfiguration_TestLengthMinutes=60, UserEntitiesConfiguration_ActionRateMilliseconds=50)
    running = await two_workers.start("all")
    await running.until_logged('"tag":"timings"')
    pids = workers_of(running).values()
    for pid in pids:
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (1, 20_000))
    await running.until_logged("too many open files")
    for pid in pids:
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (1024, 20_000))
    at_bytes = two_workers.log.stat().st_size
    await until(lambda: b'"GET /plugins/webapp"' in two_workers.log.read_bytes()[at_bytes:])  # after a reconnection
    running.signal(signal.SIGINT)
    ended = await running.ended()
    assert ended.code == 130
    assert "died" not in ended.stderr
    assert "ulimit -n" in two_workers.log.read_text()


def samples_in(lines: list[dict[str, Any]]) -> int:
    """Return how many samples stand in lines of a log."""
    timings = [line["timings"] for line in lines if line.get("tag") == "timings"]
    return sum(route["NumHits"] for one in timings for route in one["Routes"].values())


@pytest.mark.slow
async def test_a_slow_reader_of_stdout_holds_nobody_up(two_workers: AgentHere) -> None:
    """Nobody reads the log on stdout until the time is up: entities act on, and every line is there in the end."""
    two_workers.set(
        UserEntitiesConfiguration_TestLengthMinutes=0.2,
        UserEntitiesConfiguration_ActionRateMilliseconds=20,
        UserEntitiesConfiguration_MaxLatenessMilliseconds=60_000,
        LogSettings_EnableFile="false",
    )
    reading, writing = os.pipe()
    running = await two_workers.start("all", stdout=writing)
    os.close(writing)
    await asyncio.sleep(16.0)  # the run and more: a pipe holds 64 KiB, the run makes several times that
    with os.fdopen(reading, "rb") as stream:
        written = await asyncio.to_thread(stream.read)
    ended = await running.ended()
    assert len(written) > 2 << 16
    lines = [json.loads(line) for line in written.splitlines()]
    assert samples_in(lines) == counted(ended, "Requests")
    begun_s, stopped_s = (
        next(line["ts"] for line in lines if line["msg"] == message)
        for message in ("Entities begin to act", "Stopping the entities")
    )
    last_s = max(line["start"] for line in lines if line.get("tag") == "timings")
    assert begun_s + 9 < last_s < begun_s + 25
    assert stopped_s >= begun_s + 12


@pytest.mark.slow
async def test_a_thousand_entities_reconnect_at_once(agent_here: AgentHere, embedded: Any) -> None:
    """A server that drops every websocket gets all of them back, each with what it missed, and no error."""
    agent_here.set(
        LoadtestEnviromentConfig_NumUsers=1000,
        UserEntitiesConfiguration_NumActiveEntities=1000,
        UserEntitiesConfiguration_ActionRateMilliseconds=20_000,
        UserEntitiesConfiguration_TestLengthMinutes=60,
        UserEntitiesConfiguration_DoStatusPolling="false",
        ConnectionConfiguration_RequestTimeoutSeconds=60,
    )
    running = await agent_here.start("search", "--processes", "2")
    await until_open(embedded, 1000)
    embedded.faults.drop_sockets()
    await until(lambda: sockets_open(embedded) < 1000)
    await until_open(embedded, 1000)
    running.signal(signal.SIGINT)
    ended = await running.ended()
    assert ended.code == 130, ended.stderr
    assert "0 errors" in ended.stderr
    (seen,) = re.findall(r"^Websockets .*", ended.stderr, re.MULTILINE)
    assert "0 missed, 0 dropped" in seen
    assert int(seen.split()[-2].replace(",", "")) >= 1000


async def until_open(embedded: Any, number: int) -> None:
    """Wait until so many websockets are open."""
    await until(lambda: sockets_open(embedded) >= number)


def sockets_open(embedded: Any) -> int:
    """Return how many websockets the server has open."""
    return len(embedded.sockets.open)


async def test_entities_connect_at_a_set_rate(two_workers: AgentHere, embedded: Any) -> None:
    """Five a second, shared by two workers: from the first to the tenth it takes at least 1.6 s."""
    two_workers.set(
        UserEntitiesConfiguration_TestLengthMinutes=60,
        UserEntitiesConfiguration_ActionRateMilliseconds=100,
        ConnectionConfiguration_ConnectsPerSecond=5,
    )
    running = await two_workers.start("search")
    await until_open(embedded, 1)
    first_s = time.monotonic()
    await until_open(embedded, 10)
    assert time.monotonic() - first_s > 1.2
    running.signal(signal.SIGINT)
    assert (await running.ended()).code == 130


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
async def test_no_process_is_left_behind(two_workers: AgentHere, number: signal.Signals) -> None:
    """However the parent ends, its workers end with it."""
    two_workers.set(UserEntitiesConfiguration_TestLengthMinutes=60)
    running = await two_workers.start("basic")
    await running.until_logged('"tag":"timings"')
    pids = list(workers_of(running).values())
    running.signal(number)
    ended = await running.ended()
    assert ended.code == (-signal.SIGKILL if number == signal.SIGKILL else 130)
    await until(lambda: not any(map(is_there, pids)))


async def test_a_signal_to_the_whole_group_ends_in_order(two_workers: AgentHere) -> None:
    """A terminal's Ctrl-C and a service manager's SIGTERM reach every process: no worker counts as dead for it."""
    two_workers.set(UserEntitiesConfiguration_TestLengthMinutes=60)
    running = await two_workers.start("basic")
    await running.until_logged('"tag":"timings"')
    for pid in (*workers_of(running).values(), running.process.pid):
        os.kill(pid, signal.SIGTERM)
    ended = await running.ended()
    assert ended.code == 130
    assert "died" not in ended.stderr
    assert logged(two_workers).timings.hits == counted(ended, "Requests")


async def test_sessions_are_kept_and_dead_ones_replaced(two_workers: AgentHere, embedded: Any) -> None:
    """With a token cache the second run logs nobody in but those whose session has ended; no token is shown."""
    cache = two_workers.folder / "tokens"
    first = await two_workers.run("basic", "--token-cache", str(cache))
    assert [line["entities"] for line in first.told("Logged in the entities")] == [10]
    assert cache.stat().st_mode & 0o777 == 0o600
    embedded.state.sessions.revoke_all(embedded.state.users.by_username["user3"].id)
    second = await two_workers.run("basic", "--token-cache", str(cache))
    (checked,) = second.told("Checked the kept sessions")
    assert (checked["alive"], checked["dead"]) == (9, 1)
    assert [line["entities"] for line in second.told("Logged in the entities")] == [1]
    assert "10 of 10" in second.stderr
    tokens = {json.loads(line)["token"] for line in cache.read_text().splitlines()}
    assert len(tokens) == 11
    assert not [token for token in tokens if token in second.stdout + second.stderr]


async def test_a_cache_that_others_can_read_is_refused(agent: AgentHere) -> None:
    """Before anything is done: 2, and the command that mends it."""
    cache = agent.folder / "tokens"
    cache.touch()
    cache.chmod(0o644)
    ended = await agent.run("basic", "--token-cache", str(cache))
    assert ended.code == 2
    assert f"chmod 600 {cache}" in ended.error


@pytest.mark.parametrize("value", ["0", "-1", "many", "1025"])
async def test_a_number_of_processes_that_cannot_be(agent: AgentHere, value: str) -> None:
    """Wrong use ends with 2."""
    ended = await agent.run("basic", "--processes", value)
    assert ended.code == 2
    assert "--processes" in ended.stderr
