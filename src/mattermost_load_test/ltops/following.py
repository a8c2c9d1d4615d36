"""A run that is under way, looked at from here until its end: logs copied, the live view shown, results made complete.

The agents do not need it: it may be left at any time, and picked up again.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from mattermost_load_test.errors import LoadTestError, OperationError, ServerError
from mattermost_load_test.gates import Gate, GatesSoFar
from mattermost_load_test.ltops.chores import failure
from mattermost_load_test.ltops.clocks import clock_warnings
from mattermost_load_test.ltops.cluster import RunRecord
from mattermost_load_test.ltops.providers.base import LOG_FILE, RUN_FILES, Agents, AgentState
from mattermost_load_test.ltops.results import Copy, earlier_copies, result_name
from mattermost_load_test.ltops.store import Cluster
from mattermost_load_test.ltops.watching import AgentWatch, moment, total
from mattermost_load_test.reporting.agents_view import AgentsSnapshot, AgentsView

POLL_S = 0.5
PIECES_AT_ONCE = 16
GIVE_UP_AFTER_S = 300.0
"""How long agents that cannot be reached are tried again, unless something else is said."""

PREPARING_MAX_S = 12 * 3600.0
"""How long an agent may take until its users act."""

END_MAX_S = 300.0
"""How long after a run's time its agents may take to end."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a run ended: each agent's exit code (None: lost), and its error by the agent's name.

    `losses` say what was lost of the samples, one sentence each, which names the agent.
    """

    exit_codes: list[int | None]
    failures: dict[str, LoadTestError]
    losses: list[str]


class Following:
    """Follows one run of a cluster; the view shows those of `gates` that are crossed.

    Agents that cannot be reached are given up after `give_up_after_s`, which is reckoned anew once they are reached.
    """

    def __init__(
        self,
        cluster: Cluster,
        agents: Agents,
        run: RunRecord,
        gates: Sequence[Gate] = (),
        give_up_after_s: float = GIVE_UP_AFTER_S,
    ) -> None:
        self._name = cluster.name
        self._give_up_after_s = give_up_after_s
        self._agents = agents
        self._run = run
        self._instances = cluster.state.of_role("loadtest")[: run.agents]
        self._folder = cluster.results
        self._title = f"{cluster.name}: {run.scenario}"
        self._gates = GatesSoFar(gates) if gates else None
        self._watches = [AgentWatch(one.name, time.monotonic, self._gates) for one in self._instances]
        self._clocks_unknown = agents.come_with_a_job
        self._logs = [self._copy(index, LOG_FILE) for index in range(run.agents)]

    def until_end(self, view: AgentsView) -> Ended:
        """Show the run until all agents have ended, then make the results complete.

        Raises `OperationError` when agents do not end in time, `ServerError` when they cannot be reached any more,
        `OutputError` when results cannot be written. The run goes on all the same.
        """
        for watch, log in zip(self._watches, self._logs, strict=True):
            for path in (*earlier_copies(log.path), log.path):
                watch.catch_up(path)
        reached_s, trouble = time.monotonic(), ""
        while True:
            try:
                states = self._look(view)
                if all(state.over for state in states):
                    return self._ended(states)
                if self._clocks_unknown and all(state.phase == "running" for state in states):
                    self._compare_clocks(view)
                reached_s, trouble = time.monotonic(), ""
            except ServerError as error:
                left_s = reached_s + self._give_up_after_s - time.monotonic()
                if left_s <= 0:
                    raise self._given_up(error) from error
                trouble = trouble or f"the agents cannot be reached, tried again until {_time_of_day(left_s)}: {error}"
                view.show(self._snapshot(trouble), time.monotonic())
            if self._is_overdue():
                raise OperationError(
                    "the run should have ended long ago, and its agents have not; `ltops loadtest --stop` ends them"
                )
            time.sleep(POLL_S)

    def _given_up(self, error: ServerError) -> ServerError:
        """Return what is raised when agents are not tried again any more, by what was said last."""
        return ServerError(
            f"the agents could not be reached for {self._give_up_after_s:g} s: {error}; what was fetched is in "
            f"{self._folder}; the test goes on: `ltops loadtest -c {self._name} --attach` picks it up"
        )

    def _ended(self, states: Sequence[AgentState]) -> Ended:
        """Make the results complete, let go of the agents, and return how the run ended."""
        for index in range(self._run.agents):
            for file in RUN_FILES:
                self._copy(index, file).complete()
        failures = {}
        for index, state in enumerate(states):
            if failed := failure(self._agents, self._run.id, index, state):
                failures[self._instances[index].name] = failed
        self._agents.release(self._run.id)
        losses = [loss for index, state in enumerate(states) for loss in self._losses(index, state)]
        return Ended([state.exit_code for state in states], failures, losses)

    def _losses(self, index: int, state: AgentState) -> Iterator[str]:
        """Yield what was lost of an agent's samples, and where what was fetched before is."""
        name, kept = self._instances[index].name, earlier_copies(self._logs[index].path)
        for loss in state.losses:
            yield f"{name}: {loss}" + (f"; fetched before: {', '.join(path.name for path in kept)}" if kept else "")

    def _look(self, view: AgentsView) -> Sequence[AgentState]:
        """Copy what is new, show how far the run is, and return how the agents are."""
        states = self._agents.states(self._run.id, self._run.agents)
        for watch, log in zip(self._watches, self._logs, strict=True):
            for _ in range(PIECES_AT_ONCE):
                piece = log.fetch()
                watch.feed(piece)
                if not piece:
                    break
        for watch, state in zip(self._watches, states, strict=True):
            if state.over:
                watch.phase = "ended" if state.exit_code == 0 else state.reason or f"exit code {state.exit_code}"
            elif state.phase == "waiting":
                watch.phase = state.reason or "waiting"
        view.show(self._snapshot(), time.monotonic())
        return states

    def _compare_clocks(self, view: AgentsView) -> None:
        """Warn of agents whose clocks differ from ours, once; a connection that breaks meanwhile does no harm."""
        self._clocks_unknown = False
        with suppress(ServerError):
            for warning in clock_warnings(self._agents.clock_offsets_ms()):
                view.tell(f"WARNING: {warning}")

    def _snapshot(self, trouble: str = "") -> AgentsSnapshot:
        rows = [watch.row() for watch in self._watches]
        failed = self._gates.crossed() if self._gates is not None else ()
        crossed = {result.gate.text: result.reason for result in failed}
        return AgentsSnapshot(
            self._title, moment(self._elapsed_s(), self._run.length_s), rows, total(self._watches), crossed, trouble
        )

    def _elapsed_s(self) -> float | None:
        """Return how long users have acted, negative before their begin, None where that is not known."""
        begun_s = self._run.begins_at.timestamp() if self._run.begins_at else self._watches[0].begun_s
        return None if begun_s is None else time.time() - begun_s

    def _is_overdue(self) -> bool:
        """Say whether the run should have ended long ago."""
        elapsed_s = self._elapsed_s()
        if elapsed_s is None:
            return (datetime.now(UTC) - self._run.launched_at).total_seconds() > PREPARING_MAX_S
        return elapsed_s > self._run.length_s + END_MAX_S

    def _copy(self, index: int, file: str) -> Copy:
        path = self._folder / result_name(file, self._instances[index])
        return Copy(self._agents, self._run.id, index, file, path)


def _time_of_day(in_s: float) -> str:
    """Return what a clock on the wall shows after so long."""
    return f"{datetime.now(UTC) + timedelta(seconds=in_s):%H:%M:%S} UTC"
