"""What a run shows of itself while it lasts: the live view where there is one, a line in the log every ten seconds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from mattermost_load_test.loadtest.clock import Clock
from mattermost_load_test.loadtest.measuring.measures import Measures
from mattermost_load_test.loadtest.measuring.watch import RateMeter
from mattermost_load_test.loadtest.output.streams import Output
from mattermost_load_test.reporting.live import Snapshot

REFRESH_S = 0.5
LINE_EVERY_S = 10.0


@dataclass(frozen=True, slots=True)
class Subject:
    """What is run: the same in every snapshot."""

    scenario: str
    server_url: str
    entities_wanted: int
    lateness_limit_ms: float


@dataclass(frozen=True, slots=True)
class Figures:
    """Where the figures come from once the clock runs. Times are the run's clock's; `health` is a line of the log."""

    started_s: float
    length_s: float
    measures: Callable[[], Measures]
    health: Callable[[], bytes]


class Progress:
    """Says what the run does: `phase` and `detail` are set by the phases, `figures` once the entities act.

    `each_time` is called with every refresh, for what has to be done now and then.
    """

    def __init__(self, subject: Subject, output: Output, clock: Clock, each_time: Callable[[], object]) -> None:
        self.phase = "Starting"
        self.detail = ""
        self.figures: Figures | None = None
        self._subject = subject
        self._output = output
        self._clock = clock
        self._each_time = each_time
        self._meter = RateMeter()

    async def run(self) -> None:
        """Show the run until cancelled."""
        next_line_s = self._clock.now_s() + LINE_EVERY_S
        while True:
            now_s = self._clock.now_s()
            snapshot = replace(self.snapshot(now_s), crossed=self._output.crossed())
            if self._output.view is not None:
                self._output.view.show(snapshot)
            if now_s >= next_line_s:
                next_line_s += LINE_EVERY_S
                self._log(snapshot)
            self._each_time()
            await self._clock.sleep(REFRESH_S)

    def snapshot(self, now_s: float) -> Snapshot:
        """Return the run as it is now."""
        subject, figures = self._subject, self.figures
        common = (subject.scenario, subject.server_url, self.phase, self.detail)
        if figures is None:
            return Snapshot(
                *common, entities_wanted=subject.entities_wanted, lateness_limit_ms=subject.lateness_limit_ms
            )
        return _snapshot_of(common, subject, figures, self._meter, now_s)

    def _log(self, snapshot: Snapshot) -> None:
        """Write a line of progress."""
        if self.figures is None:
            self._output.log.info("Progress", phase=snapshot.phase, detail=snapshot.detail)
            return
        self._output.log.info(
            "Progress",
            phase=snapshot.phase,
            elapsed_s=round(snapshot.elapsed_s, 1),
            remaining_s=round(snapshot.remaining_s or 0.0, 1),
            entities=snapshot.entities_up,
            actions=snapshot.actions,
            actions_per_s=round(snapshot.actions_per_s, 1),
            requests=snapshot.requests,
            requests_per_s=round(snapshot.requests_per_s, 1),
            errors=snapshot.errors,
            p50_ms=_rounded(snapshot.p50_ms),
            p95_ms=_rounded(snapshot.p95_ms),
            lateness_p99_ms=_rounded(snapshot.lateness_p99_ms),
            sockets_open=snapshot.sockets_open,
            websocket_events=snapshot.websocket_events,
            websocket_events_per_s=round(snapshot.websocket_events_per_s, 1),
        )
        self._output.log.write_line(self.figures.health())


def _rounded(duration_ms: float | None) -> float | None:
    """Return a duration with the two decimals that a line needs."""
    return None if duration_ms is None else round(duration_ms, 2)


def _snapshot_of(
    common: tuple[str, str, str, str], subject: Subject, figures: Figures, meter: RateMeter, now_s: float
) -> Snapshot:
    """Return the snapshot of a run whose clock runs."""
    done = figures.measures()
    tally, requests, recent = done.tally, done.requests, done.recent_ms
    rates = meter.read(now_s, tally.achieved, requests, done.events.events)
    acted = tally.lateness_s.count > 0
    return Snapshot(
        *common,
        elapsed_s=now_s - figures.started_s,
        remaining_s=max(0.0, figures.started_s + figures.length_s - now_s),
        entities_up=tally.running,
        entities_wanted=subject.entities_wanted,
        actions=tally.achieved,
        actions_per_s=rates.actions_per_s,
        intended_actions_per_s=tally.intended(now_s) / max(now_s - figures.started_s, 1e-9),
        requests=requests,
        requests_per_s=rates.requests_per_s,
        errors=done.errors.total(),
        p50_ms=recent.percentile(50) if recent.count else None,
        p95_ms=recent.percentile(95) if recent.count else None,
        lateness_p50_ms=tally.lateness_s.percentile(50) * 1000 if acted else None,
        lateness_p99_ms=tally.lateness_s.percentile(99) * 1000 if acted else None,
        lateness_limit_ms=subject.lateness_limit_ms,
        sockets_open=done.sockets_open,
        websocket_events=done.events.events,
        websocket_events_per_s=rates.events_per_s,
    )
