"""When entities act."""

from __future__ import annotations

import random

import pytest

from mattermost_load_test.loadtest.pacing import Pacing, connect_due_s, lateness_s, pacing_of


def test_interval_is_the_action_rate_times_the_multiplier() -> None:
    """A kind with a multiplier of 1.5 acts every one and a half action rates; the variance is milliseconds, too."""
    assert pacing_of(240_000, 1_500, 1.5) == Pacing(interval_s=360.0, variance_s=1.5)


def test_first_actions_are_spread_uniformly_over_one_interval() -> None:
    """Of many entities that start together a tenth acts in each tenth of the interval."""
    draw = random.Random(1).random
    pacing = Pacing(10.0, 1.0)
    tenths = [0] * 10
    for _ in range(20_000):
        tenths[int(pacing.first_due_s(100.0, draw()) - 100.0)] += 1
    assert all(abs(tenth - 2_000) < 200 for tenth in tenths)


@pytest.mark.parametrize(("draw", "due_s"), [(0.0, 109.0), (0.5, 110.0), (0.999_999, 111.0)])
def test_next_action_is_due_an_interval_after_the_last_ended_give_or_take_half_the_variance(
    draw: float, due_s: float
) -> None:
    """A variance of 2 s moves the next action by at most 1 s either way."""
    assert Pacing(10.0, 2.0).next_due_s(100.0, draw) == pytest.approx(due_s, abs=1e-5)


def test_variance_wider_than_the_interval_never_makes_an_action_due_before_the_last_one_ended() -> None:
    """An interval of 1 s with a variance of 10 s gives due times from now on only."""
    assert Pacing(1.0, 10.0).next_due_s(100.0, 0.0) == 100.0


def test_websockets_open_evenly_over_half_an_interval_and_before_the_first_action() -> None:
    """Of many entities that start together a fifth connects in each tenth of the interval's first half."""
    draw = random.Random(2).random
    tenths = [0] * 10
    for _ in range(20_000):
        first_due_s = Pacing(10.0).first_due_s(100.0, draw())
        connect_s = connect_due_s(100.0, first_due_s)
        assert 100.0 <= connect_s <= first_due_s
        tenths[int(connect_s - 100.0)] += 1
    assert all(abs(tenth - 4_000) < 300 for tenth in tenths[:5])
    assert tenths[5:] == [0] * 5


def test_lateness_is_start_minus_due_and_never_negative() -> None:
    """A timer that fires a moment early is not late."""
    assert lateness_s(10.0, 10.25) == 0.25
    assert lateness_s(10.0, 9.999) == 0.0
