"""What a run's configuration says of users: how many there are, and how many act on each agent."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mattermost_load_test.errors import ConfigurationError
from mattermost_load_test.ltops.cluster import ClusterState, Instance
from mattermost_load_test.ltops.configuring import ConfigurationOrder, agent_configuration

KEY = "UserEntitiesConfiguration.NumActiveEntities"


def entities(folder: Path, acting: int | None = None, users: int | None = None, settings: Sequence[str] = ()) -> int:
    """Return how many users each of two agents plays, with a population of 100."""
    agents = [Instance(role="loadtest", index=index, address="127.0.0.1") for index in range(2)]
    state = ClusterState(
        name="demo", kind="kubernetes", created_at=datetime.now(UTC), instances=agents, site_url="http://127.0.0.1:8065",
        users=100, acting_users=acting,
    )  # fmt: skip
    order = ConfigurationOrder(None, settings, {}, folder, users=users)
    return agent_configuration(state, order).configuration.entities.num_active_entities


def test_users_who_act_are_shared_among_agents(tmp_path: Path) -> None:
    """Those whom the cluster was made for, unless a setting says otherwise; `loadtest --users` has the last word."""
    assert entities(tmp_path, acting=90) == 45
    assert entities(tmp_path, acting=90, settings=[f"{KEY}=7"]) == 7
    assert entities(tmp_path, acting=90, users=21, settings=[f"{KEY}=7"]) == 10


def test_too_few_and_too_many(tmp_path: Path) -> None:
    """Every agent plays one at least, and nobody is played twice."""
    with pytest.raises(
        ConfigurationError, match="--users 1: there are 2 agents, each of which plays one user at least"
    ):
        entities(tmp_path, users=1)
    with pytest.raises(ConfigurationError, match=r"2 agents with 60 entities each .* need 120 users.*there are 100"):
        entities(tmp_path, users=120)
