"""Users with their teams, websockets, statuses and accounts."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from mattermost_load_test.embedded.faults import Fixed
from mattermost_load_test.errors import ApiError, NothingToActOn
from mattermost_load_test.loadtest.actions import sessions, sockets, statuses, teams
from mattermost_load_test.loadtest.world import Abilities
from mattermost_load_test.mattermost.rest import Client

ACTIVE = "PUT /users/[user id]/active"


async def test_team_unreads(ground: Any, version: str) -> None:
    """One request."""
    async with ground(version) as made:
        await teams.team_unreads(await made.user())
        assert made.overheard.routes == ["GET /users/me/teams/unread"]


async def test_a_dropped_websocket_comes_back(ground: Any, version: str) -> None:
    """The connection is cut, and the event stream connects once more."""
    async with ground(version) as made, asyncio.TaskGroup() as tasks:
        user = await made.user()
        streaming = tasks.create_task(user.events.run())
        await made.eventually(lambda: user.events.counters.events > 0)
        await sockets.drop_websocket(user)
        await made.eventually(lambda: user.events.counters.reconnects == 1 and user.events.connected)
        streaming.cancel()


async def test_after_a_connection_plugins_are_asked_for(ground: Any, version: str) -> None:
    """One request."""
    async with ground(version) as made:
        await sockets.ask_for_plugins(await made.user())
        assert made.overheard.routes == ["GET /plugins/webapp"]


async def test_status_polling_follows_the_members_of_one_channel(ground: Any, version: str) -> None:
    """Members are asked for the first time only; then the statuses of the same users again and again."""
    async with ground(version) as made:
        user = await made.user()
        for _ in range(3):
            await statuses.poll_statuses(user)
        assert made.overheard.routes == ["GET /channels/[channel id]/members", *["POST /users/status/ids"] * 3]
        first, second, third = made.overheard.bodies
        assert len(first) == 5  # four users, and the admin who made the channel
        assert first == second == third


async def test_a_deactivated_user_polls_nothing(ground: Any) -> None:
    """While the account is away its client is, too."""
    async with ground() as made:
        user = await made.user()
        user.present = False
        await statuses.poll_statuses(user)
        assert made.overheard.routes == []


async def test_leaving_a_team_and_joining_it_again(ground: Any, version: str) -> None:
    """A second lies between the halves; the user is in the team again, but in its channels no more, and knows it."""
    async with ground(version) as made:
        user = await made.user()
        await teams.leave_and_join_team(user)
        assert made.overheard.routes == [
            "GET /users/me",
            "GET /teams/[team id]",
            "DELETE /teams/[team id]/members/[user id]",
            "POST /teams/members/invite",
        ]
        assert made.clock.slept_s == [1.0]
        assert [team.name for team in await user.client.teams.mine()] == [user.team().name]
        with pytest.raises(NothingToActOn):
            user.place()


async def test_a_deactivated_user_comes_back(ground: Any, version: str) -> None:
    """The admin deactivates and activates it, a second apart; then the user logs in and its new session works."""
    async with ground(version) as made:
        user = await made.user()
        dead = user.client.token
        await sessions.deactivate_and_reactivate(user)
        assert made.overheard.routes == ["GET /users/me", ACTIVE, ACTIVE, "POST /users/login"]
        assert made.clock.slept_s == [1.0]
        assert user.present
        await teams.team_unreads(user)
        with pytest.raises(ApiError) as refused:
            await Client(made.overheard, dead).users.me()
        assert refused.value.status == 401


async def test_a_deactivation_that_failed_halfway_is_finished_the_next_time(ground: Any, clock: Any) -> None:
    """When the second half fails the user stays away; its next attempt begins with that half."""
    async with ground(clock=clock) as made:
        user = await made.user()
        deactivating = asyncio.create_task(sessions.deactivate_and_reactivate(user))
        await made.eventually(lambda: clock.pending == 1)
        await made.server.faults.turn(error_rate=1.0)
        await clock.advance(1.0)
        with pytest.raises(ApiError):
            await deactivating
        assert not user.present
        await made.server.faults.turn(error_rate=0.0)
        made.overheard.forget()
        await sessions.deactivate_and_reactivate(user)
        assert made.overheard.routes == [ACTIVE, "POST /users/login"]
        assert user.present


async def test_deactivation_lets_what_is_under_way_end(ground: Any) -> None:
    """A status poll that has begun ends before the account is deactivated, so that its session still holds."""
    async with ground() as made:
        user = await made.user()
        await made.server.faults.turn(latency=Fixed(50))
        polling = asyncio.create_task(statuses.poll_statuses(user))
        await made.eventually(lambda: bool(made.overheard.requests))
        await sessions.deactivate_and_reactivate(user)
        await polling
        routes = made.overheard.routes
        assert routes.index("POST /users/status/ids") < routes.index(ACTIVE)
        assert {answer.status for answer in made.overheard.answers} == {200}


async def test_a_session_is_not_renewed_while_the_user_is_deactivated(ground: Any) -> None:
    """The websocket that asks for a new session meanwhile gets none: the action itself logs in when it can."""
    async with ground() as made:
        user = await made.user()
        user.present = False
        await sessions.renew_session(user)
        assert made.overheard.routes == []
        user.present = True
        await sessions.renew_session(user)
        assert made.overheard.routes == ["POST /users/login"]


async def test_nobody_is_deactivated_whom_the_server_would_not_take_back(ground: Any) -> None:
    """Above the user limit of a server without a licence the action is skipped."""
    async with ground() as made:
        user = await made.user(abilities=Abilities(deactivation=False))
        with pytest.raises(NothingToActOn):
            await sessions.deactivate_and_reactivate(user)
        assert made.overheard.routes == []


async def test_a_user_left_deactivated_is_activated_at_its_login(ground: Any, version: str) -> None:
    """What an interrupted run left behind does not keep the next one from logging in."""
    async with ground(version) as made:
        user = await made.user()
        await made.admin.users.set_active(user.id, False)
        await sessions.log_in(user)
        assert made.overheard.routes == ["POST /users/login", "GET /users/email/[email]", ACTIVE, "POST /users/login"]
        await teams.team_unreads(user)


async def test_a_login_that_is_refused_is_told_and_not_tried_again(ground: Any) -> None:
    """A refusal for another reason than deactivation ends the login."""
    async with ground() as made:
        user = await made.user()
        user.email = "success+nobody@simulator.amazonses.com"
        with pytest.raises(ApiError) as refused:
            await sessions.log_in(user)
        assert refused.value.status == 401
        assert made.overheard.routes == ["POST /users/login"]


async def test_a_renewal_leaves_the_session_to_others_meanwhile(ground: Any) -> None:
    """While the websocket has the user logged in again, its other requests go on with the session that there is."""
    async with ground() as made:
        user = await made.user()
        await made.server.faults.turn(latency=Fixed(50))
        renewing = asyncio.create_task(sessions.renew_session(user))
        await made.eventually(lambda: bool(made.overheard.requests))
        await teams.team_unreads(user)
        await renewing
        assert {answer.status for answer in made.overheard.answers} == {200}
        login, unreads = made.overheard.requests
        assert "Authorization" not in login.headers
        assert "Authorization" in unreads.headers
