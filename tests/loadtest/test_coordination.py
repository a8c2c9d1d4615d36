"""Which agent of several this one is, by key and by Kubernetes job."""

from __future__ import annotations

import pytest

from mattermost_load_test.config import Configuration
from mattermost_load_test.errors import ConfigurationError
from mattermost_load_test.loadtest.coordination import JOB_INDEX_VARIABLE, AgentPlace, said_place


def place(index: int = -1, count: int = 0, job: str = "", source: str = "") -> AgentPlace | None:
    """Return the place that keys and job give."""
    keys = {"AgentIndex": index, "AgentCount": count}
    configuration = Configuration.model_validate(
        {"UserEntitiesConfiguration": keys, "ConnectionConfiguration": {"DataSource": source}}
    )
    return said_place(configuration, {JOB_INDEX_VARIABLE: job})


def test_keys_say_which_agent_it_is() -> None:
    """Index and count together are the place; nothing said, or a count of one, is a single agent."""
    assert place(2, 5) == AgentPlace(2, 5)
    assert place() == place(count=1) == AgentPlace(0, 1)


def test_a_kubernetes_job_says_the_index() -> None:
    """The completion index of the job is the agent's, unless a key says another."""
    assert place(count=5, job="3") == AgentPlace(3, 5)
    assert place(1, 5, job="3") == AgentPlace(1, 5)


def test_the_table_serves_where_nothing_is_said() -> None:
    """With a data source the index comes from the table, unless it is said, or there is one agent only."""
    assert place(source="postgres://db") is None
    assert place(count=3, source="postgres://db") is None
    assert place(1, 3, source="postgres://db") == AgentPlace(1, 3)
    assert place(count=3, job="2", source="postgres://db") == AgentPlace(2, 3)
    assert place(count=1, source="postgres://db") == AgentPlace()


@pytest.mark.parametrize(
    ("index", "count", "job", "words"),
    [
        (-1, 3, "", "3 agents are to run .* pass --agent-index 0 to 2"),
        (0, 0, "", r"agent 0 \(AgentIndex\), but not of how many: pass --agent-count"),
        (-1, 0, "0", r"agent 0 \(JOB_COMPLETION_INDEX\), but not of how many"),
        (-1, 2, "2", r"agent 2 \(JOB_COMPLETION_INDEX\) must be below the number of agents, 2"),
        (-1, 2, "first", "JOB_COMPLETION_INDEX must be a whole number from 0, not 'first'"),
    ],
)
def test_half_said_is_refused(index: int, count: int, job: str, words: str) -> None:
    """An agent that does not know its place would play other agents' users: it says what to pass."""
    with pytest.raises(ConfigurationError, match=words):
        place(index, count, job)
