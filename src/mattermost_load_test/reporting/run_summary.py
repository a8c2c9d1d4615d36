"""The summary of a run: what the agent did, whether its figures can be trusted, and what went wrong."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from mattermost_load_test.counts import counted
from mattermost_load_test.timings.health import HealthLimits, WorkerHealth, saturation

SKIPPED_WARNING_SHARE = 0.01  # skipped actions above one in a hundred make the summary warn


@dataclass(frozen=True, slots=True)
class Lateness:
    """How long after their due time actions began, in milliseconds: the agent's own delay."""

    p50_ms: float = 0.0
    p95_ms: float = 0.0
    p99_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class Websockets:
    """What the entities' websockets saw: events, those missed by sequence number or dropped here, reconnections.

    `failed` counts the attempts to connect that failed.
    """

    events: int = 0
    missed: int = 0
    dropped: int = 0
    reconnects: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True)
class RunSummary:
    """What a run came to.

    `actions_intended` is what the pacing alone would have given; fewer achieved means a slow server. `skipped` counts
    the actions that had nothing to act on, by name, `failed_actions` and `request_errors` are counted by kind.
    `workers` tells how each worker process kept up, `limits` what counts as keeping up, `deaths` tells of each worker
    process that died, `notes` are what set-up found lacking, each said once.
    """

    scenario: str
    server_url: str
    server_version: str
    instance_id: str
    duration_s: float
    entities_wanted: int
    entities_started: int
    actions_achieved: int
    actions_intended: float
    requests: int
    lateness: Lateness
    limits: HealthLimits = field(default_factory=HealthLimits)
    workers: tuple[WorkerHealth, ...] = ()
    websockets: Websockets = field(default_factory=Websockets)
    skipped: Mapping[str, int] = field(default_factory=dict)
    failed_actions: Mapping[str, int] = field(default_factory=dict)
    request_errors: Mapping[str, int] = field(default_factory=dict)
    deaths: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    interrupted: bool = False

    @property
    def saturation(self) -> tuple[str, ...]:
        """Why the figures are not to be trusted; empty if the agent kept up."""
        return tuple(saturation(self.lateness.p99_ms, self.workers, self.limits))

    @property
    def skipped_share(self) -> float:
        """The share of all actions that had nothing to act on, 0 to 1."""
        skipped = sum(self.skipped.values())
        return skipped / (skipped + self.actions_achieved) if skipped else 0.0


def render(summary: RunSummary) -> str:
    """Return the summary as text: figures, then warnings; each line ends with a line break."""
    rows = list(_rows(summary))
    width = max(len(name) for name, _ in rows)
    lines = [f"{name:<{width}}  {value}".rstrip() for name, value in rows]
    return "\n".join([*lines, *(f"WARNING: {text}" for text in warnings(summary))]) + "\n"


def _rows(summary: RunSummary) -> Iterator[tuple[str, str]]:
    """Yield the summary's figures, each with its name."""
    yield "Scenario", f"{summary.scenario} on {summary.server_url} (Mattermost {summary.server_version})"
    yield "Agent", summary.instance_id
    ending = ", interrupted" if summary.interrupted else ""
    yield "Duration", f"{_duration(summary.duration_s)}{ending}"
    yield "Entities", f"{summary.entities_started:,} of {summary.entities_wanted:,}"
    yield "Actions", _achieved(summary)
    yield from _counts("Skipped", summary.skipped)
    yield from _counts("Failed", summary.failed_actions)
    errors = sum(summary.request_errors.values())
    rate = summary.requests / summary.duration_s if summary.duration_s else 0.0
    yield "Requests", f"{summary.requests:,} ({rate:,.1f}/s), {counted(errors, 'error')}"
    yield from _counts("Errors", summary.request_errors)
    late = summary.lateness
    yield "Lateness", f"p50 {late.p50_ms:,.1f} ms, p95 {late.p95_ms:,.1f} ms, p99 {late.p99_ms:,.1f} ms"
    yield from _workers(summary.workers)
    seen = summary.websockets
    failed = f", {seen.failed:,} failed to connect" if seen.failed else ""
    yield (
        "Websockets",
        f"{seen.events:,} events, {seen.missed:,} missed, {seen.dropped:,} dropped, {seen.reconnects:,} reconnects"
        + failed,
    )


def _workers(workers: Sequence[WorkerHealth]) -> Iterator[tuple[str, str]]:
    """Yield one row about the worker processes: the worst of each sign, with the worker that shows it."""
    if not workers:
        return
    busiest = max(workers, key=lambda worker: worker.cpu_percent)
    slowest = max(workers, key=lambda worker: worker.loop_lag_p99_ms)
    yield (
        "Workers",
        f"{len(workers)}, up to {busiest.cpu_percent:.0f} % of a core (worker {busiest.worker}), "
        f"loop lag p99 up to {slowest.loop_lag_p99_ms:,.1f} ms (worker {slowest.worker})",
    )


def _achieved(summary: RunSummary) -> str:
    """Return actions achieved against intended."""
    if summary.actions_intended <= 0:
        return f"{summary.actions_achieved:,}"
    share = summary.actions_achieved / summary.actions_intended
    return f"{summary.actions_achieved:,} achieved of {summary.actions_intended:,.0f} intended ({share:.1%})"


def _counts(name: str, counts: Mapping[str, int]) -> Iterator[tuple[str, str]]:
    """Yield one row with all counts, the largest first, or none without any."""
    if counts:
        ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        yield name, ", ".join(f"{kind}: {count:,}" for kind, count in ordered)


def warnings(summary: RunSummary) -> list[str]:
    """Return what the reader of the figures must know, in whole sentences."""
    found = [f"agent saturated, these figures are not to be trusted: {reason}." for reason in summary.saturation]
    if summary.skipped_share > SKIPPED_WARNING_SHARE:
        found.append(f"{summary.skipped_share:.1%} of the actions had nothing to act on and were skipped.")
    if summary.entities_started < summary.entities_wanted:
        missing = summary.entities_wanted - summary.entities_started
        found.append(f"{missing:,} of {summary.entities_wanted:,} entities could not log in and did nothing.")
    if summary.websockets.failed and not summary.websockets.events:
        found.append("no websocket got an event, and attempts to connect failed: check WebsocketURL, and the proxy.")
    return [*found, *(f"{death}." for death in summary.deaths), *summary.notes]


def _duration(duration_s: float) -> str:
    """Return a duration in minutes and seconds."""
    minutes, seconds = divmod(duration_s, 60)
    return f"{int(minutes)} min {seconds:.1f} s" if minutes else f"{seconds:.1f} s"
