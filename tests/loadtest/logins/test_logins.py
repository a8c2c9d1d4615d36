"""The login phase: how many at once, how fast, what 429 does to it, and that nobody takes another's place."""

from __future__ import annotations

import asyncio

import pytest

from mattermost_load_test.errors import ApiError, ServerError
from mattermost_load_test.loadtest.clock import Clock
from mattermost_load_test.loadtest.logins import pace
from mattermost_load_test.loadtest.logins.pace import LoginPace, Logins

ROUTE = "POST /users/login"


class Door:
    """A server's login: takes `duration_s`, remembers who came when and how many were inside at once."""

    def __init__(self, clock: Clock, duration_s: float = 0.1) -> None:
        self.came: list[tuple[float, int]] = []
        self.most_inside = 0
        self.answers: dict[int, list[ServerError]] = {}
        self.told: list[tuple[int, int, int]] = []
        self.failed: list[int] = []
        self._clock = clock
        self._duration_s = duration_s
        self._inside = 0

    async def log_in(self, user: int) -> None:
        """Take a login, and answer what is prepared for the user, success at last."""
        self.came.append((round(self._clock.now_s() - 1000.0, 3), user))
        self._inside += 1
        self.most_inside = max(self.most_inside, self._inside)
        await self._clock.sleep(self._duration_s)
        self._inside -= 1
        if self.answers.get(user):
            raise self.answers[user].pop(0)

    def phase(self, pace: LoginPace) -> Logins:
        """Return a login phase at this door."""
        return Logins(
            self.log_in,
            pace,
            self._clock,
            failed=lambda user, error: self.failed.append(user),
            progress=lambda done, failed, wanted: self.told.append((done, failed, wanted)),
        )


async def finished(work: asyncio.Task[frozenset[int]], clock: Clock, limit_s: float = 1000.0) -> frozenset[int]:
    """Move the clock until `work` is done."""
    advanced_s = 0.0
    while not work.done() and advanced_s < limit_s:
        await clock.advance(0.05)
        advanced_s += 0.05
    assert work.done()
    return await work


async def test_at_most_so_many_are_in_flight(clock: Clock) -> None:
    """Without a fixed rate the server's pace decides: never more than eight inside, nobody twice or left out."""
    door = Door(clock)
    failed = await finished(asyncio.create_task(door.phase(LoginPace(8)).run(range(50))), clock)
    assert failed == frozenset()
    assert door.most_inside == 8
    assert sorted(user for _, user in door.came) == list(range(50))
    assert door.told[-1] == (50, 0, 50)


async def test_a_fixed_rate_does_not_wait_for_answers(clock: Clock) -> None:
    """With a rate of 4/s a login begins every quarter of a second, however long each takes."""
    door = Door(clock, duration_s=3.0)
    await finished(asyncio.create_task(door.phase(LoginPace(8, per_second=4.0)).run(range(12))), clock)
    assert [moment for moment, _ in door.came] == pytest.approx([0.25 * turn for turn in range(12)])
    assert door.most_inside == 12


async def test_a_429_holds_all_logins_for_as_long_as_asked(clock: Clock) -> None:
    """After a Retry-After of 5 s nobody comes for 5 s; the one refused comes again and is no failure."""
    door = Door(clock)
    door.answers[3] = [ApiError(ROUTE, 429, retry_after_s=5.0)]
    failed = await finished(asyncio.create_task(door.phase(LoginPace(4)).run(range(20))), clock)
    assert failed == frozenset()
    assert door.failed == []
    moments = [moment for moment, _ in door.came]
    assert not [moment for moment in moments if 0.15 < moment < 5.1 - 1e-6]
    assert sum(user == 3 for _, user in door.came) == 2
    after = [moment for moment in moments if moment >= 5.0]
    assert max(after.count(moment) for moment in after) == 2  # half as many at once as before


async def test_a_server_that_refuses_for_ever_is_given_up(clock: Clock) -> None:
    """The number of refusals of one login is bounded."""
    door = Door(clock, duration_s=0.0)
    door.answers[0] = [ApiError(ROUTE, 429, retry_after_s=0.0) for _ in range(pace.MAX_REFUSALS + 1)]
    assert await finished(asyncio.create_task(door.phase(LoginPace(1)).run([0])), clock) == frozenset({0})
    assert len(door.came) == pace.MAX_REFUSALS + 1


async def test_a_failed_login_shifts_nobody(clock: Clock) -> None:
    """The user that failed is named; every other logged in under its own number."""
    door = Door(clock)
    door.answers[7] = [ApiError(ROUTE, 401, "api.user.login.invalid_credentials_email_username")]
    failed = await finished(asyncio.create_task(door.phase(LoginPace(3)).run(range(5, 15))), clock)
    assert failed == frozenset({7})
    assert door.failed == [7]
    assert sorted(user for _, user in door.came) == list(range(5, 15))


async def test_cancelling_the_phase_ends_every_login(clock: Clock) -> None:
    """An interrupted phase leaves no login behind."""
    door = Door(clock, duration_s=60.0)
    phase = asyncio.create_task(door.phase(LoginPace(8)).run(range(50)))
    await clock.advance(1.0)
    phase.cancel()
    with pytest.raises(asyncio.CancelledError):
        await phase
    assert len(door.came) == 8
