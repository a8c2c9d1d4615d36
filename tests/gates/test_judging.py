"""Deciding gates: what fails, what passes, and that nothing passes which could not be decided."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mattermost_load_test.gates import Facts, GateResult, Outcome, judge, parse
from mattermost_load_test.timings.stats import RouteTimings, Statistics

POSTS = "POST /posts"


def statistics(samples: int, errors: int = 0, slowest_ms: float = 100.0) -> Statistics:
    """Return the figures of durations spread evenly up to `slowest_ms`."""
    route = RouteTimings()
    for number in range(1, samples + 1):
        route.add(slowest_ms * number / samples)
    for _ in range(errors):
        route.add(0.0, "500")
    return route.statistics()


def facts(samples: int = 1000, errors: int = 0, slowest_ms: float = 100.0) -> Facts:
    """Return the facts of a run of 100 seconds with one route."""
    figures = statistics(samples, errors, slowest_ms)
    return Facts(overall=lambda: figures, routes={POSTS: figures}, score=200.0, duration_s=100.0)


def decided(text: str, known: Facts) -> GateResult:
    """Return what becomes of one gate."""
    (result,) = judge([parse(text, "test")], known)
    return result


@pytest.mark.parametrize(
    ("text", "outcome", "reason"),
    [
        ("p95 > 94ms", Outcome.FAILED, "p95 is 95.00ms > 94.00ms"),
        ("p95 > 95ms", Outcome.PASSED, "p95 is 95.00ms ≤ 95.00ms"),
        ("p95 >= 95ms", Outcome.FAILED, "p95 is 95.00ms >= 95.00ms"),
        ("p99 > 1s", Outcome.PASSED, "p99 is 99.00ms ≤ 1,000.00ms"),
        ('route:"POST /posts" max > 99ms', Outcome.FAILED, "max is 100.00ms > 99.00ms"),
        ("error_rate > 1%", Outcome.PASSED, "error_rate is 1.00% ≤ 1.00%"),
        ("error_rate >= 1%", Outcome.FAILED, "error_rate is 1.00% >= 1.00%"),
        ("error_rate > 0.999%", Outcome.FAILED, "error_rate is 1.0000% > 0.9990%"),
        ("errors > 9", Outcome.FAILED, "errors is 10 > 9"),
        ("hits < 1000", Outcome.PASSED, "hits is 1,000 ≥ 1,000"),
        ("throughput < 11/s", Outcome.FAILED, "throughput is 10.00/s < 11.00/s"),
        ("throughput < 10/s", Outcome.PASSED, "throughput is 10.00/s ≥ 10.00/s"),
        ("score > 199", Outcome.FAILED, "score is 200 > 199"),
    ],
)
def test_figures_against_limits(text: str, outcome: Outcome, reason: str) -> None:
    """A gate fails where its condition holds, and says by what figure."""
    result = decided(text, facts(990, 10) if text.startswith("error") else facts())
    assert (result.outcome, result.reason) == (outcome, reason)


@pytest.mark.parametrize(
    ("text", "fewest"), [("p99 > 1s", 100), ("p95 > 1s", 20), ("p90 > 1s", 10), ("median > 1s", 3)]
)
def test_too_few_samples_never_pass(text: str, fewest: int) -> None:
    """A percentile with too few samples for it is not decided, whatever its value would be."""
    assert decided(text, facts(fewest)).outcome is Outcome.PASSED
    result = decided(text, facts(fewest - 1))
    assert result.outcome is Outcome.TOO_FEW
    assert f"needs at least {fewest} requests that succeeded, there are {fewest - 1}" in result.reason
    assert not result.passed


def test_a_route_without_requests_never_passes() -> None:
    """A gate on a route that was not measured, or has errors only, is not decided."""
    result = decided('route:"GET /nothing" p95 > 1s', facts())
    assert (result.outcome, result.reason) == (Outcome.TOO_FEW, "there was no request on GET /nothing")
    only_errors = facts(0, 50)
    assert decided(f'route:"{POSTS}" max > 1s', only_errors).outcome is Outcome.TOO_FEW
    assert decided(f'route:"{POSTS}" error_rate > 1%', only_errors).outcome is Outcome.FAILED


def test_against_a_baseline() -> None:
    """Limits made of the baseline's figures: times a share, plus an amount, in points."""
    known = replace(facts(1000, 20, 120.0), baseline=facts(1000, 10, 100.0))
    assert decided("p95 > baseline+10%", known).reason == "p95 is 114.00ms > 104.50ms (the baseline's is 95.00ms)"
    assert decided("p95 > baseline+10%", known).outcome is Outcome.FAILED
    assert decided("p95 > baseline+25%", known).passed
    assert decided("p95 > baseline+20ms", known).passed
    assert not decided("p95 > baseline+18ms", known).passed
    assert decided("error_rate > baseline+2pp", known).passed
    assert not decided("error_rate > baseline+0.5pp", known).passed


def test_a_baseline_with_too_few_samples_never_passes() -> None:
    """What cannot be said of the baseline cannot be compared with."""
    result = decided("p95 > baseline+10%", replace(facts(), baseline=facts(19)))
    assert result.outcome is Outcome.TOO_FEW
    assert result.reason.startswith("in the baseline, p95 needs at least 20")
    assert decided("p95 > baseline", facts()).outcome is Outcome.UNKNOWN


def test_significance() -> None:
    """Of one route, or of any; a route that was not tested never passes."""
    known = replace(
        facts(),
        baseline=facts(),
        worse={"p95": {"GET /slow": "is worse by +12.0 %"}},
        tested={"p95": frozenset({"GET /slow", POSTS}), "median": frozenset({POSTS})},
    )
    assert decided("p95 significantly worse", known).reason == "GET /slow is worse by +12.0 %"
    assert decided('route:"GET /slow" p95 significantly worse', known).outcome is Outcome.FAILED
    assert decided(f'route:"{POSTS}" p95 significantly worse', known).passed
    assert decided('route:"GET /rare" p95 significantly worse', known).outcome is Outcome.TOO_FEW
    assert decided("p50 significantly worse", known).passed
    assert decided("error_rate significantly worse", known).outcome is Outcome.TOO_FEW
    assert decided("p95 significantly worse", facts()).outcome is Outcome.UNKNOWN


def test_what_the_log_does_not_tell_never_passes() -> None:
    """Saturation, intended actions and the length of a run may be unknown, as in the original's logs."""
    known = replace(facts(), duration_s=None)
    for text in ("saturated", "throughput < 90% of intended", "throughput < 1/s"):
        assert decided(text, known).outcome is Outcome.UNKNOWN
    assert decided("saturated", replace(known, saturation=())).passed
    late = decided("saturated", replace(known, saturation=("lateness p99 is 1,500 ms",)))
    assert (late.outcome, late.reason) == (Outcome.FAILED, "lateness p99 is 1,500 ms")
    share = replace(known, achieved_share=0.89)
    assert decided("throughput < 90% of intended", share).reason == "89.0% of the intended actions were done"
    assert not decided("throughput < 90% of intended", share).passed
    assert decided("throughput < 80% of intended", share).passed


def test_failed_gates_come_first() -> None:
    """Those that did not pass lead, each group in the order in which it was given."""
    texts = ("p95 > 1s", "p95 > 1ms", "max > 1s", "saturated")
    results = judge([parse(text, "test") for text in texts], facts())
    assert [result.gate.text for result in results] == ["p95 > 1ms", "saturated", "p95 > 1s", "max > 1s"]
    assert str(results[0]) == "p95 > 1ms: failed: p95 is 95.00ms > 1.00ms"


@pytest.mark.parametrize(
    "text",
    ["p95 > 1s", "max > 1s", "error_rate > 1%", "errors > 5", "hits > 5", "throughput > 5/s", "score > 5", "saturated"],
)
def test_nothing_measured_passes_nothing(text: str) -> None:
    """A run without one request is not good."""
    nothing = statistics(0)
    assert not decided(text, Facts(overall=lambda: nothing, routes={}, score=0.0)).passed
