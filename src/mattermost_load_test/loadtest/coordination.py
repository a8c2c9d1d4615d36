"""Which agent of a test this one is: its index decides which users it plays, so that no user is ever played twice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mattermost_load_test.config import UserEntitiesConfiguration
from mattermost_load_test.errors import ConfigurationError

JOB_INDEX_VARIABLE = "JOB_COMPLETION_INDEX"
"""What Kubernetes tells a pod of an indexed job: its number, from 0 (Kubernetes documentation, Indexed Job)."""


@dataclass(frozen=True, slots=True)
class AgentPlace:
    """The agent with number `index`, from 0, of `count` agents that run the same test together."""

    index: int = 0
    count: int = 1

    def __str__(self) -> str:
        return f"agent {self.index} of {self.count}"


def agent_place(entities: UserEntitiesConfiguration, environ: Mapping[str, str]) -> AgentPlace:
    """Return the place that the keys `AgentIndex` and `AgentCount` give this agent, or its Kubernetes job by `environ`.

    A single agent needs neither. Raises `ConfigurationError` when one of the two is known without the other.
    """
    count = entities.agent_count
    index = entities.agent_index if entities.agent_index >= 0 else _job_index(environ)
    if index is None:
        if count > 1:
            raise ConfigurationError(
                f"{count} agents are to run this test (AgentCount), but not which of them this one is: pass "
                f"--agent-index 0 to {count - 1}, another to each (UserEntitiesConfiguration.AgentIndex)"
            )
        return AgentPlace()
    if not count:
        raise ConfigurationError(
            f"this is agent {index} ({_index_source(entities)}), but not of how many: pass --agent-count to every "
            "agent (UserEntitiesConfiguration.AgentCount)"
        )
    if index >= count:
        raise ConfigurationError(
            f"agent {index} ({_index_source(entities)}) must be below the number of agents, {count} (AgentCount), as "
            "they are counted from 0"
        )
    return AgentPlace(index, count)


def _index_source(entities: UserEntitiesConfiguration) -> str:
    """Return where the index was said."""
    return "AgentIndex" if entities.agent_index >= 0 else JOB_INDEX_VARIABLE


def _job_index(environ: Mapping[str, str]) -> int | None:
    """Return the index within a Kubernetes job, None outside of one; raises `ConfigurationError` for what is none."""
    said = environ.get(JOB_INDEX_VARIABLE, "")
    if not said:
        return None
    if not said.isdecimal():
        raise ConfigurationError(
            f"environment variable {JOB_INDEX_VARIABLE} must be a whole number from 0, not {said!r}"
        )
    return int(said)
