"""What is to be run: decided before anything starts, so that what cannot work is said at once."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from mattermost_load_test.config import Configuration, LoadedConfiguration
from mattermost_load_test.loadtest.selection import users_played

ID_LETTERS = "ybndrfg8ejkmcpqxot1uwisza345h769"  # a Mattermost server's alphabet
ID_LENGTH = 26


@dataclass(frozen=True, slots=True)
class RunPlan:
    """A run of one agent: the scenario by name, the configuration, and the user that each entity plays."""

    scenario: str
    configuration: Configuration
    users: Sequence[int]
    instance_id: str
    warnings: tuple[str, ...] = ()

    @property
    def lateness_limit_ms(self) -> float:
        """Lateness beyond which the agent counts as saturated: that of the key, and at most the action interval."""
        entities = self.configuration.entities
        return min(entities.max_lateness_milliseconds, entities.action_rate_milliseconds)


def plan_run(scenario: str, loaded: LoadedConfiguration, chance: random.Random) -> RunPlan:
    """Return the plan of a run, its instance id drawn from `chance`.

    Raises `ConfigurationError` when there are more entities than users.
    """
    configuration = loaded.configuration
    entities, environment = configuration.entities, configuration.environment
    users = users_played(
        entities.num_active_entities,
        entities.agent_index,
        entities.agent_count,
        environment.num_users,
        environment.seed,
        entities.randomize_entity_selection,
    )
    instance_id = "".join(chance.choices(ID_LETTERS, k=ID_LENGTH))
    return RunPlan(scenario, configuration, users, instance_id, loaded.warnings)
