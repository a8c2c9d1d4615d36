"""What the entities of an agent did: actions by name, how late they began, how many there should have been.

One tally is shared by all entities of a worker; its size depends on the number of actions and failure kinds, never on
how long a run lasts. Two tallies can be merged.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from mattermost_load_test.timings.histogram import Histogram

CONNECT = "connect"
"""The name in `Tally.background` of connecting a websocket: only its failures are counted."""


@dataclass(slots=True)
class ActionCount:
    """How the attempts of one action ended. `failed` counts by kind: a status, or a word such as ``timeout``."""

    done: int = 0
    skipped: int = 0
    failed: Counter[str] = field(default_factory=Counter)

    @property
    def attempts(self) -> int:
        """How often the action was begun and ended, however."""
        return self.done + self.skipped + self.failed.total()


class Tally:
    """Running counts of a group of entities.

    `lateness_s` is the agent's own delay before each action. `actions` counts by the action's name; a status poll and
    what is asked after a (re)connection are background requests, counted under their own names in `background`.
    """

    def __init__(self) -> None:
        self.lateness_s = Histogram()
        self.actions: dict[str, ActionCount] = {}
        self.background: dict[str, ActionCount] = {}
        self.running = 0
        self._rate_per_s = 0.0
        self._intended = 0.0
        self._counted_until_s = 0.0

    def action(self, name: str) -> ActionCount:
        """Return the counts of an action, to be added to."""
        return self.actions.get(name) or self.actions.setdefault(name, ActionCount())

    def in_background(self, name: str) -> ActionCount:
        """Return the counts of something that happens beside the actions, to be added to."""
        return self.background.get(name) or self.background.setdefault(name, ActionCount())

    def entity_started(self, now_s: float, interval_s: float) -> None:
        """From now on one more entity intends an action every `interval_s`."""
        self._count_intended(now_s)
        self._rate_per_s += 1.0 / interval_s
        self.running += 1

    def entity_stopped(self, now_s: float, interval_s: float) -> None:
        """From now on one entity fewer intends anything."""
        self._count_intended(now_s)
        self._rate_per_s -= 1.0 / interval_s
        self.running -= 1

    def halt(self, now_s: float) -> None:
        """From now on none of the entities intends anything: their worker has ended."""
        self._count_intended(now_s)
        self._rate_per_s = 0.0
        self.running = 0

    def paused(self, duration_s: float, interval_s: float) -> None:
        """Take off what an entity waited on purpose within an action, which puts its next one off."""
        self._intended -= duration_s / interval_s

    def _count_intended(self, now_s: float) -> None:
        """Bring the number of intended actions up to now."""
        self._intended += self._rate_per_s * max(0.0, now_s - self._counted_until_s)
        self._counted_until_s = now_s

    def intended(self, now_s: float) -> float:
        """Return how many actions there would have been by `now_s` if each took the server no time and none was late.

        The first action of an entity falls anywhere in its first interval, so on average it is its time over its
        interval.
        """
        self._count_intended(now_s)
        return max(0.0, self._intended)

    @property
    def achieved(self) -> int:
        """How many actions ended, however."""
        return sum(count.attempts for count in self.actions.values())

    @property
    def skipped(self) -> int:
        """How many actions had nothing to act on."""
        return sum(count.skipped for count in self.actions.values())

    @property
    def failed_connects(self) -> int:
        """How many attempts to connect a websocket failed."""
        return self.in_background(CONNECT).failed.total()

    def failures(self) -> Counter[str]:
        """Return how many actions and background requests failed, by kind."""
        total: Counter[str] = Counter()
        for count in (*self.actions.values(), *self.background.values()):
            total.update(count.failed)
        return total

    def merge(self, other: Tally, now_s: float) -> None:
        """Count everything that `other` counted until `now_s`; the two go on apart."""
        self._intended += other.intended(now_s)
        self.running += other.running
        self.lateness_s.merge(other.lateness_s)
        for mine, theirs in ((self.actions, other.actions), (self.background, other.background)):
            for name, count in theirs.items():
                into = mine.setdefault(name, ActionCount())
                into.done += count.done
                into.skipped += count.skipped
                into.failed.update(count.failed)
