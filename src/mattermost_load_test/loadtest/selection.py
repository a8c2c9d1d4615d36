"""Which user of the population each entity plays."""

from __future__ import annotations

import random
from array import array
from collections.abc import Sequence

from mattermost_load_test.counts import counted
from mattermost_load_test.errors import ConfigurationError
from mattermost_load_test.loadtest.coordination import AgentPlace


def users_played(entities: int, place: AgentPlace, num_users: int, seed: int, randomized: bool) -> Sequence[int]:
    """Return the numbers of the users that this agent's entities play, entity by entity.

    Every agent has `entities` of them and takes the next share of the users. With `randomized` the shares are cut
    from a permutation that `seed` alone decides, the same for all agents. Raises `ConfigurationError` when the users
    do not suffice for all agents, or, where their number is unknown, for those up to this one: no user is ever played
    twice.
    """
    agents = place.count or place.index + 1
    needed = entities * agents
    if needed > num_users:
        raise ConfigurationError(
            f"{counted(agents, 'agent')} with {entities:,} entities each need {needed:,} users, "
            f"but there are {num_users:,}: raise LoadtestEnviromentConfig.NumUsers "
            "or lower UserEntitiesConfiguration.NumActiveEntities"
        )
    first = entities * place.index
    if not randomized:
        return range(first, first + entities)
    return permutation(num_users, seed)[first : first + entities]


def permutation(size: int, seed: int) -> array[int]:
    """Return the numbers below `size` in a random order that `seed` decides, alike on every Python version."""
    draw = random.Random(seed).random
    order = array("I", range(size))
    for last in range(size - 1, 0, -1):
        other = int(draw() * (last + 1))
        order[last], order[other] = order[other], order[last]
    return order
