"""Runs that are ended from outside: by Ctrl-C, once and twice, by SIGTERM, by SIGKILL."""

from __future__ import annotations

import asyncio
import json
import signal
import time
from typing import Any

import aiohttp
import pytest

from mattermost_load_test.timings.reading import read_log

AgentHere = Any
"""An `Agent` of the conftest beside."""


@pytest.fixture
async def long_run(agent_here: AgentHere) -> AgentHere:
    """Give a run of an hour on a server that is filled."""
    assert (await agent_here.run("basic")).code == 0
    agent_here.log.unlink()
    agent_here.set(UserEntitiesConfiguration_TestLengthMinutes=60)
    return agent_here


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_an_interrupted_run_is_reported(long_run: AgentHere, number: signal.Signals) -> None:
    """Entities stop, samples in hand are written, the report is made; the exit code is 130."""
    running = await long_run.start("all")
    await running.until_logged("Entities begin to act")
    await running.until_logged('"GET /plugins/webapp"')
    running.signal(number)
    ended = await running.ended()
    assert ended.code == 130
    assert "interrupted" in ended.stderr
    assert "Timings Report" in ended.stderr
    assert "stopped by" in ended.error
    assert (long_run.folder / "results.txt").read_text() in ended.stderr


async def test_samples_in_hand_are_written(long_run: AgentHere) -> None:
    """What was measured just before the end is in the log: as many samples as the summary counts."""
    running = await long_run.start("basic")
    await running.until_logged("Entities begin to act")
    running.signal(signal.SIGINT)
    ended = await running.ended()
    with long_run.log.open("rb") as stream:
        (instance,) = read_log(stream, "log").instances.values()
    (requests,) = [line for line in ended.stderr.splitlines() if line.startswith("Requests")]
    assert requests.split()[1] == f"{instance.timings.hits:,}"


async def test_a_second_ctrl_c_leaves_at_once(long_run: AgentHere, embedded: Any) -> None:
    """When requests hang, the first Ctrl-C waits for them a moment, the second does not; the log stays readable."""
    long_run.set(ConnectionConfiguration_RequestTimeoutSeconds=2)
    running = await long_run.start("all")
    await running.until_logged("Entities begin to act")
    await embedded.faults.turn(hang_rate=1.0)
    await running.until_logged('"kind":"timeout"')
    running.signal(signal.SIGINT)
    await running.until_logged("Stopping the entities")
    begun_s = time.monotonic()
    running.signal(signal.SIGINT)
    ended = await running.ended()
    assert ended.code == 130
    assert time.monotonic() - begun_s < 1.0
    assert "Timings Report" not in ended.stderr
    assert [json.loads(line) for line in long_run.log.read_text().splitlines()]
    assert "Traceback" not in ended.stderr


async def test_hanging_requests_do_not_hold_the_end_up(long_run: AgentHere, embedded: Any) -> None:
    """After one Ctrl-C a run ends within seconds, although the server answers nothing any more."""
    running = await long_run.start("all")
    await running.until_logged("Entities begin to act")
    await embedded.faults.turn(hang_rate=1.0)
    begun_s = time.monotonic()
    running.signal(signal.SIGINT)
    assert (await running.ended()).code == 130
    assert time.monotonic() - begun_s < 6.0


async def test_an_interrupted_set_up_ends_at_once(agent_here: AgentHere, embedded: Any) -> None:
    """While the server is set up there is nothing to report: a message, and 130."""
    await embedded.faults.turn(hang_rate=1.0)
    running = await agent_here.start("all")
    await running.until_logged("Running test")
    running.signal(signal.SIGINT)
    ended = await running.ended()
    assert ended.code == 130
    assert "stopped by Ctrl-C" in ended.error


async def test_interrupted_logins_are_reported(long_run: AgentHere, embedded: Any) -> None:
    """In the login phase, too, the run ends with its summary: nobody acted."""
    long_run.set(ConnectionConfiguration_LoginsPerSecond=0.5)
    running = await long_run.start("all")
    await running.until_logged("Logging in the entities")
    running.signal(signal.SIGINT)
    ended = await running.ended()
    assert ended.code == 130
    assert "Entities    0 of 10" in ended.stderr


async def test_a_killed_agent_leaves_a_readable_log(long_run: AgentHere) -> None:
    """After SIGKILL every line of the log is whole, and the samples until then can be read."""
    running = await long_run.start("all")
    await running.until_logged('"GET /plugins/webapp"')
    running.signal(signal.SIGKILL)
    assert (await running.ended()).code == -signal.SIGKILL
    with long_run.log.open("rb") as stream:
        read = read_log(stream, "log")
    assert read.warnings == ()
    assert read.measured()[0].timings.hits > 0


@pytest.mark.parametrize(
    ("arguments", "stream"), [(("--empty",), "stdout"), (("--users", "500"), "stderr")], ids=["empty", "being filled"]
)
async def test_the_embedded_server_ends_well(agent: AgentHere, arguments: tuple[str, ...], stream: str) -> None:
    """Ctrl-C is how `loadtest server` ends: nothing went wrong, also when it is just being filled."""
    running = await agent.start("server", "--port", "0", *arguments)
    async with asyncio.timeout(30):
        await getattr(running.process, stream).readline()
    running.signal(signal.SIGINT)
    ended = await running.ended()
    assert ended.code == 0, ended.stderr
    assert "Traceback" not in ended.stderr


async def test_several_ports_are_one_embedded_server(agent: AgentHere) -> None:
    """With `--port` repeated, one process listens on each of them, and an account made on one is there on all."""
    running = await agent.start("server", "--empty", "--port", "0", "--port", "0", "--port", "0")
    async with asyncio.timeout(30), aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:
        *_, first, second, third = (await running.process.stdout.readline()).decode().split()
        assert len({first, second, third}) == 3
        account = {"username": "ann", "email": "ann@example.com", "password": "Loadtestpassword1"}
        async with http.post(f"{first}/api/v4/users", json=account) as response:
            assert response.status == 201
        login = {"login_id": "ann", "password": "Loadtestpassword1"}
        async with http.post(f"{second}/api/v4/users/login", json=login) as response:
            headers = {"Authorization": f"Bearer {response.headers['Token']}"}
        async with http.get(f"{third}/api/v4/users/me", headers=headers) as response:
            assert (await response.json())["username"] == "ann"
    running.signal(signal.SIGINT)
    assert (await running.ended()).code == 0
