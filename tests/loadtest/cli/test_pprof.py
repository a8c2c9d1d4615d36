"""The server's profiles, of a real Go program, opened by Go's own tool; a Mattermost without a licence gives none."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

AgentHere = Any
"""An `Agent` of the conftest beside."""

DEADLINE_S = 60.0


@pytest.fixture
def calm(agent_here: AgentHere) -> AgentHere:
    """Give a run of some seconds whose entities act once a second: how late they are is not the subject."""
    agent_here.set(
        UserEntitiesConfiguration_ActionRateMilliseconds=1000,
        UserEntitiesConfiguration_TestLengthMinutes=0.1,
        UserEntitiesConfiguration_MaxLoopLagMilliseconds=60_000,
    )
    return agent_here


def top(go: str, profile: Path) -> str:
    """Return what Go's tool shows of a profile."""
    command = [go, "tool", "pprof", "-top", profile]
    shown = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE_S)
    assert shown.returncode == 0, shown.stderr
    return shown.stdout


def saved(folder: Path) -> dict[str, Path]:
    """Return the profiles in a folder by name; nothing half-written may lie beside them."""
    files = sorted(folder.glob("*pprof*"))
    assert all(path.name.endswith(".pb.gz") for path in files)
    return {path.name.split("-")[2].removesuffix(".pb.gz"): path for path in files}


def check_profiles(go: str, folder: Path) -> None:
    """See that the three profiles are there and tell what the program does."""
    files = saved(folder)
    assert set(files) == {"goroutine", "block", "cpu"}
    assert "Type: goroutine" in top(go, files["goroutine"])
    assert "chan" in top(go, files["block"])
    assert "main.work" in top(go, files["cpu"])


async def test_profiles_are_saved_on_request(agent: AgentHere, go: str, pprof_url: str) -> None:
    """`loadtest pprof` names three files that `go tool pprof` opens."""
    agent.set(ConnectionConfiguration_PProfURL=pprof_url, ResultsConfiguration_PProfLength=1)
    ended = await agent.run("pprof")
    assert ended.code == 0, ended.stderr
    assert sorted(ended.stdout.split()) == sorted(str(path) for path in saved(agent.folder).values())
    check_profiles(go, agent.folder)


@pytest.mark.slow
async def test_profiles_are_taken_during_a_run(calm: AgentHere, go: str, pprof_url: str) -> None:
    """After `PProfDelayMinutes` the run saves them, beside its results, and says so in its log."""
    calm.set(
        ConnectionConfiguration_PProfURL=pprof_url,
        ResultsConfiguration_PProfLength=1,
        ResultsConfiguration_PProfDelayMinutes=0.005,
    )
    ended = await calm.run("basic")
    assert ended.code == 0, ended.stderr
    assert len(ended.told("Saved a profile of the server")) == 3
    check_profiles(go, calm.folder)


@pytest.mark.slow
async def test_only_the_first_agent_takes_profiles(calm: AgentHere, pprof_url: str) -> None:
    """A server profiles its CPU once at a time: the other agents leave it alone."""
    calm.set(
        ConnectionConfiguration_PProfURL=pprof_url,
        ResultsConfiguration_PProfDelayMinutes=0.001,
        UserEntitiesConfiguration_NumActiveEntities=6,
    )
    ended = await calm.run("basic", "--agent-index", "1", "--agent-count", "2")
    assert ended.code == 0, ended.stderr
    assert not saved(calm.folder)


async def test_a_run_goes_on_without_profiles(calm: AgentHere) -> None:
    """A server that gives none (Team Edition) costs a warning in the summary, not the run."""
    calm.set(
        ConnectionConfiguration_PProfURL="http://127.0.0.1:1/debug/pprof",
        ResultsConfiguration_PProfDelayMinutes=0.001,
    )
    ended = await calm.run("basic")
    assert ended.code == 0, ended.stderr
    assert "WARNING: profiles of the server could not be taken: no connection to http://127.0.0.1:1" in ended.stderr


@pytest.mark.slow
async def test_a_profile_that_outlasts_the_run_is_given_up(calm: AgentHere, pprof_url: str) -> None:
    """The run does not wait for it; the summary says that it is missing, and the ones before it are saved."""
    calm.set(
        ConnectionConfiguration_PProfURL=pprof_url,
        ResultsConfiguration_PProfLength=600,
        ResultsConfiguration_PProfDelayMinutes=0.001,
    )
    ended = await calm.run("basic")
    assert ended.code == 0, ended.stderr
    assert "WARNING: the run ended before all profiles" in ended.stderr
    assert set(saved(calm.folder)) == {"goroutine", "block"}


async def test_a_server_without_profiles(agent_here: AgentHere, embedded: Any) -> None:
    """What answers, but gives no profiles, is told from what is not there; both end with 3 and name the key."""
    agent_here.set(ConnectionConfiguration_PProfURL=f"{embedded.url}/debug/pprof")
    ended = await agent_here.run("pprof")
    assert ended.code == 3
    assert "something that is no profile" in ended.error
    assert "ConnectionConfiguration.PProfURL" in ended.error
    agent_here.set(ConnectionConfiguration_PProfURL="http://127.0.0.1:1/debug/pprof")
    ended = await agent_here.run("pprof")
    assert ended.code == 3
    assert "ConnectionConfiguration.PProfURL" in ended.error
    agent_here.set(ConnectionConfiguration_PProfURL="")
    assert (await agent_here.run("pprof")).code == 2
    assert not saved(agent_here.folder)
