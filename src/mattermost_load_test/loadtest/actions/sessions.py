"""Logging in, and losing one's account for a moment."""

from __future__ import annotations

from mattermost_load_test.errors import ApiError, NothingToActOn
from mattermost_load_test.loadtest.user import User
from mattermost_load_test.loadtest.world import World
from mattermost_load_test.mattermost.rest import Client

BETWEEN_HALVES_S = 1.0
INACTIVE = "api.user.login.inactive.app_error"


async def open_session(client: Client, email: str, world: World) -> str:
    """Log in as the user of that e-mail address and return its id; `client` holds the token then.

    A user that an interrupted run left deactivated is activated first, by the admin. Raises `ApiError` when the server
    refuses, with `retry_after_s` when it asks for patience (429).
    """
    try:
        account = await client.login(email, world.password)
    except ApiError as refusal:
        if refusal.error_id != INACTIVE:
            raise
        deactivated = await world.admin.users.by_email(email)
        await world.admin.users.set_active(deactivated.id, True)
        account = await client.login(email, world.password)
    return account.id


async def log_in(user: User) -> None:
    """Log the user in, as `open_session` does."""
    _keep(user, await open_session(user.client, user.email, user.world))


async def renew_session(user: User) -> None:
    """Log in again after the server refused the session, unless the user is just now deactivated: it does so itself."""
    if user.present:
        with user.beside_actions():
            await _log_in(user)


async def _log_in(user: User) -> None:
    """Send the login alone."""
    _keep(user, (await user.client.login(user.email, user.world.password)).id)


def _keep(user: User, user_id: str) -> None:
    """Take note of the user's new session."""
    user.id = user_id
    user.world.logged_in(user)


async def deactivate_and_reactivate(user: User) -> None:
    """Have the admin deactivate the user and activate it a second later; it logs in again, for its session has died.

    Raises `NothingToActOn` on a server that would not take the user back.
    """
    if not user.world.abilities.deactivation:
        raise NothingToActOn("account that the server would take back")
    if user.present:  # else an earlier attempt ended halfway: take up its second half
        user.id = (await user.client.users.me()).id
        user.present = False
        await user.quiet()
        await user.world.admin.users.set_active(user.id, False)
        await user.pause(BETWEEN_HALVES_S)
    await user.world.admin.users.set_active(user.id, True)
    await _log_in(user)
    user.present = True
