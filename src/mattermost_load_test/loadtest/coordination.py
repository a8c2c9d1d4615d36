"""Which agent of a test this one is: its index decides which users it plays, so that no user is ever played twice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from mattermost_load_test.config import Configuration, UserEntitiesConfiguration
from mattermost_load_test.errors import ConfigurationError
from mattermost_load_test.loadtest.database.datasource import parse
from mattermost_load_test.loadtest.database.instances import EXPIRED_AFTER_S, InstanceTable
from mattermost_load_test.loadtest.registration import Registration, registered, with_way_out

JOB_INDEX_VARIABLE = "JOB_COMPLETION_INDEX"
"""What Kubernetes tells a pod of an indexed job: its number, from 0 (Kubernetes documentation, Indexed Job)."""


@dataclass(frozen=True, slots=True)
class AgentPlace:
    """The agent with number `index`, from 0, of `count` agents that run the same test together.

    `count` is 0 where nobody knows how many there will be. `seed`, where there is one, is shared by all of them.
    """

    index: int = 0
    count: int = 1
    seed: int | None = None

    def __str__(self) -> str:
        return f"agent {self.index} of {self.count}" if self.count else f"agent {self.index}"


@dataclass(frozen=True, slots=True)
class Placed:
    """Where this agent stands, and what keeps it there where that is a table."""

    place: AgentPlace
    registration: Registration | None = None


@contextmanager
def placed(configuration: Configuration, environ: Mapping[str, str], instance_id: str) -> Iterator[Placed]:
    """Give this agent's place: that of the keys or of its job, else one in the database's table of running agents.

    Without a data source it is a single agent. Raises `ConfigurationError` as `said_place`, and when the table gives
    an index beyond `AgentCount`; `DatabaseError` when there is no getting at the table.
    """
    place = said_place(configuration, environ)
    if place is not None:
        yield Placed(place)
        return
    connection = configuration.connection
    with registered(parse(connection.driver_name, connection.data_source), instance_id) as registration:
        instance = registration.instance
        place = AgentPlace(instance.index, configuration.entities.agent_count, instance.run_started_ms)
        if place.count and place.index >= place.count:
            raise ConfigurationError(
                f"{place.index} agents run this test already, as many as there are to be (AgentCount). If one of them "
                f"was killed, its place is free {EXPIRED_AFTER_S:.0f} s after that"
            )
        yield Placed(place, registration)


def probable_place(configuration: Configuration, environ: Mapping[str, str]) -> AgentPlace:
    """Return the place that `placed` would give now; nothing is changed. Raises as it does."""
    place = said_place(configuration, environ)
    if place is not None:
        return place
    connection = configuration.connection
    with with_way_out():
        index = InstanceTable(parse(connection.driver_name, connection.data_source)).next_index()
    return AgentPlace(index, configuration.entities.agent_count)


def said_place(configuration: Configuration, environ: Mapping[str, str]) -> AgentPlace | None:
    """Return the place that the keys `AgentIndex` and `AgentCount` give this agent, or its Kubernetes job by `environ`.

    None if the table of running agents gives it: no index is said, and there is a data source. A single agent needs
    none of all that. Raises `ConfigurationError` when one of the two is known without the other.
    """
    entities = configuration.entities
    count = entities.agent_count
    index = entities.agent_index if entities.agent_index >= 0 else _job_index(environ)
    if index is None:
        return _place_without_index(count, bool(configuration.connection.data_source.get_secret_value().strip()))
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


def _place_without_index(count: int, data_source: bool) -> AgentPlace | None:
    """Return the place of an agent that was not told its index."""
    if count == 1 or (not count and not data_source):
        return AgentPlace()
    if data_source:
        return None
    raise ConfigurationError(
        f"{count} agents are to run this test (AgentCount), but not which of them this one is: pass --agent-index 0 "
        f"to {count - 1}, another to each (UserEntitiesConfiguration.AgentIndex)"
    )


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
