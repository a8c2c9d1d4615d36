"""How an agent judges itself, the line that tells of it, and what a reader makes of that."""

from __future__ import annotations

import io
import json
from dataclasses import replace

import pytest

from mattermost_load_test.timings.health import (
    Activity,
    HealthLimits,
    HealthPoint,
    WorkerHealth,
    health_line,
    saturation,
)
from mattermost_load_test.timings.reading import read_log

WELL = WorkerHealth(0, 5000, lateness_p99_ms=20.0, loop_lag_p99_ms=5.0, cpu_percent=60.0)
LIMITS = HealthLimits(lateness_ms=1000.0, loop_lag_ms=500.0, cpu_percent=95.0, dropped_events=10)


@pytest.mark.parametrize(
    ("late_ms", "worker", "words"),
    [
        (1000.1, WELL, "lateness p99 is 1,000 ms, more than the 1,000 ms allowed"),
        (20.0, replace(WELL, worker=3, loop_lag_p99_ms=501.0), "loop lag p99 of worker 3 is 501 ms"),
        (20.0, replace(WELL, worker=2, cpu_percent=97.2), "worker 2 used 97 % of a core, more than the 95 % allowed"),
        (20.0, replace(WELL, dropped_events=11), "11 websocket events were dropped by the agent itself"),
        (20.0, replace(WELL, lost_lines=1), "1 line of timings could not be written"),
    ],
)
def test_each_sign_beyond_its_limit_is_named(late_ms: float, worker: WorkerHealth, words: str) -> None:
    """One worker of two that cannot keep up is enough; the clause names it and the key."""
    (sign,) = saturation(late_ms, [WELL, worker], LIMITS)
    assert words in sign


def test_at_its_limits_an_agent_keeps_up() -> None:
    """Only what is beyond a limit is a sign."""
    at_limits = replace(WELL, loop_lag_p99_ms=500.0, cpu_percent=95.0, dropped_events=10)
    assert list(saturation(1000.0, [at_limits], LIMITS)) == []
    assert list(saturation(0.0, [], LIMITS)) == []


def test_the_last_line_of_an_agent_counts() -> None:
    """A reader knows whether the agent kept up in the end; without such a line it knows nothing."""
    good = health_line("one", 10.0, 20.0, [WELL], LIMITS, Activity(4990, 900, 1000.0, 3))
    bad = health_line("one", 20.0, 2000.0, [WELL], LIMITS, Activity())
    assert json.loads(good)["saturated"] == []
    assert json.loads(bad)["workers"][0]["cpu_percent"] == 60.0
    instances = read_log(io.BytesIO(good + b"\n" + bad + b"\n"), "log").instances
    (sign,) = instances["one"].saturation or ()
    assert "lateness" in sign
    assert read_log(io.BytesIO(good + b"\n"), "log").instances["one"].saturation == ()


def test_what_an_agent_did_is_read_point_by_point() -> None:
    """Entities, actions and workers come back as they were told; a line that tells no activity has none."""
    told = Activity(4990, 900, 1000.0, 3)
    line = health_line("one", 10.0, 20.0, [WELL], LIMITS, told)
    fields = json.loads(line)
    for name in ("entities", "actions", "actions_intended", "skipped"):
        del fields[name]
    older = json.dumps(fields | {"ts": 5.0}).encode()
    health = read_log(io.BytesIO(older + b"\n" + line + b"\n"), "log").instances["one"].health
    assert health == [HealthPoint(5.0, 20.0, (WELL,)), HealthPoint(10.0, 20.0, (WELL,), told)]
