"""The three volume classes of teams and channels: how many there are, their shares of users, their weights."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction

from mattermost_load_test.config import EnvironmentConfiguration
from mattermost_load_test.sampling import Draw, below


class Volume(Enum):
    """How much happens in a team or channel; the value is its place in the order of classes."""

    HIGH = 0
    MID = 1
    LOW = 2


def part(percent: float, count: int) -> int:
    """Return a part of a count, cut to a whole number; `percent` is taken as it is written (0.57 of 100 is 57)."""
    return int(Fraction(str(percent)) * count)


@dataclass(frozen=True, slots=True)
class Classes:
    """How an order of `size` teams or channels falls into classes: the first `high` of it, the next `mid`, the rest.

    By class, `shares` are the parts of all users (of the team's users) who are members, and `weights` those with which
    an acting user picks one among its own.
    """

    size: int
    high: int
    mid: int
    shares: tuple[float, float, float]
    weights: tuple[int, int, int]

    def volume(self, place: int) -> Volume:
        """Return the class of a place in the order."""
        if place < self.high:
            return Volume.HIGH
        return Volume.MID if place < self.high + self.mid else Volume.LOW

    def member_count(self, place: int, candidates: int) -> int:
        """Return how many of the candidates are members of what stands at a place in the order."""
        return part(self.shares[self.volume(place).value], candidates)

    def pick(self, places: Sequence[int], start: int, end: int, first: int, draw: Draw) -> int | None:
        """Return one of `places[start:end]` by the weight of its class, or None if nothing there weighs anything.

        The places ascend there; those of this order are numbered from `first` on, others are passed over.
        """
        runs = []
        begin = bisect_left(places, first, start, end)
        for limit in (self.high, self.high + self.mid, self.size):
            stop = bisect_left(places, first + limit, begin, end)
            runs.append((begin, stop - begin))
            begin = stop
        number = below(sum(weight * run[1] for weight, run in zip(self.weights, runs, strict=True)), draw)
        for weight, (begin, count) in zip(self.weights, runs, strict=True):
            if number < weight * count:
                return places[begin + number // weight]
            number -= weight * count
        return None


def team_classes(environment: EnvironmentConfiguration) -> Classes:
    """Return the classes of the teams, to be applied to a random order of them."""
    size = environment.num_teams
    high, mid = _cut(size, environment.percent_high_volume_teams, environment.percent_mid_volume_teams)
    return Classes(
        size,
        high,
        mid,
        (
            environment.percent_users_high_volume_teams,
            environment.percent_users_mid_volume_teams,
            environment.percent_users_low_volume_teams,
        ),
        (
            environment.high_volume_team_selection_weight,
            environment.mid_volume_team_selection_weight,
            environment.low_volume_team_selection_weight,
        ),
    )


def channel_classes(environment: EnvironmentConfiguration) -> Classes:
    """Return the classes of the channels of any team, to be applied to the order in which they are created."""
    size = environment.num_channels_per_team + environment.num_private_channels_per_team
    high, mid = _cut(size, environment.percent_high_volume_channels, environment.percent_mid_volume_channels)
    return Classes(
        size,
        high,
        mid,
        (
            environment.percent_users_high_volume_channel,
            environment.percent_users_mid_volume_channel,
            environment.percent_users_low_volume_channel,
        ),
        (
            environment.high_volume_channel_selection_weight,
            environment.mid_volume_channel_selection_weight,
            environment.low_volume_channel_selection_weight,
        ),
    )


def _cut(size: int, percent_high: float, percent_mid: float) -> tuple[int, int]:
    """Return how many of an order are of high and of mid volume; the first is high, whatever the percentage says."""
    high = min(size, max(1, part(percent_high, size)))
    return high, min(size - high, part(percent_mid, size))
