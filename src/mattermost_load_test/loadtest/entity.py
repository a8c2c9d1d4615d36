"""A user entity: one user acting on its own clock, with its websocket and its status polling.

An entity that waits costs timers, not tasks: a timer for its next action, one for its next status poll, and the one
task that reads its websocket. An action is a task for as long as it lasts. All tasks belong to the run's `TaskGroup`.
Whatever an action raises is counted by kind and told once a minute; it stops neither this entity nor another.

A run goes::

    async with asyncio.TaskGroup() as tasks:
        context = EntityContext(clock, tally, failures, tasks)
        entities = [Entity(user, kind, pacing, context) for user, kind, pacing in …]
        for entity in entities:
            entity.start()
        try:
            …                       # until the time is up or somebody interrupts
        finally:
            for entity in entities:
                entity.stop()       # begins nothing more; what runs goes on
            try:
                async with asyncio.timeout(…):
                    await context.drained()
            finally:
                context.cut()       # ends what still runs, websockets included
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Coroutine

from mattermost_load_test.errors import LoadTestError, NothingToActOn, ServerError
from mattermost_load_test.loadtest.actions import sockets, statuses
from mattermost_load_test.loadtest.clock import Clock, Timer
from mattermost_load_test.loadtest.failures import FailureLog
from mattermost_load_test.loadtest.measuring.tally import CONNECT, ActionCount, Tally
from mattermost_load_test.loadtest.pacing import Pacing, connect_due_s, lateness_s
from mattermost_load_test.loadtest.scenarios import EntityKind, action_name
from mattermost_load_test.loadtest.user import User

POLL_INTERVAL_S = 45.0  # as the original, and the web client of its time


class EntityContext:
    """What the entities of a worker have in common, and the tasks that they have under way.

    `tasks` owns every task, `polling` is the key `DoStatusPolling`.
    """

    def __init__(
        self, clock: Clock, tally: Tally, failures: FailureLog, tasks: asyncio.TaskGroup, *, polling: bool = True
    ) -> None:
        self.clock = clock
        self.tally = tally
        self.failures = failures
        self.polling = polling
        self._tasks = tasks
        self._short: set[asyncio.Task[None]] = set()  # actions and background requests
        self._long: set[asyncio.Task[None]] = set()  # websockets, which end only when they are cut

    def spawn(self, work: Coroutine[None, None, None], *, endless: bool = False) -> None:
        """Run `work` as a task of the run's group; `endless` work is not waited for by `drained`."""
        task = self._tasks.create_task(work)
        under_way = self._long if endless else self._short
        under_way.add(task)
        task.add_done_callback(under_way.discard)

    async def drained(self) -> None:
        """Wait until no action is under way."""
        if self._short:
            await asyncio.wait(self._short)

    def cut(self) -> None:
        """Cancel everything that is under way."""
        for task in (*self._short, *self._long):
            task.cancel()


class Entity:
    """One user entity. `start` and `stop` are called by the run from the event loop."""

    __slots__ = ("_action_timer", "_background_timer", "_context", "_kind", "_pacing", "_started", "user")

    def __init__(self, user: User, kind: EntityKind, pacing: Pacing, context: EntityContext) -> None:
        self.user = user
        self._kind = kind
        self._pacing = pacing
        self._context = context
        self._action_timer: Timer | None = None
        self._background_timer: Timer | None = None
        self._started = False

    def start(self, *, connect_at_once: bool = False) -> None:
        """Begin: the first action comes at a random moment of one interval, and the websocket opens before it.

        With `connect_at_once` it opens now: whoever starts the entities sees to it that they are not a herd.
        """
        clock = self._context.clock
        now_s = clock.now_s()
        first_due_s = self._pacing.first_due_s(now_s, self.user.random.random())
        connect_s = now_s if connect_at_once else connect_due_s(now_s, first_due_s)
        self._context.tally.entity_started(now_s, self._pacing.interval_s)
        self._started = True
        self._background_timer = clock.call_at(connect_s, self._connect)
        self._action_timer = clock.call_at(first_due_s, lambda: self._context.spawn(self._act(first_due_s)))

    def stop(self) -> None:
        """Begin nothing more; what is under way goes on until it ends or is cut."""
        if not self._started:
            return
        self._started = False
        for timer in (self._action_timer, self._background_timer):
            if timer is not None:
                timer.cancel()
        self._context.tally.entity_stopped(self._context.clock.now_s(), self._pacing.interval_s)

    def connected(self) -> None:
        """Ask what a client asks after its websocket was connected anew; the event stream calls this."""
        if self._started and self.user.present:
            self._context.spawn(self._in_background("ask for plugins", sockets.ask_for_plugins(self.user)))

    def socket_failed(self, error: ServerError) -> None:
        """Count and tell an attempt to connect that failed; the event stream calls this and tries again.

        A user who is deactivated just now is let in nowhere, as it must be: that is no failure.
        """
        if not self.user.present:
            return
        self._context.tally.in_background(CONNECT).failed[error.kind] += 1
        self._context.failures.tell("connect its websocket", f"websocket: {error.kind}", error)

    async def _act(self, due_s: float) -> None:
        """Do one action that was due at `due_s`, then set the timer for the next one."""
        clock, tally, user = self._context.clock, self._context.tally, self.user
        tally.lateness_s.add(lateness_s(due_s, clock.now_s()))
        action = self._kind.choose(user.random.random())
        name = action_name(action)
        user.paused_s = 0.0
        await self._attempt(name, tally.action(name), action(user))
        tally.paused(user.paused_s, self._pacing.interval_s)
        if self._started:
            next_due_s = self._pacing.next_due_s(clock.now_s(), user.random.random())
            self._action_timer = clock.call_at(next_due_s, lambda: self._context.spawn(self._act(next_due_s)))

    def _connect(self) -> None:
        """Open the websocket and begin to poll statuses, at a random moment of the poll interval."""
        self._context.spawn(self._in_background("hold a websocket", self.user.events.run()), endless=True)
        if self._context.polling:
            self._poll_later(POLL_INTERVAL_S * self.user.random.random())

    def _poll_later(self, delay_s: float) -> None:
        """Set the timer for the next status poll."""
        clock = self._context.clock
        self._background_timer = clock.call_at(clock.now_s() + delay_s, lambda: self._context.spawn(self._poll()))

    async def _poll(self) -> None:
        """Poll statuses once; the next poll is counted from this one's start, as long as it ends in time."""
        started_s = self._context.clock.now_s()
        await self._in_background("poll statuses", statuses.poll_statuses(self.user))
        if self._started:
            self._poll_later(max(0.0, POLL_INTERVAL_S - (self._context.clock.now_s() - started_s)))

    async def _in_background(self, what: str, work: Coroutine[None, None, None]) -> None:
        """Do something that is no action; it is counted apart."""
        await self._attempt(what, self._context.tally.in_background(what), work)

    async def _attempt(self, what: str, count: ActionCount, work: Awaitable[None]) -> None:
        """Do `work` and count how it ended. Nothing but cancellation leaves here: the other entities go on."""
        try:
            await work
        except NothingToActOn:
            count.skipped += 1
        except Exception as error:  # whatever it is, it is this entity's alone
            kind = failure_kind(error)
            count.failed[kind] += 1
            self._context.failures.tell(what, kind, error)
        else:
            count.done += 1


def failure_kind(error: Exception) -> str:
    """Return the short word that a failure is counted under; what no server caused is marked as the agent's own."""
    if isinstance(error, ServerError):
        return error.kind
    return type(error).__name__ if isinstance(error, LoadTestError) else f"agent: {type(error).__name__}"
