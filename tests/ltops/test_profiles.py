"""Profiles of servers in `ltops collect` and in what agents are told, from a real Go program."""

from __future__ import annotations

import asyncio
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mattermost_load_test.errors import ServerUnreachableError
from mattermost_load_test.ltops.cluster import ClusterState, Instance
from mattermost_load_test.ltops.collecting import PROFILES, save_profiles
from mattermost_load_test.ltops.configuring import ConfigurationOrder, agent_configuration
from mattermost_load_test.ltops.providers import provider_of
from mattermost_load_test.ltops.store import Cluster


def cluster_with(profiles_url: str, folder: Path) -> Cluster:
    """Return a cluster whose one server gives its profiles there."""
    app = Instance(role="app", index=0, address="127.0.0.1", profiles_url=profiles_url)
    agent = Instance(role="loadtest", index=0, address="127.0.0.1")
    state = ClusterState(
        name="demo",
        kind="local",
        created_at=datetime.now(UTC),
        instances=[app, agent],
        site_url="http://127.0.0.1:1",
    )
    return Cluster(folder, state)


async def test_profiles_are_collected(go: str, pprof_url: str, tmp_path: Path) -> None:
    """Each is a file that Go's own tool opens."""
    cluster = cluster_with(pprof_url, tmp_path)
    app = cluster.state.instance("app", 0)
    await asyncio.to_thread(save_profiles, provider_of("local"), cluster, app, tmp_path, lambda words: None)
    for name in PROFILES:
        command = [go, "tool", "pprof", "-top", tmp_path / f"pprof-{name}.pb.gz"]
        shown = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, timeout=60)
        assert shown.returncode == 0, shown.stderr


def test_a_server_that_gives_none(tmp_path: Path) -> None:
    """It is named, with the place."""
    cluster = cluster_with("http://127.0.0.1:9/debug/pprof", tmp_path)
    app = cluster.state.instance("app", 0)
    with pytest.raises(ServerUnreachableError, match=r"^http://127.0.0.1:9/debug/pprof/goroutine gave no profile: "):
        save_profiles(provider_of("local"), cluster, app, tmp_path, lambda words: None)


def test_agents_are_told_where_profiles_are(tmp_path: Path) -> None:
    """For `PProfDelayMinutes` in a run."""
    state = cluster_with("http://10.0.0.3:8067/debug/pprof", tmp_path).state
    order = ConfigurationOrder(None, [], {}, tmp_path)
    assert agent_configuration(state, order).configuration.connection.pprof_url == "http://10.0.0.3:8067/debug/pprof"
