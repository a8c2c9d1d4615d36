"""Whether the direct and group channels of the population are on the server: told from a few of them.

There are thousands, nothing lists them for an admin, and entities do not act on them; so those at the ends of the
population's order are looked for, since an import makes them in that order.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterable, Sequence
from itertools import islice

from mattermost_load_test.loadtest.population.population import DirectChannel
from mattermost_load_test.loadtest.setup.inventory import Inventory
from mattermost_load_test.mattermost.rest import Client

SAMPLED_AT_EACH_END = 2


def channel_name(user_ids: Sequence[str]) -> str:
    """Return the name that a server gives the direct channel of two users, or the group channel of more."""
    ordered = sorted(user_ids)
    if len(ordered) == 2:
        return "__".join(ordered)
    return hashlib.sha1("".join(ordered).encode(), usedforsecurity=False).hexdigest()


async def directs_missing(admin: Client, inventory: Inventory) -> bool:
    """Say whether one of the sampled channels is not on the server; all their users and teams are."""
    population = inventory.population
    for channel in (*_ends(population.directs()), *_ends(population.groups())):
        first = next((member for member in channel.members if population.teams_of(member)), None)
        if first is None:
            continue  # only who is in a team is told of its direct channels
        team = inventory.teams[population.teams_of(first)[0]]
        ids = [inventory.user_ids[member] for member in channel.members]
        found = await admin.channels.of_user(inventory.user_ids[first], team.id)
        if channel_name(ids) not in {other.name for other in found}:
            return True
    return False


def _ends(channels: Iterable[DirectChannel]) -> list[DirectChannel]:
    """Return the first and the last few."""
    rest = iter(channels)
    first = list(islice(rest, SAMPLED_AT_EACH_END))
    return [*first, *deque(rest, maxlen=SAMPLED_AT_EACH_END)]
