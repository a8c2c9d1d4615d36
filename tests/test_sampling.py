"""Random choices made of draws in [0, 1)."""

from __future__ import annotations

import random
from array import array
from collections import Counter
from collections.abc import Iterable

import pytest

from mattermost_load_test.sampling import (
    Draw,
    below,
    choice,
    derived_draw,
    derived_seed,
    distinct_below,
    shuffle_front,
)

LAST = 1 - 2**-53
"""The largest number that `random()` gives."""


def given(draws: Iterable[float]) -> Draw:
    """Return draws that are known beforehand."""
    return iter(draws).__next__


@pytest.mark.parametrize("count", [1, 3, 2**31, 2**53])
def test_below_reaches_both_ends_and_no_further(count: int) -> None:
    """The smallest and largest draw give the first and last number."""
    draw = given([0.0, LAST])
    assert (below(count, draw), below(count, draw)) == (0, count - 1)


def test_choice_takes_each_item() -> None:
    """Draws are spread evenly over the items."""
    draw = given([0.0, 0.34, 0.67])
    assert [choice("abc", draw) for _ in range(3)] == ["a", "b", "c"]


def test_front_is_drawn_from_all() -> None:
    """A shuffled front holds distinct items, drawn evenly from the whole; nothing is lost."""
    draw = random.Random(1).random
    counts: Counter[int] = Counter()
    for _ in range(3000):
        items = array("I", range(6))
        shuffle_front(items, 2, draw)
        assert sorted(items) == [0, 1, 2, 3, 4, 5]
        counts.update(items[:2])
    assert all(850 < counts[item] < 1150 for item in range(6))


def test_distinct_numbers_are_distinct_and_even() -> None:
    """Each number below the limit is among those drawn with the same chance."""
    draw = random.Random(1).random
    counts: Counter[int] = Counter()
    for _ in range(3000):
        drawn = distinct_below(2, 6, draw)
        assert len(set(drawn)) == 2
        counts.update(drawn)
    assert all(850 < counts[item] < 1150 for item in range(6))


def test_distinct_numbers_can_be_all() -> None:
    """As many numbers as there are below the limit are all of them."""
    assert sorted(distinct_below(5, 5, random.Random(1).random)) == [0, 1, 2, 3, 4]


def test_purposes_have_streams_of_their_own() -> None:
    """The same seed and purpose give the same draws; another seed or purpose gives others."""
    assert derived_draw(1, "a", 2)() == derived_draw(1, "a", 2)()
    assert len({derived_draw(*purpose)() for purpose in [(1, "a", 2), (1, "a", 3), (1, "b", 2), (2, "a", 2)]}) == 4


def test_derived_seed_is_the_same_everywhere() -> None:
    """Seeds hang on no hash that differs between processes: this value was noted once."""
    assert derived_seed(1, "members", 3) == SEED_OF_MEMBERS_3
    assert derived_draw(1, "members", 3)() == DRAW_OF_MEMBERS_3


SEED_OF_MEMBERS_3 = 12547099965999434596
DRAW_OF_MEMBERS_3 = 0.11969702272139882
