"""When a run begins and ends. Agents that are given the same start time begin together and end together.

Times are seconds since 1970, of the hosts' own clocks: agents on several hosts begin as exactly together as their
clocks agree.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime

from mattermost_load_test.errors import UsageError
from mattermost_load_test.loadtest.durations import seconds

WORTH_TELLING_S = 1.0
"""An agent that begins later than this after the start says so."""

FORMS = "a time such as 2026-11-26T05:00:00Z, or a delay such as +30s"


@dataclass(frozen=True, slots=True)
class Schedule:
    """A run of `length_s` seconds that begins at `start_s`, or, without one, as soon as it is ready.

    An agent that is late, because its set-up took longer or because it was started again, joins for the rest.
    """

    length_s: float
    start_s: float | None = None

    def wait_s(self, now_s: float) -> float:
        """Return how long there is to wait until the start."""
        return 0.0 if self.start_s is None else max(0.0, self.start_s - now_s)

    def late_s(self, now_s: float) -> float:
        """Return how long ago the start was."""
        return 0.0 if self.start_s is None else max(0.0, now_s - self.start_s)

    def rest_s(self, now_s: float) -> float:
        """Return how long the entities have left if they begin at `now_s`; 0 when the run is over."""
        return max(0.0, self.length_s - self.late_s(now_s))

    def remark(self, now_s: float) -> str | None:
        """Return what the reader of the figures must know of a run whose entities begin to act at `now_s`, if late."""
        late_s, rest_s = self.late_s(now_s), self.rest_s(now_s)
        if late_s < WORTH_TELLING_S or not rest_s:
            return None
        return f"the entities began {late_s:,.1f} s after the start of the run and acted for the rest, {rest_s:,.1f} s."

    def check(self, now_s: float) -> None:
        """Raise `UsageError` when the run is over before it began."""
        if self.start_s is not None and self.rest_s(now_s) == 0:
            ended = datetime.fromtimestamp(self.start_s + self.length_s, UTC).isoformat(timespec="seconds")
            raise UsageError(
                f"--start-at: the run that began then ended at {ended} (TestLengthMinutes is "
                f"{self.length_s / 60:g}); name a time to come"
            )


def start_time_s(text: str, now_s: float | None = None) -> float:
    """Return the time that `text` names: RFC 3339, or ``+30s``, ``+1m30s`` from `now_s` on (else from now).

    Raises `ValueError`, whose text says what is wrong.
    """
    if text.startswith("+"):
        return (time.time() if now_s is None else now_s) + seconds(text[1:])
    try:
        moment = datetime.fromisoformat(text.upper())  # RFC 3339 allows z and t
    except ValueError:
        raise ValueError(f"{text!r} is not {FORMS}") from None
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} does not say in which time zone: end it with Z (UTC) or an offset such as +02:00")
    return moment.timestamp()
