"""The login phase: every user logs in before the clock starts, at a pace that the server can take.

A login is the dearest call there is (password hashing). Without a fixed rate a few are in flight at a time, which fits
itself to the server; a 429 holds all logins for as long as the server asks, and halves their number in flight.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field

from mattermost_load_test.errors import ApiError, ServerError
from mattermost_load_test.loadtest.clock import Clock

MAX_REFUSALS = 100  # of one login by 429, before it counts as failed
DEFAULT_RETRY_S = 1.0  # to wait after a 429 that does not say how long
MOST_AT_FIXED_RATE = 1000  # in flight at once when a fixed rate is set and the server falls behind


@dataclass(frozen=True, slots=True)
class LoginPace:
    """At most `in_flight` at once, or `per_second` of them where that is above 0."""

    in_flight: int = 8
    per_second: float = 0.0


class Logins:
    """The logins of one agent. `log_in` is given a user's number and raises `ServerError` when it fails.

    `failed` is told every user that could not log in, `progress` the numbers done, failed and wanted after each one.
    """

    def __init__(
        self,
        log_in: Callable[[int], Awaitable[None]],
        pace: LoginPace,
        clock: Clock,
        *,
        failed: Callable[[int, ServerError], object],
        progress: Callable[[int, int, int], object],
    ) -> None:
        self._log_in = log_in
        self._pace = pace
        self._clock = clock
        self._tell_failed = failed
        self._tell_progress = progress

    async def run(self, users: Sequence[int]) -> frozenset[int]:
        """Log in the users with these numbers and return those that failed: no other takes their place."""
        phase = _Phase(iter(users), len(users))
        width = min(len(users), MOST_AT_FIXED_RATE if self._pace.per_second > 0 else self._pace.in_flight)
        gate = _Gate(self._clock, self._pace.per_second, width)
        async with asyncio.TaskGroup() as tasks:
            for _ in range(width):
                tasks.create_task(self._take_turns(phase, gate))
        return frozenset(phase.failed)

    async def _take_turns(self, phase: _Phase, gate: _Gate) -> None:
        """Log in one user after the other until there are no more."""
        for user in phase.turns:
            try:
                await self._until_taken(user, gate)
            except ServerError as error:
                phase.failed.add(user)
                self._tell_failed(user, error)
            phase.done += 1
            self._tell_progress(phase.done, len(phase.failed), phase.wanted)

    async def _until_taken(self, user: int, gate: _Gate) -> None:
        """Log in `user`, again and again while the server asks to wait; raises `ServerError`."""
        for refusals in range(MAX_REFUSALS + 1):
            async with gate:
                try:
                    await self._log_in(user)
                except ApiError as error:
                    if error.status != 429 or refusals == MAX_REFUSALS:
                        raise
                    gate.hold(DEFAULT_RETRY_S if error.retry_after_s is None else error.retry_after_s)
                else:
                    return


@dataclass(slots=True)
class _Phase:
    """How far the logins are; the workers take their users from the same `turns`."""

    turns: Iterator[int]
    wanted: int
    done: int = 0
    failed: set[int] = field(default_factory=set)


class _Gate:
    """Lets logins pass: so many at once, so many a second, none while the server asked to wait."""

    def __init__(self, clock: Clock, per_second: float, width: int) -> None:
        self._clock = clock
        self._interval_s = 1.0 / per_second if per_second > 0 else 0.0
        self._width = width
        self._inside = 0
        self._next_s = clock.now_s()
        self._room = asyncio.Condition()

    async def __aenter__(self) -> None:
        """Wait for a place, and for the moment."""
        async with self._room:
            await self._room.wait_for(lambda: self._inside < self._width)
            self._inside += 1
        now_s = self._clock.now_s()
        due_s = max(self._next_s, now_s)
        self._next_s = due_s + self._interval_s
        if due_s > now_s:
            await self._clock.sleep(due_s - now_s)

    async def __aexit__(self, *_: object) -> None:
        """Leave the place to another."""
        async with self._room:
            self._inside -= 1
            self._room.notify()

    def hold(self, wait_s: float) -> None:
        """Let nobody pass for `wait_s`, and half as many at once from then on."""
        self._next_s = max(self._next_s, self._clock.now_s() + wait_s)
        self._width = max(1, self._width // 2)
