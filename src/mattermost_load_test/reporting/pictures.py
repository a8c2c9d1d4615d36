"""What pictures of a run are drawn from: the run over time, and how the durations of each route are spread."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import inf

from mattermost_load_test.timings.distribution import Distribution, distribution
from mattermost_load_test.timings.health import HealthPoint
from mattermost_load_test.timings.over_time import OverTime, over_time
from mattermost_load_test.timings.stats import Statistics, Timings

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

    `agents` is empty where the agents told nothing of themselves.
    """

    overall: Statistics
    over_time: OverTime | None
    login: OverTime | None
    agents: tuple[AgentsMoment, ...] = ()
    distributions: Mapping[str, Distribution] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Pictures:
    """A run, and the baseline if there is one, in intervals of the same width."""

    actual: RunPictures
    baseline: RunPictures | None = None


def pictures_of(
    timings: Timings,
    login: Timings,
    baseline: Timings | None = None,
    baseline_login: Timings | None = None,
    healths: tuple[Healths, Healths] = ((), ()),
) -> Pictures:
    """Compute the pictures of a run and of its baseline; `healths` are what the agents of both told of themselves."""
    times = over_time(timings)
    width_s = times.width_s if times is not None else None
    actual = _run_pictures(timings, times, login, width_s, healths[0])
    if baseline is None:
        return Pictures(actual)
    before = _run_pictures(baseline, over_time(baseline, width_s), baseline_login or Timings(), width_s, healths[1])
    return Pictures(actual, before)


def _run_pictures(
    timings: Timings, times: OverTime | None, login: Timings, width_s: float | None, healths: Healths
) -> RunPictures:
    """Compute the pictures of one run, given it over time."""
    return RunPictures(
        overall=timings.overall().statistics(),
        over_time=times,
        login=over_time(login, width_s or (times.width_s if times is not None else None)),
        agents=_agents(times, healths) if times is not None else (),
        distributions={name: distribution(route.durations_ms) for name, route in timings.routes.items()},
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
