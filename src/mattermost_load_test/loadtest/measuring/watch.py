"""The run at a glance: what the live view and the progress lines show, in bounded memory."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass

from mattermost_load_test.loadtest.measuring.buckets import Buckets, Key, key_of
from mattermost_load_test.timings.histogram import Histogram
from mattermost_load_test.timings.records import Sample

WINDOW_S = 10.0  # rates and percentiles shown are those of the last ten seconds, more or less
_MARKS = 11


@dataclass(frozen=True, slots=True)
class Rates:
    """How fast things went over the last seconds, each per second."""

    actions_per_s: float = 0.0
    requests_per_s: float = 0.0
    events_per_s: float = 0.0


class RequestWatch:
    """Counts the requests of the run and keeps the durations of the last seconds.

    Durations are kept in two histograms that take turns: the percentiles are those of the last 10 to 20 seconds.
    """

    def __init__(self, clock_s: Callable[[], float]) -> None:
        self.requests = 0
        self.successes = 0
        self.errors: Counter[str] = Counter()
        self.durations: defaultdict[Key, Buckets] = defaultdict(Buckets)
        self._clock_s = clock_s
        self._recent = Histogram()
        self._before = Histogram()
        self._turned_s = clock_s()

    def add(self, sample: Sample) -> None:
        """Count one request."""
        self.requests += 1
        self.durations[key_of(sample)].add(sample.duration_ms / 1000.0)
        if sample.error is not None:
            self.errors[sample.error] += 1
            return
        self.successes += 1
        self._turn()
        self._recent.add(sample.duration_ms)

    def _turn(self) -> None:
        """Begin a new histogram when the present one is full of seconds."""
        now_s = self._clock_s()
        if now_s - self._turned_s >= WINDOW_S:
            self._before, self._recent, self._turned_s = self._recent, Histogram(), now_s

    def recent_ms(self) -> Histogram:
        """Return the durations of the last seconds."""
        self._turn()
        both = Histogram()
        both.merge(self._before)
        both.merge(self._recent)
        return both


class RateMeter:
    """Turns counts that only grow into rates over the last ten readings."""

    def __init__(self) -> None:
        self._marks: deque[tuple[float, tuple[int, int, int]]] = deque(maxlen=_MARKS)

    def read(self, now_s: float, actions: int, requests: int, events: int) -> Rates:
        """Return the rates since the oldest of the readings kept; the first reading has none."""
        self._marks.append((now_s, (actions, requests, events)))
        then_s, then = self._marks[0]
        if now_s <= then_s:
            return Rates()
        return Rates(
            *((new - old) / (now_s - then_s) for new, old in zip((actions, requests, events), then, strict=True))
        )
