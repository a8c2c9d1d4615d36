"""Memberships that the server lacks: found team by team and channel by channel, added one by one.

A user's import line brings all its memberships along; this is for users that another configuration has made, and costs
the server a millisecond or two for each, where another import line would cost it a password hash.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Collection, Sequence
from functools import partial

from mattermost_load_test.loadtest.setup.inventory import Inventory, all_pages, side_by_side
from mattermost_load_test.mattermost.rest import Client

JOIN_AT_ONCE = 20  # the most that a server takes in one request

Tell = Callable[[str], None]
"""Told how far the set-up is, in a few words, as often as it changes."""


async def add_memberships(admin: Client, inventory: Inventory, tell: Tell) -> int:
    """Put every user into its teams and channels, and return how many memberships were missing."""
    return await _join_teams(admin, inventory, tell) + await _join_channels(admin, inventory, tell)


async def _join_teams(admin: Client, inventory: Inventory, tell: Tell) -> int:
    """Put users into the teams they are missing in; return how many there were."""
    population = inventory.population
    members = _by_place(population.num_teams, population.num_users, population.teams_of)
    added = 0
    for index, team in inventory.teams.items():
        tell(f"checking the members of {team.name}")
        present = await all_pages(partial(admin.users.page, in_team=team.id))
        missing = _missing(members[index], inventory.user_ids, {user.id for user in present})
        for first in range(0, len(missing), JOIN_AT_ONCE):
            await admin.teams.join_many(team.id, missing[first : first + JOIN_AT_ONCE])
        added += len(missing)
    return added


async def _join_channels(admin: Client, inventory: Inventory, tell: Tell) -> int:
    """Put users into the channels they are missing in; return how many memberships there were."""
    population = inventory.population
    members = _by_place(population.num_channels, population.num_users, population.channels_of)
    checked = added = 0

    async def check(index: int) -> None:
        nonlocal checked, added
        channel_id = inventory.channels[index].id
        if members[index]:
            found = await all_pages(partial(admin.channels.members_page, channel_id))
            missing = _missing(members[index], inventory.user_ids, {member.user_id for member in found})
            for user_id in missing:
                await admin.channels.add_member(channel_id, user_id)
            added += len(missing)
        checked += 1
        tell(f"checking the members of channels: {checked:,} of {len(inventory.channels):,}")

    await side_by_side(check, inventory.channels)
    return added


def _by_place(places: int, users: int, places_of: Callable[[int], Sequence[int]]) -> list[array[int]]:
    """Return the users in each team or channel, from the teams or channels of each user."""
    members = [array("I") for _ in range(places)]
    for user in range(users):
        for place in places_of(user):
            members[place].append(user)
    return members


def _missing(wanted: Sequence[int], ids: Sequence[str], present: Collection[str]) -> list[str]:
    """Return the ids of the users that are wanted and not present; those that the server does not know are left out."""
    return [ids[user] for user in wanted if ids[user] and ids[user] not in present]
