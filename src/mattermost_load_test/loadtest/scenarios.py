"""What can be run: kinds of entity with their weighted actions, and scenarios with their weighted kinds.

To add an action, weigh it here; to add a scenario, add an entry: its command, help and documentation follow.
The figures are those of the original tool (October 2018).
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from itertools import accumulate

from mattermost_load_test.loadtest.actions import channels, hooks, posts, search, sessions, sockets, teams
from mattermost_load_test.loadtest.user import User

Action = Callable[[User], Awaitable[None]]


@cache
def action_name(action: Action) -> str:
    """Return the name under which an action is counted: ``view channel``."""
    return action.__name__.replace("_", " ")


@dataclass(frozen=True, slots=True)
class EntityKind:
    """A kind of user: what it does, by weight, and how many times slower than the action rate it does it."""

    actions: Mapping[Action, int]
    rate_multiplier: float = 1.0
    _reached: tuple[int, ...] = field(init=False, repr=False, compare=False)
    _choices: tuple[Action, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Prepare the weights for choosing."""
        object.__setattr__(self, "_reached", tuple(accumulate(self.actions.values())))
        object.__setattr__(self, "_choices", tuple(self.actions))

    def choose(self, draw: float) -> Action:
        """Return the action that a uniform draw from [0, 1) falls on."""
        return self._choices[bisect_right(self._reached, draw * self._reached[-1])]


@dataclass(frozen=True, slots=True)
class Scenario:
    """A mix of kinds of entity by weight, and a sentence that says what it is for."""

    summary: str
    kinds: Mapping[str, int]


KINDS: Mapping[str, EntityKind] = {
    "Standard": EntityKind(
        {
            posts.post: 8,
            search.search_posts: 2,
            channels.view_channel: 56,
            teams.team_unreads: 41,
            search.autocomplete_channel: 1,
            search.search_channel: 10,
            sockets.drop_websocket: 4,
            channels.browse_more_channels: 4,
        }
    ),
    "Poster": EntityKind({posts.post: 1}),
    "Search": EntityKind({search.search_posts: 1}),
    "GetChannel": EntityKind({channels.view_channel: 1}),
    "Webhook": EntityKind({hooks.post_by_webhook: 1}, rate_multiplier=1.5),
    "TownSquareSpammer": EntityKind({posts.post_to_town_square: 1}),
    "TeamLeaverJoiner": EntityKind({teams.leave_and_join_team: 1}),
    "Deactivating": EntityKind({sessions.deactivate_and_reactivate: 1}),
    "MoreChannels": EntityKind({channels.browse_more_channels: 1}),
    "Autocompleter": EntityKind({search.search_channel: 5, search.autocomplete_channel: 1}),
}

SCENARIOS: Mapping[str, Scenario] = {
    "all": Scenario("Users of every sort, and integrations that post by webhook.", {"Standard": 90, "Webhook": 10}),
    "basic": Scenario("Users who only post.", {"Poster": 100}),
    "search": Scenario("Users who only search posts.", {"Search": 100}),
    "getchannel": Scenario("Users who only switch channels.", {"GetChannel": 100}),
    "townsquare-spam": Scenario(
        "Users of every sort, and some who post where everybody reads.", {"Standard": 90, "TownSquareSpammer": 10}
    ),
    "team-leave-join": Scenario(
        "Users of every sort, and some who leave a team and join it again.", {"Standard": 90, "TeamLeaverJoiner": 10}
    ),
    "user-deactivation": Scenario(
        "Users of every sort, and some who are deactivated and come back.", {"Standard": 70, "Deactivating": 30}
    ),
    "more-channels-browser": Scenario(
        "Users of every sort, and some who page through the public channels.", {"Standard": 70, "MoreChannels": 30}
    ),
    "autocomplete": Scenario(
        "Mostly users who type channel names, and a few of every sort.", {"Standard": 10, "Autocompleter": 90}
    ),
}


def kind_cycle(kinds: Mapping[str, int]) -> tuple[str, ...]:
    """Return the shortest sequence of kinds that has their weights exactly, each spread as evenly as can be.

    Entity n is of the kind at n modulo its length, so that few entities, or those of one agent among several, have
    the mix too. (At each step every kind gains its weight; the one with most goes next and pays the total.)
    """
    unit = math.gcd(*kinds.values())
    weights = {name: weight // unit for name, weight in kinds.items()}
    total = sum(weights.values())
    credit = dict.fromkeys(weights, 0)
    cycle = []
    for _ in range(total):
        for name, weight in weights.items():
            credit[name] += weight
        chosen = max(credit, key=lambda name: credit[name])
        credit[chosen] -= total
        cycle.append(chosen)
    return tuple(cycle)
