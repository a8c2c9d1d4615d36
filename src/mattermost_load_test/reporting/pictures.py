"""What pictures of a run are drawn from: the run over time, and how the durations of each route are spread."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from mattermost_load_test.timings.distribution import Distribution, distribution
from mattermost_load_test.timings.over_time import OverTime, over_time
from mattermost_load_test.timings.stats import Statistics, Timings


@dataclass(frozen=True, slots=True)
class RunPictures:
    """One run. `overall` are the figures over the samples of all routes; the times are None where the log has none."""

    overall: Statistics
    over_time: OverTime | None
    login: OverTime | None
    distributions: Mapping[str, Distribution] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Pictures:
    """A run, and the baseline if there is one, in intervals of the same width."""

    actual: RunPictures
    baseline: RunPictures | None = None


def pictures_of(
    timings: Timings, login: Timings, baseline: Timings | None = None, baseline_login: Timings | None = None
) -> Pictures:
    """Compute the pictures of a run and of its baseline."""
    times = over_time(timings)
    width_s = times.width_s if times is not None else None
    actual = _run_pictures(timings, times, login, width_s)
    if baseline is None:
        return Pictures(actual)
    before = _run_pictures(baseline, over_time(baseline, width_s), baseline_login or Timings(), width_s)
    return Pictures(actual, before)


def _run_pictures(timings: Timings, times: OverTime | None, login: Timings, width_s: float | None) -> RunPictures:
    """Compute the pictures of one run, given it over time."""
    return RunPictures(
        overall=timings.overall().statistics(),
        over_time=times,
        login=over_time(login, width_s or (times.width_s if times is not None else None)),
        distributions={name: distribution(route.durations_ms) for name, route in timings.routes.items()},
    )
