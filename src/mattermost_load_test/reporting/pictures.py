"""What pictures of a run are drawn from: the run over time, and how the durations of each route are spread."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import inf
from statistics import fmean

from mattermost_load_test.timings.distribution import Distribution, distribution
from mattermost_load_test.timings.health import HealthPoint
from mattermost_load_test.timings.over_time import OverTime, moments, over_time
from mattermost_load_test.timings.stats import Statistics, Timings, mean_of

Healths = Sequence[Sequence[HealthPoint]]
"""What each agent of a run told of itself."""


@dataclass(frozen=True, slots=True)
class AgentsMoment:
    """What all agents together told until `offset_s` after the run began: entities in sum, delays of the latest."""

    offset_s: float
    entities: int | None
    lateness_p99_ms: float
    loop_lag_p99_ms: float


@dataclass(frozen=True, slots=True)
class RunPictures:
    """One run. `overall` are the figures over the samples of all routes; the times are None where the log has none.

    `agents` is empty where the agents told nothing of themselves. Of several baselines, `overall` and `length_s` are
    means, `distributions` count all of them, and what goes over time is the first one's.
    """

    overall: Statistics
    over_time: OverTime | None
    login: OverTime | None
    length_s: float | None = None
    agents: tuple[AgentsMoment, ...] = ()
    distributions: Mapping[str, Distribution] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Pictures:
    """A run, and the baseline if there is one, in intervals of the same width."""

    actual: RunPictures
    baseline: RunPictures | None = None


@dataclass(frozen=True, slots=True)
class RunSamples:
    """What the pictures of a run are made of: its samples, those of its logins, what its agents told of themselves."""

    timings: Timings
    login: Timings = field(default_factory=Timings)
    healths: Healths = ()


def pictures_of(run: RunSamples, baselines: Sequence[RunSamples] = ()) -> Pictures:
    """Compute the pictures of a run and of what it is compared with."""
    times = over_time(run.timings)
    width_s = times.width_s if times is not None else None
    actual = _run_pictures(run, times, width_s)
    if not baselines:
        return Pictures(actual)
    first, *others = baselines
    before = _run_pictures(first, over_time(first.timings, width_s), width_s)
    return Pictures(actual, _with_others(before, [one.timings for one in others]))


def _run_pictures(run: RunSamples, times: OverTime | None, width_s: float | None) -> RunPictures:
    """Compute the pictures of one run, given it over time."""
    return RunPictures(
        overall=run.timings.overall(),
        over_time=times,
        login=over_time(run.login, width_s or (times.width_s if times is not None else None)),
        length_s=times.length_s if times is not None else None,
        agents=_agents(times, run.healths) if times is not None else (),
        distributions={name: distribution(route.durations_ms) for name, route in run.timings.routes.items()},
    )


def _with_others(first: RunPictures, others: Sequence[Timings]) -> RunPictures:
    """Return the pictures of a baseline, together with the other baselines."""
    if not others:
        return first
    spans = [moments(one) for one in others]
    lengths_s = [first.length_s, *(span[1] - span[0] if span is not None else None for span in spans)]
    told_s = [length_s for length_s in lengths_s if length_s is not None]
    distributions = dict(first.distributions)
    for one in others:
        for name, route in one.routes.items():
            spread = distribution(route.durations_ms)
            distributions[name] = distributions[name].plus(spread) if name in distributions else spread
    return replace(
        first,
        overall=mean_of([first.overall, *(one.overall() for one in others)]),
        length_s=fmean(told_s) if len(told_s) == len(lengths_s) else None,
        distributions=distributions,
    )


def _agents(times: OverTime, healths: Healths) -> tuple[AgentsMoment, ...]:
    """Return what all agents together told, at the end of each interval in which one of them told anything."""
    told = [sorted(points, key=lambda point: point.moment_s) for points in healths if points]
    moments = []
    count = len(times.intervals)
    for index in range(count):
        start_s = times.started_s + index * times.width_s
        end_s = start_s + times.width_s if index < count - 1 else inf  # the last word comes after the last request
        if any(start_s <= point.moment_s < end_s for points in told for point in points):
            latest = [before[-1] for points in told if (before := [one for one in points if one.moment_s < end_s])]
            moments.append(_moment((index + 1) * times.width_s, latest))
    return tuple(moments)


def _moment(offset_s: float, latest: Sequence[HealthPoint]) -> AgentsMoment:
    """Return what the latest words of all agents come to."""
    entities = [point.activity.entities for point in latest if point.activity is not None]
    return AgentsMoment(
        offset_s,
        sum(entities) if entities else None,
        max(point.lateness_p99_ms for point in latest),
        max(point.loop_lag_p99_ms for point in latest),
    )
