"""How well an agent kept up: judged by its own limits, and told in a line of the log. Pure.

docs/results.md describes the line; `timings.reading` reads it. Every ten seconds of a run one is written, about all of
the run so far, so that also the log of an agent that was killed tells.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

import orjson

from mattermost_load_test.counts import counted

HEALTH_TAG = "health"  # readers that do not know it, the original's among them, pass such lines by


@dataclass(frozen=True, slots=True)
class WorkerHealth:
    """How one worker process kept up, over the run so far.

    `lateness_p99_ms` is how long after their due time 99 % of its actions had begun, `loop_lag_p99_ms` how long after
    its time 99 % of the moments came at which its event loop was to be back, `cpu_percent` its CPU in percent of one
    core, `dropped_events` how many websocket events it threw away, `lost_lines` how many lines of timings.
    """

    worker: int
    entities: int
    lateness_p99_ms: float
    loop_lag_p99_ms: float
    cpu_percent: float
    dropped_events: int = 0
    lost_lines: int = 0


@dataclass(frozen=True, slots=True)
class HealthLimits:
    """Beyond which figures an agent counts as saturated; each is the configuration's key of that name."""

    lateness_ms: float = 1000.0
    loop_lag_ms: float = 500.0
    cpu_percent: float = 95.0
    dropped_events: int = 0


@dataclass(frozen=True, slots=True)
class Activity:
    """What an agent's entities did until a moment: how many act just now, and actions since the run began.

    `actions_intended` is what the pacing alone would have given, `skipped` counts those that had nothing to act on.
    """

    entities: int = 0
    actions: int = 0
    actions_intended: float = 0.0
    skipped: int = 0


@dataclass(frozen=True, slots=True)
class HealthPoint:
    """What one line told of an agent, at `moment_s`, seconds since the epoch; about the run until then.

    Of logs from before an activity was told, `activity` is None.
    """

    moment_s: float
    lateness_p99_ms: float
    workers: tuple[WorkerHealth, ...] = ()
    activity: Activity | None = None

    @property
    def loop_lag_p99_ms(self) -> float:
        """That of the worker whose event loop came back latest."""
        return max((worker.loop_lag_p99_ms for worker in self.workers), default=0.0)


def saturation(lateness_p99_ms: float, workers: Sequence[WorkerHealth], limits: HealthLimits) -> Iterator[str]:
    """Yield each sign that an agent could not keep up, as a clause; none if its figures can be trusted."""
    if lateness_p99_ms > limits.lateness_ms:
        yield (
            f"lateness p99 is {lateness_p99_ms:,.0f} ms, more than the {limits.lateness_ms:,.0f} ms "
            "allowed (MaxLatenessMilliseconds, and at most the action interval)"
        )
    slowest = max(workers, key=lambda worker: worker.loop_lag_p99_ms, default=None)
    if slowest is not None and slowest.loop_lag_p99_ms > limits.loop_lag_ms:
        yield (
            f"loop lag p99 of worker {slowest.worker} is {slowest.loop_lag_p99_ms:,.0f} ms, more than the "
            f"{limits.loop_lag_ms:,.0f} ms allowed (MaxLoopLagMilliseconds)"
        )
    busiest = max(workers, key=lambda worker: worker.cpu_percent, default=None)
    if busiest is not None and busiest.cpu_percent > limits.cpu_percent:
        yield (
            f"worker {busiest.worker} used {busiest.cpu_percent:.0f} % of a core, more than the "
            f"{limits.cpu_percent:g} % allowed (MaxCPUPercent)"
        )
    dropped = sum(worker.dropped_events for worker in workers)
    if dropped > limits.dropped_events:
        yield f"{dropped:,} websocket events were dropped by the agent itself (MaxDroppedEvents)"
    lost = sum(worker.lost_lines for worker in workers)
    if lost:
        yield f"{counted(lost, 'line')} of timings could not be written, as whoever reads the log was too slow"


def health_line(
    instance_id: str,
    now_s: float,
    lateness_p99_ms: float,
    workers: Sequence[WorkerHealth],
    limits: HealthLimits,
    activity: Activity,
) -> bytes:
    """Return the line of the log, without its end, that tells at `now_s` how an agent kept up since its run began."""
    return orjson.dumps(
        {
            "level": "info",
            "ts": round(now_s, 6),
            "caller": "timings/health.py",
            "msg": "Health",
            "tag": HEALTH_TAG,
            "instance_id": instance_id,
            "saturated": list(saturation(lateness_p99_ms, workers, limits)),
            "lateness_p99_ms": round(lateness_p99_ms, 3),
            **{name: round(value, 3) for name, value in asdict(activity).items()},
            "workers": [{name: round(value, 3) for name, value in asdict(worker).items()} for worker in workers],
        }
    )
