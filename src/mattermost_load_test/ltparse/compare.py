"""Putting results, and those of a baseline, into a report."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from mattermost_load_test.errors import ResultsFileError
from mattermost_load_test.reporting.report import InstanceReport, Report, route_reports
from mattermost_load_test.timings.stats import Timings

from .selection import Results


def report(results: Results, baseline: Results | None = None) -> Report:
    """Return the report of `results`, compared with `baseline` if there is one.

    Raises `ResultsFileError` when the two have no route in common.
    """
    timings = results.timings()
    before = baseline.timings() if baseline is not None else None
    if baseline is not None and before is not None and not timings.routes.keys() & before.routes.keys():
        raise ResultsFileError(
            f"the baseline {baseline.name} has no route in common with {results.name}: "
            f"it has {_some(before)}, the results have {_some(timings)}; name a baseline of the same kind of run"
        )
    login = results.login()
    return replace(
        Report.of(timings, before),
        login=route_reports(login, login.statistics()),
        instances=tuple(_instances(results)),
        settings=results.settings,
        warnings=(*results.warnings, *(baseline.warnings if baseline is not None else ())),
    )


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
        )
