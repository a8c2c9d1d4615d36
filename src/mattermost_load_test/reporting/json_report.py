"""Results as JSON, for machines; docs/results.md holds the schema, made from the models below.

Times of routes are milliseconds, moments are seconds since the Unix epoch, rates lie between 0 and 1. Keys are only
ever added; when one changes its meaning, `format` grows.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field

from mattermost_load_test import __version__
from mattermost_load_test.gates import GateResult
from mattermost_load_test.timings.comparison import Comparison, RouteComparison
from mattermost_load_test.timings.health import HealthPoint
from mattermost_load_test.timings.stats import Statistics

from .report import InstanceReport, Report, RouteReport
from .verdict import headline

FORMAT = 1


class _Part(BaseModel):
    """A part of the document: what is not described is not in it."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class _Named(_Part):
    name: str = Field(description="method and path, ids replaced")


class Figures(_Part):
    """The figures of a route. With fewer than three samples percentiles and inter-quartile range are 0."""

    hits: int = Field(description="requests sent")
    errors: int = Field(description="requests without an answer of status 2xx")
    error_rate: float = Field(description="errors / hits")
    samples: int = Field(description="answers with status 2xx, over which the times are computed")
    mean_ms: float
    median_ms: float
    p90_ms: float
    p95_ms: float
    p99_ms: float
    max_ms: float
    min_ms: float
    inter_quartile_range_ms: float


class Difference(_Part):
    """How far a figure of a route lies from the baseline's, in milliseconds, or a share for the error rate."""

    figure: str = Field(description="median, p95, p99 or error_rate")
    before: float = Field(description="the baseline's; of several the mean")
    after: float
    low: float = Field(description="of after - before, the lower end of its 95 % interval, for this figure alone")
    high: float = Field(description="the upper end")
    p_value: float = Field(description="corrected for the number of tests; up to 0.05 it is no noise")
    change: str = Field(description="worse, better, unclear (may be noise) or no change that matters")


class Route(Figures, _Named):
    """A route of the run."""

    error_kinds: dict[str, int] = Field(description="errors by HTTP status or kind of failure, as far as the log tells")
    baseline: Figures | None = Field(
        None, description="the same route in the baseline, if there is one that has it; of several the mean"
    )
    verdict: str | None = Field(None, description="what the comparison calls it; null without a baseline")
    differences: list[Difference] = Field([], description="its figures that could be tested against the baseline's")


class Worker(_Part):
    """How a worker process of an agent kept up, over its whole run."""

    worker: int
    entities: int
    lateness_p99_ms: float = Field(description="so late after their due time 99 % of its actions had begun")
    loop_lag_p99_ms: float = Field(description="how late its event loop came back, 99 % of the times")
    cpu_percent: float = Field(description="of one core")
    dropped_events: int = Field(description="websocket events that it threw away")
    lost_lines: int = Field(description="lines of timings that it could not hand over")


class Health(_Part):
    """What an agent told of itself last."""

    lateness_p99_ms: float
    actions: int | None = Field(description="actions that ended; null where the log does not tell")
    actions_intended: float | None = Field(description="actions that the pacing alone would have given")
    skipped: int | None = Field(description="actions that had nothing to act on")
    workers: list[Worker]


class RunOrigin(_Part):
    """What an agent played, and on what."""

    scenario: str
    tool_version: str = Field(description="version of this tool that made the load")
    server_version: str = Field(description="as the server told it, with its build where that is no release")


class Instance(_Part):
    """An agent found in the logs."""

    instance_id: str
    source: str = Field(description="the file it was read from")
    started_s: float | None = Field(description="when its run began, null where the log tells no time")
    ended_s: float | None = Field(description="when its last timings were written")
    hits: int
    errors: int
    shown: bool = Field(description="whether it is in the figures")
    saturation: list[str] | None = Field(description="signs that it could not keep up, null if untold")
    health: Health | None = Field(description="what it told of itself, null if untold")
    origin: RunOrigin | None = Field(description="scenario and versions, null where the log does not tell")


class Gate(_Part):
    """A gate that was asked for."""

    gate: str = Field(description="as it was written")
    route: str | None = Field(description="the route it is on, null for the run as a whole")
    passed: bool
    outcome: str = Field(description="passed, failed, too few samples or cannot be decided")
    reason: str


class Verdict(_Part):
    """The verdict on the run."""

    grade: str = Field(description="good, bad, doubtful, or open where no gate and no baseline was given")
    text: str


class Document(_Part):
    """What `ltparse results --display json` prints."""

    format: Literal[1] = Field(description="grows when a key changes its meaning")
    tool_version: str
    score: float = Field(description="mean over the routes of 95th percentile + median + inter-quartile range")
    baseline_score: float | None = Field(description="the baseline's score, null without a baseline")
    baseline_runs: int = Field(description="how many runs the baseline is, 0 without one")
    routes: list[Route] = Field(description="ordered by name")
    baseline_only_routes: list[str] = Field(description="names of routes that only the baseline has")
    login_routes: list[Route] = Field(description="routes of the login phase, in no score")
    instances: list[Instance]
    settings: dict[str, object] | None = Field(description="the configuration in the log, secrets masked")
    warnings: list[str] = Field(description="what was passed by or looks wrong, in words")
    verdict: Verdict
    gates: list[Gate] = Field(description="those that did not pass first")
    saturation: list[str] | None = Field(
        description="signs that an agent could not keep up, null where the logs do not tell"
    )


def document(report: Report) -> Document:
    """Return the document that says what `report` says."""
    return Document(
        format=FORMAT,
        tool_version=__version__,
        score=report.score,
        baseline_score=report.baseline_score,
        baseline_runs=report.baselines,
        routes=_routes(report.routes, report.comparison),
        baseline_only_routes=list(report.baseline_only),
        login_routes=_routes(report.login),
        instances=[_instance(instance) for instance in report.instances],
        settings=dict(report.settings) if report.settings is not None else None,
        warnings=list(report.warnings),
        verdict=Verdict(**asdict(headline(report))),
        gates=[_gate(result) for result in report.gates],
        saturation=list(report.saturation) if report.saturation is not None else None,
    )


def _routes(routes: Iterable[RouteReport], comparison: Comparison | None = None) -> list[Route]:
    """Return routes as the document has them."""
    compared = comparison.routes if comparison is not None else {}
    return [
        Route(
            name=route.name,
            **asdict(route.actual),
            error_kinds=dict(route.error_kinds),
            baseline=_figures(route.baseline) if route.baseline is not None else None,
            verdict=compared[route.name].verdict if route.name in compared else None,
            differences=_differences(compared.get(route.name)),
        )
        for route in routes
    ]


def _differences(route: RouteComparison | None) -> list[Difference]:
    """Return what a comparison says of a route as the document has it."""
    return [
        Difference(
            figure=one.figure,
            before=one.shift.before,
            after=one.shift.after,
            low=one.shift.low,
            high=one.shift.high,
            p_value=one.p_value,
            change=one.change,
        )
        for one in (route.differences if route is not None else ())
    ]


def _instance(instance: InstanceReport) -> Instance:
    """Return an agent as the document has it."""
    saturation = list(instance.saturation) if instance.saturation is not None else None
    health = _health(instance.health) if instance.health is not None else None
    return Instance(**{**asdict(instance), "saturation": saturation, "health": health})


def _health(point: HealthPoint) -> Health:
    """Return what an agent told of itself as the document has it."""
    activity = point.activity
    return Health(
        lateness_p99_ms=point.lateness_p99_ms,
        actions=activity.actions if activity is not None else None,
        actions_intended=activity.actions_intended if activity is not None else None,
        skipped=activity.skipped if activity is not None else None,
        workers=[Worker(**asdict(worker)) for worker in point.workers],
    )


def _gate(result: GateResult) -> Gate:
    """Return a gate as the document has it."""
    return Gate(
        gate=result.gate.text,
        route=result.gate.route,
        passed=result.passed,
        outcome=result.outcome,
        reason=result.reason,
    )


def _figures(statistics: Statistics) -> Figures:
    """Return figures as the document has them."""
    return Figures(**asdict(statistics))


def render(report: Report, *, verbose: bool = False) -> str:
    """Return `report` as JSON, indented; it always holds everything, so `verbose` changes nothing."""
    return orjson.dumps(document(report).model_dump(), option=orjson.OPT_INDENT_2).decode() + "\n"
