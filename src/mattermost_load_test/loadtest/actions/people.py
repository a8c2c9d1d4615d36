"""What a client asks for in order to show who wrote and who is there."""

from __future__ import annotations

from collections.abc import Sequence

from mattermost_load_test.loadtest.actions.attempts import Attempts
from mattermost_load_test.loadtest.user import User

MOST_ASKED = 100  # ends a list whose chance to grow is set to 1
UNKNOWN_NAME_CHANCE = 0.5
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


async def ask_for_people(user: User, known_ids: Sequence[str], attempts: Attempts) -> None:
    """Ask for profiles by id, profiles by username (half of them unknown names) and statuses by id, if any are needed.

    `known_ids` are the users that the client has seen: writers of posts and members of channels.
    """
    behaviour = user.world.behaviour
    ids = _needed_ids(user, behaviour.needs_profiles_by_id_chance, known_ids)
    if ids:
        await attempts.of(user.client.users.by_ids(ids))
    names = [_username(user) for _ in range(_needed(user, behaviour.needs_profiles_by_username_chance))]
    if names:
        await attempts.of(user.client.users.by_usernames(names))
    ids = _needed_ids(user, behaviour.needs_profile_status_chance, known_ids)
    if ids:
        await attempts.of(user.client.users.statuses(ids))


def _needed(user: User, chance: float) -> int:
    """Return how often in a row `chance` came up."""
    count = 0
    while count < MOST_ASKED and user.happens(chance):
        count += 1
    return count


def _needed_ids(user: User, chance: float, known_ids: Sequence[str]) -> list[str]:
    """Return as many of the known ids as `chance` comes up in a row."""
    count = _needed(user, chance)
    return [known_ids[user.below(len(known_ids))] for _ in range(count)] if known_ids else []


def _username(user: User) -> str:
    """Return the name of a user of the population, or a name that nobody has."""
    if user.happens(UNKNOWN_NAME_CHANCE):
        return "".join(_LETTERS[user.below(len(_LETTERS))] for _ in range(26))
    return user.world.places.username(user.below(user.world.num_users))
