"""When an entity acts: the arithmetic of its due times, without a clock.

The first action comes at a uniformly random moment of the entity's first interval, so that entities which start
together do not act together. Each further one is due an interval after the last one *ended*, give or take up to half
of the variance. How late an action starts (its *lateness*) is the agent's own delay, never the server's: a slow
server makes an action end later, and the next one is due that much later.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pacing:
    """The rhythm of one kind of entity: `interval_s` between actions, `variance_s` the whole width of its variation."""

    interval_s: float
    variance_s: float = 0.0

    def first_due_s(self, started_s: float, draw: float) -> float:
        """Return when the first action is due of an entity that started at `started_s`; `draw` is uniform in [0, 1)."""
        return started_s + self.interval_s * draw

    def next_due_s(self, ended_s: float, draw: float) -> float:
        """Return when the next action is due after one that ended at `ended_s`, never before that moment."""
        return ended_s + max(0.0, self.interval_s + self.variance_s * (draw - 0.5))


def pacing_of(action_rate_ms: float, max_variance_ms: float, rate_multiplier: float) -> Pacing:
    """Return the rhythm that the keys `ActionRateMilliseconds` and `…MaxVarianceMilliseconds` give a kind of entity."""
    return Pacing(action_rate_ms * rate_multiplier / 1000.0, max_variance_ms / 1000.0)


def connect_due_s(started_s: float, first_due_s: float) -> float:
    """Return when an entity opens its websocket: halfway to its first action.

    So the websockets of entities that start together are opened evenly over half an interval, none of them in a herd.
    """
    return (started_s + first_due_s) / 2.0


def lateness_s(due_s: float, started_s: float) -> float:
    """Return how late something due at `due_s` started; a timer that fires early is not late."""
    return max(0.0, started_s - due_s)
