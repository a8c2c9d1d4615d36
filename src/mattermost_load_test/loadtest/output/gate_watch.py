"""Gates while a run goes on: which are crossed just now, and which of them end it.

It takes the lines of data as they go into the log.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import orjson

from mattermost_load_test.errors import GateFailedError
from mattermost_load_test.gates import AgentHealth, Gate, GateResult, GatesSoFar
from mattermost_load_test.logs import LogLine
from mattermost_load_test.timings.health import HEALTH_TAG
from mattermost_load_test.timings.records import TIMINGS_TAG

ABORT_FROM_S = 10.0  # into the run: one error among the first three requests is no reason to end it
_MARKS = (b'"tag":"timings"', b'"tag":"health"')  # lines without one of these are not looked at


@dataclass(frozen=True, slots=True)
class RunGates:
    """The gates of a run: those that fail it, and those that also end it as soon as they are crossed."""

    fail_on: tuple[Gate, ...] = ()
    abort_on: tuple[Gate, ...] = ()

    @property
    def all(self) -> tuple[Gate, ...]:
        """All gates, which are decided once more at the end."""
        return (*self.fail_on, *self.abort_on)


class GateWatch:
    """A sink of the log that knows which gates are crossed; `end` is called when one is that ends the run."""

    vital = False

    def __init__(self, gates: RunGates, end: Callable[[GateFailedError], object]) -> None:
        self._gates = gates
        self._end = end
        self._so_far = GatesSoFar(gates.all)
        self._told: set[str] = set()

    def write(self, line: LogLine) -> None:
        """Pass by: only data is looked at."""

    def write_data(self, line: bytes) -> None:
        """Count what a line of data holds."""
        if not any(mark in line for mark in _MARKS):
            return
        fields = orjson.loads(line)
        if fields["tag"] == TIMINGS_TAG:
            entries = fields["timings"]["Routes"].items()
            counts = {name: (entry["NumHits"], entry["NumErrors"], entry["Duration"]) for name, entry in entries}
            self._so_far.add(fields["start"], fields["ts"], counts)
        elif fields["tag"] == HEALTH_TAG:
            health = AgentHealth(tuple(fields["saturated"]), fields["actions"], fields["actions_intended"])
            self._so_far.tell(fields["instance_id"], health)

    def close(self) -> None:
        """Keep what was counted."""

    def crossed(self, tell: Callable[[str], object]) -> tuple[str, ...]:
        """Return the gates that fail just now, each with its figure; tell each once, and end the run if one says so."""
        failed = self._so_far.crossed()
        for result in failed:
            if result.gate.text not in self._told:
                self._told.add(result.gate.text)
                tell(f"gate crossed: {result.gate.text}: {result.reason}")
        self._end_if_wanted(failed)
        return tuple(f"{result.gate.text}: {result.reason}" for result in failed)

    def _end_if_wanted(self, failed: Sequence[GateResult]) -> None:
        """End the run if one of the gates that do is crossed."""
        if self._so_far.elapsed_s < ABORT_FROM_S:
            return
        ending = next((result for result in failed if result.gate in self._gates.abort_on), None)
        if ending is not None:
            self._end(GateFailedError(f"the run was ended early, as a gate was crossed: {ending}"))
