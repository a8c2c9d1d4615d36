"""How a worker knows that it cannot keep up: its event loop comes back late, its CPU is used up."""

from __future__ import annotations

import resource

from mattermost_load_test.loadtest.clock import Clock, Timer
from mattermost_load_test.timings.histogram import Histogram

INTERVAL_S = 0.1
MOST_AT_ONCE = 10_000  # moments missed in one go that are counted: a quarter of an hour's


class SelfWatch:
    """Asks the loop to be back every tenth of a second, and counts how late it was each time.

    A loop that hung for a second missed ten such moments: each is counted with its own lateness, or a long standstill
    would count less than many short ones.
    """

    def __init__(self, clock: Clock) -> None:
        self.lag_s = Histogram()
        self._clock = clock
        self._timer: Timer | None = None
        self._cpu_then_s = 0.0
        self._begun_s: float | None = None

    def begin(self) -> None:
        """Watch from now on."""
        self._begun_s, self._cpu_then_s = self._clock.now_s(), _cpu_s()
        self._ask(self._begun_s + INTERVAL_S)

    def end(self) -> None:
        """Watch no more."""
        if self._timer is not None:
            self._timer.cancel()

    def spent(self) -> tuple[float, float]:
        """Return how many seconds of CPU this process has used since the beginning, and how many have passed."""
        if self._begun_s is None:
            return 0.0, 0.0
        return _cpu_s() - self._cpu_then_s, self._clock.now_s() - self._begun_s

    def _ask(self, due_s: float) -> None:
        """Ask the loop to be back at `due_s`."""
        self._timer = self._clock.call_at(due_s, lambda: self._back(due_s))

    def _back(self, due_s: float) -> None:
        """Count how late the loop is, and how late it was for every moment missed meanwhile."""
        now_s = self._clock.now_s()
        for _ in range(MOST_AT_ONCE):
            self.lag_s.add(max(0.0, now_s - due_s))
            due_s += INTERVAL_S
            if due_s > now_s:
                break
        self._ask(max(due_s, now_s))


def _cpu_s() -> float:
    """Return the CPU that this process has used, of user and system."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
