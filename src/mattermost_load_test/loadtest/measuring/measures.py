"""What entities have done until a moment: of one worker, or of all workers of an agent together.

A worker sends its own to the parent twice a second, whole, so that each replaces the one before it: nothing is counted
twice, and of a worker that dies all is known but its last half second. The size depends on the numbers of routes,
actions and kinds of failure, never on how long a run lasts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, fields

from mattermost_load_test.loadtest.measuring.buckets import Buckets, Key
from mattermost_load_test.loadtest.measuring.tally import Tally
from mattermost_load_test.mattermost.events import EventCounters
from mattermost_load_test.timings.health import WorkerHealth
from mattermost_load_test.timings.histogram import Histogram


@dataclass(slots=True)
class Measures:
    """Counts since the clock started, and in `recent_ms` the durations of successful requests of the last seconds.

    `lost_lines` of timings could not be handed to the parent, which reads too slowly; in a good run there are none.
    `loop_lag_s` is how late the event loop came back each time, `cpu_s` the CPU used in the `acted_s` seconds since the
    entities began.
    """

    tally: Tally = field(default_factory=Tally)
    requests: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    durations: dict[Key, Buckets] = field(default_factory=dict)
    recent_ms: Histogram = field(default_factory=Histogram)
    events: EventCounters = field(default_factory=EventCounters)
    sockets_open: int = 0
    lost_lines: int = 0
    loop_lag_s: Histogram = field(default_factory=Histogram)
    cpu_s: float = 0.0
    acted_s: float = 0.0

    def health(self, worker: int, entities: int) -> WorkerHealth:
        """Return how a worker that did this kept up, given its number and that of its entities."""
        return WorkerHealth(
            worker,
            entities,
            self.tally.lateness_s.percentile(99) * 1000,
            self.loop_lag_s.percentile(99) * 1000,
            100.0 * self.cpu_s / self.acted_s if self.acted_s else 0.0,
            self.events.dropped,
            self.lost_lines,
        )

    def halt(self, now_s: float) -> None:
        """Let nothing be intended from `now_s` on, and nothing be open: the worker has ended."""
        self.tally.halt(now_s)
        self.recent_ms = Histogram()
        self.sockets_open = 0


def merged(parts: Iterable[Measures], now_s: float) -> Measures:
    """Return the sum of measures at the moment `now_s`."""
    total = Measures()
    for part in parts:
        total.tally.merge(part.tally, now_s)
        total.requests += part.requests
        total.errors.update(part.errors)
        for key, buckets in part.durations.items():
            total.durations.setdefault(key, Buckets()).merge(buckets)
        total.recent_ms.merge(part.recent_ms)
        for counter in fields(EventCounters):
            name = counter.name
            setattr(total.events, name, getattr(total.events, name) + getattr(part.events, name))
        total.sockets_open += part.sockets_open
        total.lost_lines += part.lost_lines
        total.loop_lag_s.merge(part.loop_lag_s)
        total.cpu_s += part.cpu_s
        total.acted_s += part.acted_s
    return total
