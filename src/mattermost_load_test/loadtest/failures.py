"""Failures of entities in the log: each kind once a minute, however often it happens.

Counting is the tally's; here it is only about what a person reads.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from mattermost_load_test.loadtest.clock import Clock
from mattermost_load_test.logs import Log, LogLine

WINDOW_S = 60.0


@dataclass(slots=True)
class _Window:
    """When a kind of failure was last told, and how often it happened since."""

    told_s: float
    untold: int = 0


class FailureLog:
    """Tells failures to a log, one line per kind and minute with the number left out since the last one.

    A kind is a short word from a small set (a status, ``timeout``, …), so the memory held is bounded.
    """

    def __init__(self, log: Log, clock: Clock) -> None:
        self._log = log
        self._clock = clock
        self._windows: dict[str, _Window] = {}

    def tell(self, what: str, kind: str, error: BaseException) -> None:
        """Tell that `what` failed because of `error`, unless its `kind` was told within the last minute."""
        untold = self._due(kind, 0)
        if untold is None:
            return
        self._log.warn(
            f"An entity failed to {what}; this kind of failure is told once a minute and counted in the summary.",
            action=what,
            kind=kind,
            error=str(error) or type(error).__name__,
            untold_before=untold,
        )

    def pass_on(self, line: LogLine) -> bool:
        """Pass on what the failure log of a worker told, likewise; says whether `line` is from one."""
        kind, untold_there = line.fields.get("kind"), line.fields.get("untold_before")
        if not isinstance(kind, str) or not isinstance(untold_there, int):
            return False
        untold = self._due(kind, untold_there)
        if untold is not None:
            self._log.pass_on(replace(line, fields={**line.fields, "untold_before": untold}))
        return True

    def _due(self, kind: str, untold_there: int) -> int | None:
        """Return how many failures of `kind` are untold yet if it is time to tell one; else count it and return None.

        `untold_there` of them were left out before this one came here.
        """
        now_s = self._clock.now_s()
        window = self._windows.get(kind)
        if window is not None and now_s - window.told_s < WINDOW_S:
            window.untold += untold_there + 1
            return None
        self._windows[kind] = _Window(now_s)
        return untold_there + (window.untold if window is not None else 0)
