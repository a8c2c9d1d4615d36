"""Several baselines: how far runs lie from one another counts, beside scipy's figures on the same numbers."""

from __future__ import annotations

import random
from math import log1p
from statistics import fmean

import pytest
from scipy import stats as reference

from mattermost_load_test.timings.comparison import ERROR_RATE, Change, Comparison, compare
from mattermost_load_test.timings.run_to_run import RELATIVE, SHARE, Move, beyond_runs
from mattermost_load_test.timings.stats import Timings

KEY = ("GET /a", "median")


def a_run(seed: int, factors: dict[str, float], errors: int = 0) -> Timings:
    """Return a run of these routes, each slower by its factor than 33 ms, 2,000 samples each."""
    random_ = random.Random(seed)
    made = Timings()
    for name, factor in factors.items():
        durations = [factor * random_.lognormvariate(3.5, 0.4) for _ in range(2000)]
        started = [0.3 * number for number in range(2000)]
        failed = [0.3 * number * 2000 / errors for number in range(errors)]
        made.route(name).add_many(2000 + errors, errors, durations, {}, started, failed)
    return made


def runs_of_days(factors: list[float], after: float) -> Comparison:
    """Compare a run that is slower by `after` with one run for each factor, on two routes."""
    days = [a_run(seed, {"GET /a": factor, "GET /b": factor}) for seed, factor in enumerate(factors)]
    return compare(a_run(99, {"GET /a": after, "GET /b": after}), days)


def test_one_route_is_students_test_of_one_run_against_several() -> None:
    """With a single route it is the t-test of one observation against the baselines', on the scale of the figure."""
    before, after = [40.0, 42.0, 41.0, 39.5], 50.0
    found = beyond_runs({KEY: Move(before, after, RELATIVE)})[KEY]
    expected = reference.ttest_ind([log1p(after)], [log1p(one) for one in before])
    assert found.p_value == pytest.approx(expected.pvalue, rel=1e-6)
    assert found.low < after - fmean(before) < found.high
    two = beyond_runs({KEY: Move(before[:2], after, RELATIVE)})[KEY]
    assert two.p_value > found.p_value
    assert two.low < found.low < found.high < two.high


def test_scales_go_there_and_back() -> None:
    """Durations in proportion, shares by the arcsine of their root, within their range."""
    for measure, values in ((RELATIVE, (0.0, 0.3, 40.0, 1e6)), (SHARE, (0.0, 0.01, 0.5, 1.0))):
        for value in values:
            assert measure.back(measure.of(value)) == pytest.approx(value)
    assert (SHARE.back(-0.1), SHARE.back(9.0)) == (0.0, 1.0)


def test_a_route_that_varies_little_by_chance_varies_as_the_others_do() -> None:
    """The usual variation is the median of the routes'; a route that varies more has its own."""
    moves = {(f"GET /{number}", "median"): Move([40.0, 44.0, 42.0], 43.0, RELATIVE) for number in range(5)}
    quiet, wild = ("quiet", "median"), ("wild", "median")
    moves |= {quiet: Move([40.0, 40.01, 40.02], 43.0, RELATIVE), wild: Move([20.0, 60.0, 40.0], 60.0, RELATIVE)}
    found = beyond_runs(moves)
    assert found[quiet].p_value > 0.3
    assert found[wild].p_value > 0.3
    assert beyond_runs({quiet: moves[quiet]})[quiet].p_value < 0.001


def test_what_one_baseline_alone_has_is_judged_by_what_is_usual() -> None:
    """A route of one baseline only takes the others' variation; where there is none, there is nothing to say."""
    single = ("rare", "median")
    moves = {KEY: Move([40.0, 44.0], 60.0, RELATIVE), single: Move([40.0], 44.0, RELATIVE)}
    assert beyond_runs(moves)[single].p_value > 0.05
    assert beyond_runs({single: moves[single]}) == {}
    assert beyond_runs({}) == {}


def test_baselines_that_are_equal_leave_the_word_to_the_samples() -> None:
    """No variation at all: any difference is beyond it, none is not."""
    assert beyond_runs({KEY: Move([5.0, 5.0], 6.0, RELATIVE)})[KEY].p_value == 0.0
    assert beyond_runs({KEY: Move([5.0, 5.0], 5.0, RELATIVE)})[KEY].p_value == 1.0


def test_what_days_make_is_no_regression() -> None:
    """Baselines a tenth apart: another tenth is noise, where each of them alone would have called it worse."""
    days = [1.0, 1.1, 0.95, 1.08]
    alone = runs_of_days(days[:1], 1.12).routes["GET /a"].difference("median")
    beside = runs_of_days(days, 1.15).routes["GET /a"].difference("median")
    assert alone is not None
    assert beside is not None
    assert alone.change is Change.WORSE
    assert beside.change is Change.UNCLEAR
    assert beside.shift.low < 0 < beside.shift.high
    assert beside.shift.before == pytest.approx(33.1 * fmean(days), rel=0.03)


def test_what_is_beyond_days_is_one() -> None:
    """Half as slow again is more than days that lie a few per cent apart make."""
    made = runs_of_days([1.0, 1.02, 0.99, 1.01], 1.5)
    assert made.baselines == 4
    for figure in ("median", "p95", "p99"):
        difference = made.routes["GET /a"].difference(figure)
        assert difference is not None
        assert difference.change is Change.WORSE
        assert difference.shift.low < difference.shift.after - difference.shift.before < difference.shift.high


def test_error_rates_vary_from_run_to_run_too() -> None:
    """Baselines with none to 60 errors: 80 are unclear, though more than any had."""
    days = [a_run(seed, {"GET /a": 1.0}, errors) for seed, errors in enumerate((0, 60, 20))]
    after = a_run(9, {"GET /a": 1.0}, 80)
    alone, beside = (compare(after, runs).routes["GET /a"].difference(ERROR_RATE) for runs in (days[:1], days))
    assert alone is not None
    assert beside is not None
    assert (alone.change, beside.change) == (Change.WORSE, Change.UNCLEAR)
