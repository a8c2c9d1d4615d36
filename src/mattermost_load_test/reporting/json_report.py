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
from mattermost_load_test.timings.stats import Statistics

from .report import Report, RouteReport

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


class Route(Figures, _Named):
    """A route of the run."""

    error_kinds: dict[str, int] = Field(description="errors by HTTP status or kind of failure, as far as the log tells")
    baseline: Figures | None = Field(None, description="the same route in the baseline, if there is one that has it")


class Instance(_Part):
    """An agent found in the logs."""

    instance_id: str
    source: str = Field(description="the file it was read from")
    started_s: float | None = Field(description="when its run began, null where the log tells no time")
    ended_s: float | None = Field(description="when its last timings were written")
    hits: int
    errors: int
    shown: bool = Field(description="whether it is in the figures")


class Document(_Part):
    """What `ltparse results --display json` prints."""

    format: Literal[1] = Field(description="grows when a key changes its meaning")
    tool_version: str
    score: float = Field(description="mean over the routes of 95th percentile + median + inter-quartile range")
    baseline_score: float | None = Field(description="the baseline's score, null without a baseline")
    routes: list[Route] = Field(description="ordered by name")
    baseline_only_routes: list[str] = Field(description="names of routes that only the baseline has")
    login_routes: list[Route] = Field(description="routes of the login phase, in no score")
    instances: list[Instance]
    settings: dict[str, object] | None = Field(description="the configuration in the log, secrets masked")
    warnings: list[str] = Field(description="what was passed by or looks wrong, in words")


def document(report: Report) -> Document:
    """Return the document that says what `report` says."""
    return Document(
        format=FORMAT,
        tool_version=__version__,
        score=report.score,
        baseline_score=report.baseline_score,
        routes=_routes(report.routes),
        baseline_only_routes=list(report.baseline_only),
        login_routes=_routes(report.login),
        instances=[Instance(**asdict(instance)) for instance in report.instances],
        settings=dict(report.settings) if report.settings is not None else None,
        warnings=list(report.warnings),
    )


def _routes(routes: Iterable[RouteReport]) -> list[Route]:
    """Return routes as the document has them."""
    return [
        Route(
            name=route.name,
            **asdict(route.actual),
            error_kinds=dict(route.error_kinds),
            baseline=_figures(route.baseline) if route.baseline is not None else None,
        )
        for route in routes
    ]


def _figures(statistics: Statistics) -> Figures:
    """Return figures as the document has them."""
    return Figures(**asdict(statistics))


def render(report: Report, *, verbose: bool = False) -> str:
    """Return `report` as JSON, indented; it always holds everything, so `verbose` changes nothing."""
    return orjson.dumps(document(report).model_dump(), option=orjson.OPT_INDENT_2).decode() + "\n"
