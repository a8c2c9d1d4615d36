"""When a run begins and ends."""

from __future__ import annotations

import pytest

from mattermost_load_test.errors import UsageError
from mattermost_load_test.loadtest.schedule import Schedule, start_time_s


def test_without_a_start_time_a_run_begins_at_once_and_lasts_its_length() -> None:
    """Whenever it is ready, it has all of its time."""
    schedule = Schedule(60.0)
    assert (schedule.wait_s(1000.0), schedule.rest_s(1000.0), schedule.remark(1000.0)) == (0.0, 60.0, None)
    schedule.check(1e12)


def test_an_early_agent_waits_and_a_late_one_acts_for_the_rest() -> None:
    """All agents end together, at the start time plus the length; the late one says so."""
    schedule = Schedule(60.0, 1000.0)
    assert (schedule.wait_s(990.0), schedule.rest_s(990.0), schedule.remark(990.0)) == (10.0, 60.0, None)
    assert (schedule.wait_s(1015.0), schedule.rest_s(1015.0)) == (0.0, 45.0)
    assert schedule.remark(1015.0) == (
        "the entities began 15.0 s after the start of the run and acted for the rest, 45.0 s."
    )


def test_a_run_that_is_over_is_refused() -> None:
    """A restart after the end begins nothing."""
    schedule = Schedule(60.0, 1000.0)
    schedule.check(1059.0)
    with pytest.raises(UsageError, match=r"--start-at: .* ended at 1970-01-01T00:17:40\+00:00"):
        schedule.check(1060.0)


@pytest.mark.parametrize(
    ("text", "time_s"),
    [
        ("1970-01-01T00:02:00Z", 120.0),
        ("1970-01-01T02:02:00.5+02:00", 120.5),
        ("1970-01-01 00:02:00z", 120.0),
        ("+30s", 1030.0),
        ("+1m30s", 1090.0),
        ("+0", 1000.0),
    ],
)
def test_start_times(text: str, time_s: float) -> None:
    """RFC 3339, or a delay from now."""
    assert start_time_s(text, 1000.0) == time_s


@pytest.mark.parametrize("text", ["soon", "12:00", "1970-01-01T00:02:00", "+", "+30", "30s", "-30s", "1970-01-01"])
def test_what_is_no_start_time(text: str) -> None:
    """Without a date, a zone or a unit a time could mean more than one moment."""
    with pytest.raises(ValueError, match=r"no duration|is not a time|time zone"):
        start_time_s(text)
