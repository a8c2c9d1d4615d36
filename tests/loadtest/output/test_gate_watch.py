"""Gates while a run goes on, on lines of data as they go into the log."""

from __future__ import annotations

import random

import pytest

from mattermost_load_test.errors import GateFailedError
from mattermost_load_test.gates import parse
from mattermost_load_test.gates.so_far import RouteSoFar
from mattermost_load_test.loadtest.output.gate_watch import ABORT_FROM_S, GateWatch, RunGates
from mattermost_load_test.timings.health import Activity, HealthLimits, health_line
from mattermost_load_test.timings.records import LOGIN_TAG, TIMINGS_TAG, Sample, timings_line
from mattermost_load_test.timings.stats import RouteTimings

POSTS = "POST /posts"


class Watched:
    """A watch over gates, and what it told and asked for."""

    def __init__(self, *fail_on: str, abort_on: tuple[str, ...] = ()) -> None:
        self.told: list[str] = []
        self.ended: list[GateFailedError] = []
        gates = RunGates(tuple(parse(text, "x") for text in fail_on), tuple(parse(text, "x") for text in abort_on))
        self.watch = GateWatch(gates, self.ended.append)

    def crossed(self) -> tuple[str, ...]:
        """Return the gates crossed."""
        return self.watch.crossed(self.told.append)

    def see(self, *durations_ms: float, at_s: float = 1.0, error: str | None = None, tag: str = TIMINGS_TAG) -> None:
        """Hand over a line of timings written `at_s` into the run."""
        samples = [Sample(POSTS, 1000.0 * at_s, duration_ms, error) for duration_ms in durations_ms]
        self.watch.write_data(timings_line(samples, tag, "one", at_s))


def test_a_gate_is_crossed_and_uncrossed() -> None:
    """It is shown while it fails, and told once."""
    watched = Watched("mean > 100ms")
    assert watched.crossed() == ()
    watched.see(200.0)
    assert watched.crossed() == ("mean > 100ms: mean is 200.00ms > 100.00ms",)
    watched.see(10.0, 10.0, 10.0)
    assert watched.crossed() == ()
    watched.see(900.0)
    assert watched.crossed() != ()
    assert watched.told == ["gate crossed: mean > 100ms: mean is 200.00ms > 100.00ms"]


def test_what_cannot_be_decided_yet_fails_nothing() -> None:
    """Too few samples, an agent that told nothing yet, a number that only grows: the end decides."""
    watched = Watched("p99 > 1ms", "saturated", "throughput < 90% of intended", "hits < 1000", 'route:"x" max > 1ms')
    watched.see(200.0)
    assert watched.crossed() == ()


def test_health_lines_tell_the_rest() -> None:
    """Whether the agent keeps up, and how much it does of what was intended."""
    watched = Watched("saturated", "throughput < 90% of intended")
    watched.see(1.0)
    watched.watch.write_data(health_line("one", 5.0, 2000.0, [], HealthLimits(), Activity(5, 80, 100.0)))
    saturated, throughput = watched.crossed()
    assert saturated.startswith("saturated: lateness p99 is 2,000 ms")
    assert throughput == "throughput < 90% of intended: 80.0% of the intended actions were done"


def test_logins_and_settings_are_passed_by() -> None:
    """Only the run itself counts."""
    watched = Watched("mean > 1ms")
    watched.see(200.0, tag=LOGIN_TAG)
    watched.watch.write_data(b'{"tag":"report","configuration":{}}')
    assert watched.crossed() == ()


def test_a_route_has_its_own_figures() -> None:
    """A gate on a route looks at that route."""
    watched = Watched(f'route:"{POSTS}" error_rate > 10%', 'route:"GET /x" error_rate > 10%')
    watched.see(1.0, 1.0, error="500")
    watched.watch.write_data(timings_line([Sample("GET /x", 1000.0, 5.0)], TIMINGS_TAG, "one", 2.0))
    assert watched.crossed() == (f'route:"{POSTS}" error_rate > 10%: error_rate is 100.00% > 10.00%',)


def test_a_gate_ends_the_run() -> None:
    """Not before ten seconds have passed, and only one that was given for that."""
    watched = Watched("mean > 1ms", abort_on=("error_rate > 50%",))
    watched.see(5.0, at_s=1.0)
    watched.see(5.0, 5.0, at_s=1.0, error="500")
    assert len(watched.crossed()) == 2
    assert watched.ended == []
    watched.see(5.0, at_s=1.0 + ABORT_FROM_S, error="500")
    watched.crossed()
    (ended,) = watched.ended
    assert str(ended).startswith("the run was ended early, as a gate was crossed: error_rate > 50%: failed:")


@pytest.mark.parametrize("figure", ["mean_ms", "median_ms", "p90_ms", "p95_ms", "p99_ms", "max_ms", "min_ms"])
def test_figures_so_far_are_near_the_exact_ones(figure: str) -> None:
    """Off by a little more than the histogram's per cent at most, on ten thousand samples."""
    random_ = random.Random(1)
    durations_ms = [random_.lognormvariate(3, 0.8) for _ in range(10_000)]
    so_far, exact = RouteSoFar(), RouteTimings()
    for index in range(0, 10_000, 100):
        so_far.add(100, 0, durations_ms[index : index + 100])
    exact.add_many(10_000, 0, durations_ms, {})
    assert getattr(so_far.statistics(), figure) == pytest.approx(getattr(exact.statistics(), figure), rel=0.02)
