"""Deciding gates on the figures of a run. What cannot be decided is never called passed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from mattermost_load_test.counts import counted
from mattermost_load_test.timings.stats import Statistics

from .figures import FIGURES, Figure, Quantity
from .language import COMPARISONS, Gate, Intended, Limit, Relative, Saturated, Significant

_NAMED_ROUTES = 3  # so many stand in a reason, the rest is a count


class Outcome(StrEnum):
    """What became of a gate; all but `PASSED` fail the run."""

    FAILED = "failed"
    TOO_FEW = "too few samples"
    UNKNOWN = "cannot be decided"
    PASSED = "passed"


@dataclass(frozen=True, slots=True)
class Facts:
    """What gates are decided on.

    `overall` gives the figures over the samples of all `routes` together. `duration_s` is the time between first and
    last request, `achieved_share` the actions done of those intended, `saturation` the signs that an agent could not
    keep up (empty: none); each is None where the log does not tell. `worse` names, by figure, the routes of which the
    comparison calls it worse, and `tested` those it could test.
    """

    overall: Callable[[], Statistics]
    routes: Mapping[str, Statistics]
    score: float
    duration_s: float | None = None
    achieved_share: float | None = None
    saturation: Sequence[str] | None = None
    baseline: Facts | None = None
    worse: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    tested: Mapping[str, frozenset[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class GateResult:
    """What became of a gate, and why, in words."""

    gate: Gate
    outcome: Outcome
    reason: str

    @property
    def passed(self) -> bool:
        """Whether the run may be called good as far as this gate goes."""
        return self.outcome is Outcome.PASSED

    def __str__(self) -> str:
        return f"{self.gate.text}: {self.outcome}: {self.reason}"


def judge(gates: Iterable[Gate], facts: Facts) -> tuple[GateResult, ...]:
    """Return what becomes of `gates`, those that did not pass first, each group in its order."""
    results = [GateResult(gate, *_DECIDE[type(gate.condition)](gate, gate.condition, facts)) for gate in gates]
    return tuple(sorted(results, key=lambda result: result.passed))


def failure_of(failed: Sequence[GateResult]) -> str:
    """Return the message about gates that did not pass."""
    listed = "".join(f"\n  {result}" for result in failed)
    return f"{counted(len(failed), 'gate')} did not pass:{listed}"


_Decision = tuple[Outcome, str]


def _decide_limit(gate: Gate, condition: Limit, facts: Facts) -> _Decision:
    """Decide ``p95 > 500ms``."""
    figure = FIGURES[condition.figure]
    value = _value(condition.figure, gate.route, facts)
    if isinstance(value, tuple):
        return value
    return _compared(condition.figure, figure, condition.comparison, value, condition.value)


def _decide_relative(gate: Gate, condition: Relative, facts: Facts) -> _Decision:
    """Decide ``p95 > baseline+10%``."""
    figure = FIGURES[condition.figure]
    if facts.baseline is None:
        return Outcome.UNKNOWN, "there is no baseline"
    value = _value(condition.figure, gate.route, facts)
    before = _value(condition.figure, gate.route, facts.baseline)
    if isinstance(value, tuple):
        return value
    if isinstance(before, tuple):
        return before[0], f"in the baseline, {before[1]}"
    bound = before * condition.factor + condition.offset
    outcome, reason = _compared(condition.figure, figure, condition.comparison, value, bound)
    return outcome, f"{reason} (the baseline's is {figure.quantity.show(before)})"


def _decide_significant(gate: Gate, condition: Significant, facts: Facts) -> _Decision:
    """Decide ``p95 significantly worse``: of one route, or of any."""
    if facts.baseline is None:
        return Outcome.UNKNOWN, "there is no baseline"
    name = FIGURES[condition.figure].compared
    tested, worse = facts.tested.get(name, frozenset()), facts.worse.get(name, {})
    if gate.route is not None:
        if gate.route not in tested:
            return Outcome.TOO_FEW, f"{gate.route} has too few samples here or in the baseline to be tested"
        found = worse.get(gate.route)
        return (Outcome.FAILED, found) if found else (Outcome.PASSED, "not worse by more than noise")
    if not tested:
        return Outcome.TOO_FEW, "no route has enough samples here and in the baseline to be tested"
    if worse:
        return Outcome.FAILED, _listed([f"{route} {how}" for route, how in worse.items()])
    untested = len(facts.routes) - len(tested)
    passed_by = f"; {untested} with too few samples or not in the baseline" if untested > 0 else ""
    return Outcome.PASSED, f"none of {len(tested)} routes is worse by more than noise{passed_by}"


def _listed(found: Sequence[str]) -> str:
    """Return the first of what was found, and how many more there are."""
    more = f"; and {len(found) - _NAMED_ROUTES} more" if len(found) > _NAMED_ROUTES else ""
    return "; ".join(found[:_NAMED_ROUTES]) + more


def _decide_intended(gate: Gate, condition: Intended, facts: Facts) -> _Decision:
    """Decide ``throughput < 90% of intended``."""
    if facts.achieved_share is None:
        return Outcome.UNKNOWN, "the log does not tell how many actions were intended"
    holds = COMPARISONS[condition.comparison](facts.achieved_share, condition.share)
    return Outcome.FAILED if holds else Outcome.PASSED, f"{facts.achieved_share:.1%} of the intended actions were done"


def _decide_saturated(gate: Gate, condition: Saturated, facts: Facts) -> _Decision:
    """Decide ``saturated``."""
    if facts.saturation is None:
        return Outcome.UNKNOWN, "the log does not tell whether its agent kept up"
    if facts.saturation:
        return Outcome.FAILED, "; ".join(facts.saturation)
    return Outcome.PASSED, "every agent kept up"


_DECIDE: Mapping[type, Callable[[Gate, Any, Facts], _Decision]] = {
    Limit: _decide_limit,
    Relative: _decide_relative,
    Significant: _decide_significant,
    Intended: _decide_intended,
    Saturated: _decide_saturated,
}


def _value(name: str, route: str | None, facts: Facts) -> float | _Decision:
    """Return a figure of a route or of all requests, or why there is none."""
    figure = FIGURES[name]
    if figure.value is None:
        return facts.score if facts.routes else (Outcome.TOO_FEW, "there was no request")
    statistics = facts.overall() if route is None else facts.routes.get(route)
    if statistics is None:
        return Outcome.TOO_FEW, f"there was no request on {route}"
    count = statistics.hits if figure.counts_errors else statistics.samples
    if count < figure.fewest:
        what = "requests" if figure.counts_errors else "requests that succeeded"
        return Outcome.TOO_FEW, f"{name} needs at least {figure.fewest} {what}, there are {count}"
    if name != "throughput":
        return figure.value(statistics)
    if not facts.duration_s:
        return Outcome.UNKNOWN, "the log does not tell how long the run took"
    return statistics.hits / facts.duration_s


def _compared(name: str, figure: Figure, comparison: str, value: float, bound: float) -> _Decision:
    """Return the outcome of comparing a figure with a bound."""
    holds = COMPARISONS[comparison](value, bound)
    relation = comparison if holds else {">": "≤", ">=": "<", "<": "≥", "<=": ">"}[comparison]
    shown, limit = figure.quantity.show(value), figure.quantity.show(bound)
    if figure.quantity is Quantity.SHARE and shown == limit and value != bound:  # 1.0000% and 1.0001% must differ
        shown, limit = f"{value:.4%}", f"{bound:.4%}"
    return Outcome.FAILED if holds else Outcome.PASSED, f"{name} is {shown} {relation} {limit}"
