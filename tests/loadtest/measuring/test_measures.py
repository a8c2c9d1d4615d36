"""What workers have done, added up."""

from __future__ import annotations

import pickle

import pytest

from mattermost_load_test.loadtest.measuring.measures import Measures, merged
from mattermost_load_test.loadtest.measuring.watch import RequestWatch
from mattermost_load_test.timings.records import Sample


def measures(requests: int) -> Measures:
    """Return what a worker did that sent so many requests, one of two of which failed, from second 100 on."""
    watch = RequestWatch(lambda: 0.0)
    for number in range(requests):
        watch.add(Sample("GET /users/me", 0.0, 10.0, "500" if number % 2 else None))
    done = Measures(
        requests=watch.requests, errors=watch.errors, durations=watch.durations, recent_ms=watch.recent_ms()
    )
    done.tally.entity_started(100.0, 10.0)
    done.events.events, done.sockets_open, done.lost_lines = 3, 1, 2
    done.loop_lag_s.add(0.25)
    done.cpu_s, done.acted_s = 5.0, 10.0
    return done


def test_the_sum_of_two_workers() -> None:
    """Every count is the sum, nothing of a worker is changed by it, and a copy that came over a pipe counts alike."""
    one, other = measures(10), pickle.loads(pickle.dumps(measures(4)))
    for _ in range(2):
        total = merged([one, other], 150.0)
        assert (total.requests, total.errors["500"], total.recent_ms.count) == (14, 7, 7)
        assert total.durations["GET /users/me", "5xx"].cumulated()[-1] == ("+Inf", 7.0)
        assert (total.events.events, total.sockets_open, total.lost_lines) == (6, 2, 4)
        assert total.tally.running == 2
        assert total.tally.intended(150.0) == pytest.approx(10.0)


def test_an_ended_worker_intends_nothing_more() -> None:
    """What it did stays; its entities are not up, its websockets not open."""
    ended = measures(10)
    ended.halt(120.0)
    total = merged([ended], 500.0)
    assert (total.requests, total.tally.running, total.sockets_open) == (10, 0, 0)
    assert total.tally.intended(500.0) == pytest.approx(2.0)


def test_health_is_in_the_units_of_its_limits() -> None:
    """Milliseconds and percent of a core."""
    health = measures(1).health(3, 500)
    assert (health.worker, health.entities, health.cpu_percent) == (3, 500, 50.0)
    assert health.loop_lag_p99_ms == pytest.approx(250.0, rel=0.01)
