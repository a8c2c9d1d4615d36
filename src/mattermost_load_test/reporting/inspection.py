"""What logs hold, before anybody looks at figures: instances, phases, times, warnings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

import orjson

from mattermost_load_test.counts import counted
from mattermost_load_test.timings.over_time import moments
from mattermost_load_test.timings.reading import Instance, ResultsLog
from mattermost_load_test.timings.records import Origin
from mattermost_load_test.timings.stats import Timings


@dataclass(frozen=True, slots=True)
class Phase:
    """A part of a run: `login` or `run`. Times are seconds since the epoch, None where the log tells none."""

    name: str
    routes: int
    hits: int
    errors: int
    samples: int
    started_s: float | None
    ended_s: float | None


@dataclass(frozen=True, slots=True)
class Contents:
    """What one log holds of one instance; `has_times` says whether samples tell when they began.

    `saturation` are the signs that the agent could not keep up, `origin` what it played on which version of the server;
    None where it does not tell.
    """

    source: str
    instance_id: str
    phases: tuple[Phase, ...]
    has_times: bool
    has_settings: bool
    saturation: tuple[str, ...] | None = None
    origin: Origin | None = None


@dataclass(frozen=True, slots=True)
class LogContents:
    """What one log holds."""

    source: str
    lines: int
    instances: tuple[Contents, ...]
    warnings: tuple[str, ...]


def contents(logs: Sequence[ResultsLog]) -> tuple[LogContents, ...]:
    """Return what each log holds."""
    return tuple(
        LogContents(log.source, log.lines, tuple(map(_contents, log.instances.values())), log.warnings) for log in logs
    )


def _contents(instance: Instance) -> Contents:
    """Return what a log holds of an instance."""
    span = moments(instance.timings)
    return Contents(
        instance.source,
        instance.instance_id,
        tuple(_phases(instance)),
        span is not None,
        instance.settings is not None,
        instance.saturation,
        instance.origin,
    )


def _phases(instance: Instance) -> Iterator[Phase]:
    """Yield the phases of which there are requests."""
    if instance.login.routes:
        yield _phase("login", instance.login, None, None)
    if instance.timings.routes:
        yield _phase("run", instance.timings, instance.started_s, instance.ended_s)


def _phase(name: str, timings: Timings, started_s: float | None, ended_s: float | None) -> Phase:
    """Return a phase; its times are those of its requests, else those of its lines."""
    start_s, end_s = moments(timings) or (started_s, ended_s)
    samples = sum(len(route.durations_ms) for route in timings.routes.values())
    return Phase(name, len(timings.routes), timings.hits, timings.errors, samples, start_s, end_s)


def render_json(logs: Sequence[LogContents]) -> str:
    """Return what logs hold as JSON."""
    return orjson.dumps([asdict(log) for log in logs], option=orjson.OPT_INDENT_2).decode() + "\n"


def render_text(logs: Sequence[LogContents]) -> str:
    """Return what logs hold for people."""
    return "\n".join("".join(f"{line}\n" for line in _lines(log)) for log in logs)


def _lines(log: LogContents) -> Iterator[str]:
    """Yield the lines about one log."""
    yield f"{log.source}: {counted(log.lines, 'line')}, {counted(len(log.instances), 'instance')}"
    for instance in log.instances:
        yield f"  instance {instance.instance_id or '(without an id)'}"
        if instance.origin is not None:
            yield f"    {played(instance.origin)}"
        for phase in instance.phases:
            yield (
                f"    {phase.name:<6} {_span(phase)}: {counted(phase.hits, 'request')} "
                f"on {counted(phase.routes, 'route')}, {counted(phase.errors, 'error')}"
            )
        if not instance.phases:
            yield "    no timings"
        if not instance.has_settings:
            yield "    no settings"
        if instance.phases and not instance.has_times:
            yield "    no times of requests: nothing can be shown over time"
        if instance.saturation is not None:
            yield f"    {'kept up' if not instance.saturation else 'saturated: ' + '; '.join(instance.saturation)}"
    for warning in log.warnings:
        yield f"  WARNING: {warning}"


def played(origin: Origin) -> str:
    """Return what an agent played, on what, and by which version of the tool."""
    return f"{origin.scenario} on Mattermost {origin.server_version}, by loadtest {origin.tool_version}"


def _span(phase: Phase) -> str:
    """Return when a phase was and how long it took."""
    if phase.started_s is None or phase.ended_s is None:
        return "at an unknown time"
    started = moment(phase.started_s)
    return f"{started}, {duration(phase.ended_s - phase.started_s)}"


def moment(seconds: float) -> str:
    """Return a moment, given in seconds since the epoch, as UTC to the second."""
    try:
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%SZ}"
    except (OverflowError, ValueError, OSError):
        return f"{seconds:.0f} s"


def duration(seconds: float) -> str:
    """Return a duration for people: ``48.2 s``, ``12 min 5 s``, ``3 h 2 min``."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"
