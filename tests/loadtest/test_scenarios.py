"""The kinds of entity and the mixes of them."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest

from mattermost_load_test.loadtest.scenario_page import page
from mattermost_load_test.loadtest.scenarios import KINDS, SCENARIOS, action_name, kind_cycle

STANDARD = {
    "post": 8,
    "search posts": 2,
    "view channel": 56,
    "team unreads": 41,
    "autocomplete channel": 1,
    "search channel": 10,
    "drop websocket": 4,
    "browse more channels": 4,
}

MIXES = {
    "all": {"Standard": 90, "Webhook": 10},
    "basic": {"Poster": 100},
    "search": {"Search": 100},
    "getchannel": {"GetChannel": 100},
    "townsquare-spam": {"Standard": 90, "TownSquareSpammer": 10},
    "team-leave-join": {"Standard": 90, "TeamLeaverJoiner": 10},
    "user-deactivation": {"Standard": 70, "Deactivating": 30},
    "more-channels-browser": {"Standard": 70, "MoreChannels": 30},
    "autocomplete": {"Standard": 10, "Autocompleter": 90},
}


def test_scenarios_are_the_nine_of_the_original_with_its_mixes() -> None:
    """Names and weights are those that users of the original know."""
    assert {name: dict(scenario.kinds) for name, scenario in SCENARIOS.items()} == MIXES


def test_the_standard_kind_does_what_the_original_does_as_often() -> None:
    """Actions and weights of the Standard kind."""
    assert {action_name(action): weight for action, weight in KINDS["Standard"].actions.items()} == STANDARD


def test_only_the_webhook_kind_is_slower() -> None:
    """Webhooks post at one and a half times the interval of everybody else."""
    assert {name: kind.rate_multiplier for name, kind in KINDS.items() if kind.rate_multiplier != 1.0} == {
        "Webhook": 1.5
    }


def test_every_kind_of_every_scenario_exists_and_every_kind_is_used() -> None:
    """No mix names a kind that is not there, and no kind lies about unused."""
    assert {name for scenario in SCENARIOS.values() for name in scenario.kinds} == set(KINDS)


def test_actions_are_chosen_by_weight() -> None:
    """Over many draws each action of the Standard kind comes up in its share."""
    draw = random.Random(3).random
    chosen = Counter(action_name(KINDS["Standard"].choose(draw())) for _ in range(63_000))
    for name, weight in STANDARD.items():
        assert chosen[name] == pytest.approx(weight * 500, rel=0.1, abs=50)


def test_the_ends_of_the_draw_choose_the_first_and_the_last_action() -> None:
    """A draw of 0 falls on the first action, one just below 1 on the last."""
    kind = KINDS["Standard"]
    assert action_name(kind.choose(0.0)) == "post"
    assert action_name(kind.choose(1.0 - 2**-53)) == "browse more channels"


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_cycle_has_the_weights_exactly_and_spreads_the_kinds(name: str) -> None:
    """In a cycle each kind has its share, and within any stretch of it no kind is more than one off its share."""
    kinds = SCENARIOS[name].kinds
    cycle = kind_cycle(kinds)
    total = sum(kinds.values())
    for length in range(1, len(cycle) + 1):
        counted = Counter(cycle[:length])
        for kind, weight in kinds.items():
            assert abs(counted[kind] - length * weight / total) < 1
    assert Counter(cycle) == {kind: len(cycle) * weight // total for kind, weight in kinds.items()}


def test_the_page_of_scenarios_is_what_the_scenarios_say() -> None:
    """docs/scenarios.md is generated; after a change it is to be generated again."""
    shown = (Path(__file__).parents[2] / "docs" / "scenarios.md").read_text()
    assert shown == page(), "run: python -m mattermost_load_test.loadtest.scenario_page > docs/scenarios.md"
