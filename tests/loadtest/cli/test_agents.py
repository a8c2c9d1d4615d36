"""Several agents: which users each one plays, when they begin, and what becomes of one that dies."""

from __future__ import annotations

import asyncio
import io
import signal
import time
from datetime import UTC, datetime
from typing import Any

import pytest

from mattermost_load_test.timings.reading import read_log

AgentHere = Any
"""An `Agent` of the conftest beside."""

DEADLINE_S = 60.0


def posters(embedded: Any) -> set[str]:
    """Return the names of the users who posted."""
    users = embedded.state.users.by_id
    return {users[post.user_id].username for post in embedded.state.posts.by_id.values() if not post.type}


def calm(agent: AgentHere) -> AgentHere:
    """Let six entities act twice a second for some seconds: how late they are on a busy machine is not the subject."""
    agent.set(
        UserEntitiesConfiguration_NumActiveEntities=6,
        UserEntitiesConfiguration_ActionRateMilliseconds=500,
        UserEntitiesConfiguration_TestLengthMinutes=0.05,
        UserEntitiesConfiguration_MaxLoopLagMilliseconds=60_000,
    )
    return agent


async def test_more_entities_than_users_is_said_before_anything_starts(agent: AgentHere) -> None:
    """No user is played twice: several agents with more entities than users end with 2, and no log is begun."""
    ended = await agent.run("all", "--agent-index", "0", "--agent-count", "2")
    assert ended.code == 2
    assert "need 20 users" in ended.error
    assert not agent.log.exists()


@pytest.mark.parametrize("by", ["flag", "key", "job"])
async def test_two_agents_play_different_users(agent_here: AgentHere, embedded: Any, by: str) -> None:
    """The second of two agents plays the second half of the users, however it is told which one it is."""
    calm(agent_here)
    flags: tuple[str, ...] = ("--agent-count", "2")
    if by == "flag":
        agent_here.set(UserEntitiesConfiguration_AgentIndex=0)  # a flag stands above it
        flags += ("--agent-index", "1")
    elif by == "key":
        flags = ()
        agent_here.set(UserEntitiesConfiguration_AgentCount=2, UserEntitiesConfiguration_AgentIndex=1)
    else:
        agent_here.environment["JOB_COMPLETION_INDEX"] = "1"
    ended = await agent_here.run("basic", *flags)
    assert ended.code == 0, ended.stderr
    assert ended.told("Running test")[0]["agent"] == "agent 1 of 2"
    assert posters(embedded) == {f"user{number}" for number in range(6, 12)}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("all", "--agent-count", "2"), "--agent-index"),
        (("check", "--agent-index", "0"), "--agent-count"),
        (("all", "--agent-index", "2", "--agent-count", "2"), "--agent-index: UserEntitiesConfiguration.AgentIndex"),
        (("all", "--start-at", "12:00"), "2026-11-26T05:00:00Z"),
        (("all", "--start-at", "2020-01-01T00:00:00Z"), "name a time to come"),
    ],
)
async def test_what_is_half_said_or_over_is_refused(agent: AgentHere, arguments: tuple[str, ...], words: str) -> None:
    """Wrong use ends with 2 before anything is done, and says what to pass."""
    ended = await agent.run(*arguments)
    assert ended.code == 2
    assert words in ended.error
    assert not agent.log.exists()


@pytest.mark.slow
async def test_agents_begin_together(agent_here: AgentHere) -> None:
    """Agents that are ready early wait for the start time; no request of the run is before it."""
    assert (await agent_here.run("setup")).code == 0
    start_s = int(time.time()) + 20
    moment = datetime.fromtimestamp(start_s, UTC).isoformat()
    calm(agent_here).set(LogSettings_EnableFile="false")
    flags = ("--agent-count", "2", "--start-at", moment)
    both = [await agent_here.start("basic", *flags, "--agent-index", index) for index in ("0", "1")]
    for ended in await asyncio.gather(*(one.ended() for one in both)):
        assert ended.code == 0, ended.stderr
        assert ended.told("Waiting for the start")
        (begun,) = ended.told("Entities begin to act")
        assert start_s <= begun["ts"] < start_s + 1
        assert all(line["start"] >= start_s for line in ended.lines if line.get("tag") == "timings")


@pytest.mark.slow
async def test_an_agent_killed_and_started_again_joins_for_the_rest(agent_here: AgentHere) -> None:
    """It is to end when the run was to end, as another instance; the log of the killed one is kept, and readable."""
    assert (await agent_here.run("setup")).code == 0
    agent_here.log.unlink()
    calm(agent_here).set(UserEntitiesConfiguration_TestLengthMinutes=60)
    start_s = int(time.time()) + 2
    flags = ("--start-at", datetime.fromtimestamp(start_s, UTC).isoformat())
    running = await agent_here.start("basic", *flags)
    await running.until_logged('"tag":"timings"')
    running.signal(signal.SIGKILL)
    await running.ended()
    killed_log = agent_here.log.read_bytes()
    running = await agent_here.start("basic", *flags)
    async with asyncio.timeout(DEADLINE_S):
        while not list(agent_here.folder.glob("loadtest-*.log")):  # the earlier log was put aside
            assert running.process.returncode is None
            await asyncio.sleep(0.02)
    await running.until_logged('"tag":"timings"')
    running.signal(signal.SIGINT)
    ended = await running.ended()
    assert ended.code == 130, ended.stderr
    (begun,) = ended.told("Entities begin to act")
    assert begun["length_s"] == pytest.approx(start_s + 3600 - begun["ts"], abs=1)
    assert "WARNING: the entities began" in ended.stderr
    (kept,) = agent_here.folder.glob("loadtest-*.log")
    assert kept.read_bytes() == killed_log
    logs = [read_log(io.BytesIO(path.read_bytes()), path.name) for path in (kept, agent_here.log)]
    assert [len(log.instances) for log in logs] == [1, 1]
    assert not logs[0].instances.keys() & logs[1].instances.keys()
    assert all(instance.timings.hits for log in logs for instance in log.instances.values())


async def test_a_run_that_is_over_before_it_began_says_so(agent_here: AgentHere) -> None:
    """Set-up and logins that last beyond the end leave nothing to do: 1, and the reason."""
    agent_here.set(UserEntitiesConfiguration_TestLengthMinutes=0.001)
    ended = await agent_here.run("basic", "--start-at", "+0s")
    assert ended.code == 1
    assert "over before the entities were logged in" in ended.error
