"""The figures that are shown while a run lasts."""

from __future__ import annotations

import pytest

from mattermost_load_test.loadtest.measuring.watch import RateMeter, Rates, RequestWatch
from mattermost_load_test.timings.records import Sample


def sample(duration_ms: float = 10.0, error: str | None = None) -> Sample:
    """Return a sample that took so long."""
    return Sample("GET /users/me", 0.0, duration_ms, error)


def test_requests_are_counted_and_errors_by_kind() -> None:
    """Successes and errors add up to all requests; durations are those of successes only."""
    watch = RequestWatch(lambda: 0.0)
    for error in (None, None, "500", "timeout", "500"):
        watch.add(sample(1000.0 if error else 10.0, error))
    assert (watch.requests, watch.successes, watch.errors) == (5, 2, {"500": 2, "timeout": 1})
    assert watch.recent_ms().percentile(95) == pytest.approx(10.0, rel=0.01)


def test_percentiles_forget_what_is_long_past() -> None:
    """After twenty seconds nothing is left of a slow start; without any request there is nothing."""
    now_s = 0.0
    watch = RequestWatch(lambda: now_s)
    assert watch.recent_ms().count == 0
    watch.add(sample(5000.0))
    now_s = 11.0
    watch.add(sample(10.0))
    now_s = 22.0
    watch.add(sample(10.0))
    assert watch.recent_ms().percentile(95) == pytest.approx(10.0, rel=0.01)


def test_rates_are_those_of_the_last_readings() -> None:
    """A meter read every second gives the rates of the last ten, nought at its first reading."""
    meter = RateMeter()
    assert meter.read(0.0, 0, 0, 0) == Rates()
    for second in range(1, 31):
        rates = meter.read(float(second), 2 * second, 100 if second > 15 else 0, 5 * second)
    assert rates == Rates(2.0, 0.0, 5.0)
