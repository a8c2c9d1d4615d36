"""Who is in what: drawn class by class, held in two flat arrays.

A population of 20,000 users in 400 channels each would fill gigabytes as objects; here a membership takes four bytes.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass

from mattermost_load_test.loadtest.population.volumes import Classes
from mattermost_load_test.sampling import Draw, shuffle_front


@dataclass(frozen=True, slots=True)
class Memberships:
    """What each user is in: the places of user n are ``places[offsets[n]:offsets[n + 1]]``, ascending."""

    offsets: array[int]
    places: array[int]

    def span(self, user: int) -> tuple[int, int]:
        """Return where the user's places begin and end."""
        return self.offsets[user], self.offsets[user + 1]

    def of(self, user: int) -> array[int]:
        """Return the user's places."""
        return self.places[self.offsets[user] : self.offsets[user + 1]]


def drawn_members(classes: Classes, place: int, candidates: array[int], draw: Draw) -> array[int]:
    """Draw the members of what stands at a place in an order; leaves the candidates in another order."""
    count = classes.member_count(place, len(candidates))
    shuffle_front(candidates, count, draw)
    return candidates[:count]


def by_user(members: Sequence[array[int]], num_users: int) -> Memberships:
    """Turn the members of each place into the places of each user."""
    offsets = array("Q", bytes(8 * (num_users + 1)))
    for place_members in members:
        for user in place_members:
            offsets[user + 1] += 1
    for user in range(num_users):
        offsets[user + 1] += offsets[user]
    places = array("I", bytes(4 * offsets[num_users]))
    free = offsets[:]
    for place, place_members in enumerate(members):
        for user in place_members:
            places[free[user]] = place
            free[user] += 1
    return Memberships(offsets, places)
