"""What gates are decided on, taken from samples and a comparison."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from statistics import fmean

from mattermost_load_test.gates import Facts
from mattermost_load_test.timings.comparison import ERROR_RATE, PERCENTILES, Comparison
from mattermost_load_test.timings.over_time import moments
from mattermost_load_test.timings.stats import Statistics, Timings, mean_of, mean_statistics, score

from .verdict import change, interval


def facts_of(
    timings: Timings,
    statistics: Mapping[str, Statistics] | None = None,
    *,
    duration_s: float | None = None,
    achieved_share: float | None = None,
    saturation: tuple[str, ...] | None = None,
    baseline: Facts | None = None,
    comparison: Comparison | None = None,
) -> Facts:
    """Return the facts of a run; what all requests together say is computed when a gate first asks for it.

    `statistics` are the figures of its routes, where they are known already. Without `duration_s` the run takes the
    time between its first and its last request, where the log tells that.
    """
    routes = statistics if statistics is not None else timings.statistics()
    if duration_s is None and (span := moments(timings)) is not None:
        duration_s = span[1] - span[0]

    @cache
    def overall() -> Statistics:
        return timings.overall()

    figures = (*PERCENTILES, ERROR_RATE) if comparison is not None else ()
    return Facts(
        overall=overall,
        routes=routes,
        score=score(routes.values()),
        duration_s=duration_s,
        achieved_share=achieved_share,
        saturation=saturation,
        baseline=baseline,
        worse={figure: _worse(comparison, figure) for figure in figures if comparison is not None},
        tested={figure: comparison.tested(figure) for figure in figures if comparison is not None},
    )


def facts_of_baselines(runs: Sequence[Timings]) -> Facts:
    """Return the facts of several runs, which are the means of theirs; of a single one its own."""
    each = [facts_of(run) for run in runs]
    if len(each) == 1:
        return each[0]
    lengths_s = [facts.duration_s for facts in each if facts.duration_s is not None]
    routes = mean_statistics([facts.routes for facts in each])

    @cache
    def overall() -> Statistics:
        return mean_of([facts.overall() for facts in each])

    length_s = fmean(lengths_s) if len(lengths_s) == len(each) else None
    return Facts(overall=overall, routes=routes, score=score(routes.values()), duration_s=length_s)


def _worse(comparison: Comparison, figure: str) -> dict[str, str]:
    """Return, by name of the route, how far a figure became worse, in words."""
    return {
        name: f"is worse by {change(difference)} ({interval(difference)})"
        for name, difference in comparison.worse(figure).items()
    }
