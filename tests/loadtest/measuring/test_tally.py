"""Counting what entities do."""

from __future__ import annotations

import pytest

from mattermost_load_test.loadtest.measuring.tally import Tally


def test_intended_actions_are_time_over_interval() -> None:
    """Two entities every 10 s and one every 15 s intend 2 · 60/10 + 60/15 actions in a minute, then no more."""
    tally = Tally()
    for interval_s in (10.0, 10.0, 15.0):
        tally.entity_started(100.0, interval_s)
    assert tally.running == 3
    assert tally.intended(160.0) == pytest.approx(16.0)
    for interval_s in (10.0, 10.0, 15.0):
        tally.entity_stopped(160.0, interval_s)
    assert tally.intended(500.0) == pytest.approx(16.0)
    assert tally.running == 0


def test_waiting_on_purpose_is_not_intended_to_be_acted_in() -> None:
    """Five seconds of typing every 10 s put off half an action."""
    tally = Tally()
    tally.entity_started(0.0, 10.0)
    tally.paused(5.0, 10.0)
    assert tally.intended(100.0) == pytest.approx(9.5)


def test_actions_count_as_achieved_however_they_ended() -> None:
    """Done, failed and skipped actions were all acted; background requests are none."""
    tally = Tally()
    tally.action("post").done += 2
    tally.action("post").failed["500"] += 1
    tally.action("view channel").skipped += 3
    tally.in_background("poll statuses").failed["timeout"] += 1
    assert tally.achieved == 6
    assert tally.skipped == 3
    assert tally.failures() == {"500": 1, "timeout": 1}


def test_merged_tallies_have_the_sum_of_everything() -> None:
    """The tallies of two workers add up to that of the agent."""
    one, other = Tally(), Tally()
    for tally in (one, other):
        tally.entity_started(0.0, 10.0)
        tally.action("post").done += 1
        tally.action("post").failed["500"] += 1
        tally.lateness_s.add(0.5)
    one.merge(other, 50.0)
    assert one.intended(50.0) == pytest.approx(10.0)
    assert (one.action("post").done, one.action("post").failed["500"], one.lateness_s.count) == (2, 2, 2)
