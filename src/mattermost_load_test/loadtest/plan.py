"""What is to be run: decided before anything starts, so that what cannot work is said at once."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mattermost_load_test.config import Configuration, LoadedConfiguration
from mattermost_load_test.loadtest.coordination import AgentPlace
from mattermost_load_test.loadtest.machine.limits import Needs
from mattermost_load_test.loadtest.machine.resources import usable_cores
from mattermost_load_test.loadtest.schedule import Schedule
from mattermost_load_test.loadtest.selection import users_played
from mattermost_load_test.timings.health import HealthLimits

ID_LETTERS = "ybndrfg8ejkmcpqxot1uwisza345h769"  # a Mattermost server's alphabet
ID_LENGTH = 26


@dataclass(frozen=True, slots=True)
class RunPlan:
    """A run of one agent: the scenario by name, the configuration, which agent it is, the user each entity plays.

    `restart_workers` says whether the entities of a worker process that died get another one, `token_cache` where
    sessions are kept between runs.
    """

    scenario: str
    configuration: Configuration
    place: AgentPlace
    users: Sequence[int]
    instance_id: str
    schedule: Schedule
    warnings: tuple[str, ...] = ()
    restart_workers: bool = True
    token_cache: Path | None = None

    @property
    def processes(self) -> int:
        """How many worker processes play the entities: as the key says, one for each core where it is 0."""
        wanted = self.configuration.entities.num_processes or usable_cores()
        return max(1, min(wanted, len(self.users)))

    @property
    def needs(self) -> Needs:
        """What the run asks of the machine."""
        connection = self.configuration.connection
        return Needs(len(self.users), self.processes, (connection.server_url, connection.websocket_url))

    @property
    def first_entity(self) -> int:
        """The number of the first entity among those of all agents."""
        return self.place.index * self.configuration.entities.num_active_entities

    @property
    def health_limits(self) -> HealthLimits:
        """Beyond what the agent counts as saturated: the keys, and lateness beyond the action interval."""
        entities = self.configuration.entities
        return HealthLimits(
            min(entities.max_lateness_milliseconds, entities.action_rate_milliseconds),
            entities.max_loop_lag_milliseconds,
            entities.max_cpu_percent,
            entities.max_dropped_events,
        )


def new_instance_id(chance: random.Random) -> str:
    """Return an id for one agent in one run."""
    return "".join(chance.choices(ID_LETTERS, k=ID_LENGTH))


def plan_run(
    scenario: str, loaded: LoadedConfiguration, place: AgentPlace, instance_id: str, start_s: float | None = None
) -> RunPlan:
    """Return the plan of a run that begins at `start_s`, in seconds since 1970, if that is given.

    Raises `ConfigurationError` when there are more entities than users.
    """
    configuration = loaded.configuration
    entities, environment = configuration.entities, configuration.environment
    users = users_played(
        entities.num_active_entities,
        place,
        environment.num_users,
        environment.seed if place.seed is None else place.seed,
        entities.randomize_entity_selection,
    )
    schedule = Schedule(entities.test_length_minutes * 60.0, start_s)
    return RunPlan(scenario, configuration, place, users, instance_id, schedule, loaded.warnings)
