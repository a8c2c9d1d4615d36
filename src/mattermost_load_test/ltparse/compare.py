"""Putting results, those of a baseline, and what gates make of them, into a report."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from mattermost_load_test.errors import ResultsFileError
from mattermost_load_test.gates import Gate, Significant, judge
from mattermost_load_test.reporting.facts import facts_of, facts_of_baselines
from mattermost_load_test.reporting.pictures import RunSamples, pictures_of
from mattermost_load_test.reporting.report import InstanceReport, Report, route_reports
from mattermost_load_test.timings.comparison import Thresholds, compare
from mattermost_load_test.timings.stats import Timings

from .differences import agents_warnings, length_warnings, origin_warnings, settings_warnings
from .selection import Results


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a report is to hold beside the figures: each part takes its time."""

    gates: tuple[Gate, ...] = ()
    compares: bool = False
    show_verdict: bool = False
    pictures: bool = False
    thresholds: Thresholds = field(default_factory=Thresholds)


def report(results: Results, baselines: Sequence[Results] = (), wanted: Wanted | None = None) -> Report:
    """Return the report of `results`, compared with the `baselines` if there are any, each of them a run of its own.

    Raises `ResultsFileError` when two have no route in common, or are the same.
    """
    wanted = wanted or Wanted()
    timings, login = results.timings(), results.login()
    before = [baseline.timings() for baseline in baselines]
    for index, baseline in enumerate(baselines):
        _refuse_unlike(results, baseline, timings, before[index])
        _refuse_twice(baseline, baselines[:index])
    made = replace(
        Report.of(timings, before),
        login=route_reports(login, login.statistics()),
        instances=tuple(_instances(results)),
        settings=results.settings,
        baseline_settings=next((one.settings for one in baselines if one.settings is not None), None),
        warnings=(*results.warnings, *_baselines_warnings(results, baselines)),
        show_verdict=wanted.show_verdict,
        saturation=results.saturation,
    )
    made = _with_comparison(made, timings, before, wanted, results.achieved_share)
    if not wanted.pictures:
        return made
    samples = [
        RunSamples(kept, one.login(), [agent.health for agent in one.shown])
        for kept, one in zip([timings, *before], [results, *baselines], strict=True)
    ]
    return replace(made, pictures=pictures_of(samples[0], samples[1:]))


def _with_comparison(
    made: Report, timings: Timings, before: Sequence[Timings], wanted: Wanted, achieved_share: float | None
) -> Report:
    """Return the report with what is compared and judged."""
    significant = any(isinstance(gate.condition, Significant) for gate in wanted.gates)
    comparison = None
    if before and (wanted.compares or significant):
        comparison = compare(timings, before, wanted.thresholds)
    if not wanted.gates:
        return replace(made, comparison=comparison)
    facts = facts_of(
        timings,
        {route.name: route.actual for route in made.routes},
        achieved_share=achieved_share,
        saturation=made.saturation,
        baseline=facts_of_baselines(before) if before else None,
        comparison=comparison,
    )
    return replace(made, comparison=comparison, gates=judge(wanted.gates, facts))


def _baselines_warnings(results: Results, baselines: Sequence[Results]) -> Iterator[str]:
    """Yield what is wrong with the baselines, and what else than the server differs; of several, in which."""
    for baseline in baselines:
        yield from baseline.warnings
        for text in _differences(results, baseline):
            yield f"{baseline.name}: {text}" if len(baselines) > 1 else text


def _differences(results: Results, baseline: Results) -> Iterator[str]:
    """Yield what else than the server differs between a run and a baseline."""
    yield from origin_warnings(results.shown, baseline.shown)
    yield from settings_warnings(results.settings, baseline.settings)
    yield from agents_warnings(len(results.shown), len(baseline.shown))
    yield from length_warnings(_length_s(results), _length_s(baseline))


def _length_s(results: Results) -> float | None:
    """Return how long the longest of the instances shown ran, as far as the logs tell."""
    lengths = [
        one.ended_s - one.started_s for one in results.shown if one.started_s is not None and one.ended_s is not None
    ]
    return max(lengths, default=None)


def _refuse_unlike(results: Results, baseline: Results, timings: Timings, before: Timings) -> None:
    """Raise `ResultsFileError` where a comparison would say nothing."""
    if _same_place(results, baseline):
        raise ResultsFileError(
            f"the baseline {baseline.name} is what it would be compared with; name the log of another run"
        )
    if not timings.routes.keys() & before.routes.keys():
        raise ResultsFileError(
            f"the baseline {baseline.name} has no route in common with {results.name}: "
            f"it has {_some(before)}, the results have {_some(timings)}; name a baseline of the same kind of run"
        )


def _refuse_twice(baseline: Results, others: Sequence[Results]) -> None:
    """Raise `ResultsFileError` where a baseline is one of the `others`: a run does not vary from itself."""
    for other in others:
        if _same_place(baseline, other):
            raise ResultsFileError(
                f"the baselines {other.name} and {baseline.name} are the same run; name each run once, "
                "for how much runs differ counts in the comparison"
            )


def _same_place(results: Results, baseline: Results) -> bool:
    """Say whether the instances shown of both are the same, by place or by id."""
    ours = {(one.source, one.instance_id) for one in results.shown}
    theirs = {(one.source, one.instance_id) for one in baseline.shown}
    if ours == theirs:
        return True
    ids = {one.instance_id for one in baseline.shown}
    return "" not in ids and ids == {one.instance_id for one in results.shown}


def _some(timings: Timings) -> str:
    """Return the first route's name and how many more there are."""
    names = sorted(timings.routes)
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"


def _instances(results: Results) -> Iterator[InstanceReport]:
    """Yield what the report says of each instance found."""
    for instance in results.instances:
        yield InstanceReport(
            instance_id=instance.instance_id,
            source=instance.source,
            started_s=instance.started_s,
            ended_s=instance.ended_s,
            hits=instance.timings.hits,
            errors=instance.timings.errors,
            shown=any(instance is shown for shown in results.shown),
            saturation=instance.saturation,
            health=instance.health[-1] if instance.health else None,
            origin=instance.origin,
        )
