"""What a comparison calls a route: worse only beyond noise and by enough to matter."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

import pytest

from mattermost_load_test.timings.comparison import (
    ERROR_RATE,
    Change,
    Comparison,
    Outcome,
    Thresholds,
    Verdict,
    compare,
    span_of,
)
from mattermost_load_test.timings.stats import Timings

ROUTE = "GET /users/me"


def timings(routes: Mapping[str, Sequence[float]], errors: int = 0, *, times: bool = True) -> Timings:
    """Return a run of 600 seconds with these durations, evenly spread, and as many errors on each route."""
    made = Timings()
    for name, durations in routes.items():
        started = [600.0 * number / len(durations) for number in range(len(durations))] if times else ()
        failed = [600.0 * (number + 0.5) / errors for number in range(errors)] if times else ()
        made.route(name).add_many(len(durations) + errors, errors, durations, {"500": errors}, started, failed)
    return made


def durations(seed: int, count: int, scale: float = 1.0) -> list[float]:
    """Return log-normal durations with a median of about 33 ms."""
    random_ = random.Random(seed)
    return [scale * random_.lognormvariate(3.5, 0.4) for _ in range(count)]


def against(actual: Timings, baseline: Timings, thresholds: Thresholds | None = None) -> Comparison:
    """Compare a run with one baseline."""
    return compare(actual, [baseline], thresholds)


def verdict(before: Sequence[float], after: Sequence[float], *, errors: int = 0) -> Verdict:
    """Return what one route is called."""
    return against(timings({ROUTE: after}, errors), timings({ROUTE: before})).routes[ROUTE].verdict


@pytest.mark.parametrize("times", [True, False], ids=["with times", "in the order of the log"])
def test_a_slow_down_is_seen(times: bool) -> None:
    """A fifth slower is slower, with an interval that holds the truth."""
    made = against(
        timings({ROUTE: durations(2, 3000, 1.2)}, times=times), timings({ROUTE: durations(1, 3000)}, times=times)
    )
    route = made.routes[ROUTE]
    assert (route.verdict, made.outcome, made.tests) == (Verdict.SLOWER, Outcome.WORSE, 4)
    median = route.difference("median")
    assert median is not None
    assert median.change is Change.WORSE
    assert median.p_value < 0.001
    assert median.shift.low < 33.1 * 0.2 < median.shift.high
    assert made.worse("median").keys() == {ROUTE}
    assert made.tested("p95") == {ROUTE}


def test_the_other_way_round_it_is_faster() -> None:
    """A gain is called one by the same rules."""
    assert verdict(durations(1, 3000, 1.2), durations(2, 3000)) is Verdict.FASTER


def test_equal_runs_are_the_same() -> None:
    """The same distribution is no change, and a run against itself has no difference at all."""
    same = against(timings({ROUTE: durations(2, 5000)}), timings({ROUTE: durations(1, 5000)}))
    assert same.routes[ROUTE].verdict is Verdict.SAME
    assert same.outcome is Outcome.SAME
    itself = against(timings({ROUTE: durations(1, 500)}), timings({ROUTE: durations(1, 500)}))
    assert {one.p_value for one in itself.routes[ROUTE].differences} == {1.0}


def test_a_difference_too_small_to_matter_is_never_a_regression() -> None:
    """Three per cent, or half a millisecond, is no change, however many samples make it certain."""
    many = durations(1, 200_000)
    made = against(timings({ROUTE: [one * 1.03 for one in durations(2, 200_000)]}), timings({ROUTE: many}))
    median = made.routes[ROUTE].difference("median")
    assert median is not None
    assert median.p_value < 0.001
    assert median.change is Change.SAME
    assert made.routes[ROUTE].verdict is Verdict.SAME
    small = against(timings({ROUTE: [1.8] * 1000}), timings({ROUTE: [1.0] * 1000}))
    assert small.routes[ROUTE].verdict is Verdict.SAME
    finer = Thresholds(share=0.02, duration_ms=0.5)
    assert against(timings({ROUTE: [1.8] * 1000}), timings({ROUTE: [1.0] * 1000}), finer).outcome is Outcome.WORSE


def test_a_tail_that_grows_is_seen_where_the_median_stays() -> None:
    """When one request in fourteen takes three times as long, the 95th percentile tells."""
    after = durations(2, 4000)
    for index in range(0, 4000, 14):
        after[index] *= 3
    made = against(timings({ROUTE: after}), timings({ROUTE: durations(1, 4000)}))
    changes = {one.figure: one.change for one in made.routes[ROUTE].differences}
    assert changes == {"median": Change.SAME, "p95": Change.WORSE, "p99": Change.WORSE, ERROR_RATE: Change.SAME}


def test_the_farthest_tail_is_seen_where_the_95th_percentile_stays() -> None:
    """One request in 120 takes five times as long: only the 99th percentile tells, from a thousand samples on."""
    after = durations(2, 12_000)
    for index in range(0, 12_000, 120):
        after[index] *= 5
    route = against(timings({ROUTE: after}), timings({ROUTE: durations(1, 12_000)})).routes[ROUTE]
    assert {one.figure: one.change for one in route.differences} == {
        "median": Change.SAME,
        "p95": Change.SAME,
        "p99": Change.WORSE,
        ERROR_RATE: Change.SAME,
    }
    assert route.verdict is Verdict.SLOWER
    few = against(timings({ROUTE: after}), timings({ROUTE: durations(1, 999)})).routes[ROUTE]
    assert (few.difference("p95") is None, few.difference("p99") is None) == (False, True)


def test_a_large_difference_that_may_be_noise_is_unclear() -> None:
    """Thirty samples that look slower say nothing yet."""
    route = against(timings({ROUTE: durations(8, 30, 1.15)}), timings({ROUTE: durations(1, 30)})).routes[ROUTE]
    assert route.verdict is Verdict.UNCLEAR
    assert route.difference("p95") is None


def test_errors_are_part_of_it() -> None:
    """More errors make a route worse, whatever its times; both are said where both happened."""
    assert verdict(durations(1, 3000), durations(2, 3000), errors=90) is Verdict.MORE_ERRORS
    assert verdict(durations(1, 3000), durations(2, 3000, 1.3), errors=90) is Verdict.SLOWER_MORE_ERRORS
    assert verdict(durations(1, 3000), durations(2, 3000, 0.7), errors=90) is Verdict.MORE_ERRORS
    fewer = against(timings({ROUTE: durations(2, 3000)}), timings({ROUTE: durations(1, 3000)}, 90))
    assert fewer.routes[ROUTE].verdict is Verdict.FEWER_ERRORS


def test_a_few_errors_do_not_matter() -> None:
    """One error in three thousand requests is below the threshold."""
    assert verdict(durations(1, 3000), durations(2, 3000), errors=1) is Verdict.SAME


def test_new_vanished_and_rare_routes_are_called_so() -> None:
    """What cannot be compared is never left out."""
    made = against(
        timings({ROUTE: durations(1, 500), "rare": [1.0] * 19, "new": [1.0]}),
        timings({ROUTE: durations(1, 500), "rare": [1.0] * 500, "gone": [1.0] * 500}),
    )
    verdicts = {name: route.verdict for name, route in made.routes.items()}
    assert verdicts == {
        ROUTE: Verdict.SAME,
        "gone": Verdict.VANISHED,
        "new": Verdict.NEW,
        "rare": Verdict.TOO_FEW,
    }


def test_only_errors_on_both_sides() -> None:
    """A route without one good answer has no times to compare, but an error rate."""
    made = against(timings({ROUTE: []}, 50), timings({ROUTE: durations(1, 500)}))
    assert made.routes[ROUTE].verdict is Verdict.MORE_ERRORS
    assert against(timings({ROUTE: []}, 50), timings({ROUTE: []}, 50)).routes[ROUTE].verdict is Verdict.TOO_FEW


def test_nothing_to_test_is_said() -> None:
    """Where no route has enough samples, the comparison calls nothing good."""
    assert against(timings({ROUTE: [1.0] * 5}), timings({ROUTE: [1.0] * 5})).outcome is Outcome.UNTESTED


def test_many_routes_do_not_make_a_regression_of_chance() -> None:
    """A hundred routes of equal runs: nothing is called different."""
    before = timings({f"route {number}": durations(number, 300) for number in range(100)})
    after = timings({f"route {number}": durations(number + 1000, 300) for number in range(100)})
    made = against(after, before)
    assert made.outcome is Outcome.SAME
    assert made.tests == 300


def test_the_span_of_a_run() -> None:
    """From the first to the last start over all routes; unknown as soon as one sample has none."""
    made = timings({"a": [1.0, 1.0], "b": [1.0] * 4})
    span = span_of(made)
    assert span is not None
    assert (span.start_s, span.end_s) == (0.0, 450.0)
    made.route("c").add(1.0)
    assert span_of(made) is None
