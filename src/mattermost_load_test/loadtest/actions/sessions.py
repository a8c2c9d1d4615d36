"""Logging in, and losing one's account for a moment."""

from __future__ import annotations

from mattermost_load_test.errors import ApiError, NothingToActOn
from mattermost_load_test.loadtest.user import User

BETWEEN_HALVES_S = 1.0
INACTIVE = "api.user.login.inactive.app_error"


async def log_in(user: User) -> None:
    """Log the user in; one that an interrupted run left deactivated is activated first, by the admin.

    Raises `ApiError` when the server refuses, with `retry_after_s` when it asks for patience (429).
    """
    try:
        await _log_in(user)
    except ApiError as refusal:
        if refusal.error_id != INACTIVE:
            raise
        account = await user.world.admin.users.by_email(user.email)
        await user.world.admin.users.set_active(account.id, True)
        await _log_in(user)


async def renew_session(user: User) -> None:
    """Log in again after the server refused the session, unless the user is just now deactivated: it does so itself."""
    if user.present:
        await _log_in(user)


async def _log_in(user: User) -> None:
    """Send the login alone."""
    user.id = (await user.client.login(user.email, user.world.password)).id


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
