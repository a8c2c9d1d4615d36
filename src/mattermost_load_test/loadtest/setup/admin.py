"""The first steps of a set-up: wait for the server, be its system admin, change its settings."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from mattermost_load_test.config import ConnectionConfiguration
from mattermost_load_test.errors import AdminLoginError, ApiError, ServerError, ServerHostError
from mattermost_load_test.loadtest.actions.sessions import INACTIVE
from mattermost_load_test.loadtest.clock import Clock
from mattermost_load_test.loadtest.logins.pace import DEFAULT_RETRY_S
from mattermost_load_test.loadtest.setup.admin_by_cli import can_try, make_admin, tried
from mattermost_load_test.loadtest.setup.kept_changes import Kept, KeptChanges
from mattermost_load_test.loadtest.setup.server_settings import Change, patch_of
from mattermost_load_test.logs import Log
from mattermost_load_test.mattermost.models import ServerStatus, User
from mattermost_load_test.mattermost.rest import Client

ADMIN_USERNAME = "ltadmin"
PINGS_IN_A_ROW = 5
PING_INTERVAL_S = 1.0
MAX_REFUSALS = 20  # of the admin's login by 429
LONGEST_WAIT_S = 600.0  # for a server that does not come up

_KNOWN_ACCOUNT = (INACTIVE, "api.user.check_user_login_attempts.too_many.app_error")
"""Refusals of a login which tell that the account exists."""

_REFUSALS = (400, 403, 501)  # of what a server does not let an admin change over its API


async def wait_for_server(client: Client, clock: Clock, log: Log) -> ServerStatus:
    """Return once the server has answered five pings in a row, a second apart; raises its error after ten minutes."""
    give_up_s = clock.now_s() + LONGEST_WAIT_S
    answered = 0
    told = False
    while True:
        try:
            status = await client.system.ping()
            answered += 1
            if answered == PINGS_IN_A_ROW:
                return status
        except ServerError as error:
            if clock.now_s() >= give_up_s:
                raise
            answered = 0
            if not told:
                log.info("The server does not answer yet; waiting for it", error=str(error))
                told = True
        await clock.sleep(PING_INTERVAL_S)


async def sign_in(client: Client, connection: ConnectionConfiguration, clock: Clock, log: Log) -> User:
    """Log `client` in as the system admin, who is created first where that can be done, and return the admin.

    On an empty server that is over REST, else by the server's command line. Raises `AdminLoginError` when the server
    has accounts but none like this, or this one is no system admin.
    """
    if await is_empty(client):
        await _create(client, connection, log)
    try:
        admin = await signed_in(client, connection, clock)
    except AdminLoginError as refusal:
        await _make_by_cli(client, connection, log, refusal)
        admin = await signed_in(client, connection, clock)
    log.info("Logged in as system admin", email=connection.admin_email, roles=admin.roles)
    return admin


async def _make_by_cli(client: Client, connection: ConnectionConfiguration, log: Log, refusal: AdminLoginError) -> None:
    """Make the admin by the server's command line; raises `AdminLoginError` where that cannot be done.

    That this host has no such program is nothing to tell: most agents run elsewhere.
    """
    unknown = isinstance(refusal.__cause__, ApiError) and refusal.__cause__.error_id not in _KNOWN_ACCOUNT
    if not unknown or not can_try(connection):
        raise refusal
    try:
        await make_admin(client, connection, ADMIN_USERNAME, log)
    except ServerHostError as error:
        if connection.local_commands and not await asyncio.to_thread(Path(connection.mattermost_install_dir).is_dir):
            raise refusal from error
        raise AdminLoginError(f"{refusal}{tried(error)}") from error


async def _create(client: Client, connection: ConnectionConfiguration, log: Log) -> None:
    """Make the first account; raises `AdminLoginError` when the server refuses it, for its password say."""
    try:
        await client.users.create(connection.admin_email, ADMIN_USERNAME, connection.admin_password)
    except ApiError as error:
        if error.status != 400:
            raise
        if not await is_empty(client):
            return  # another agent was quicker
        raise AdminLoginError(
            f"{connection.server_url} has no account yet and refuses {connection.admin_email} as its first "
            f"({error.error_id}: {error.server_message}). Choose another AdminPassword, or relax "
            "its PasswordSettings: the users of the load have plain passwords"
        ) from error
    log.info("Created the system admin: the server had no account yet", email=connection.admin_email)


async def is_empty(client: Client) -> bool:
    """Say whether the server has no account at all, so that the first one made becomes its system admin."""
    return (await client.system.client_config()).get("NoAccounts") == "true"


async def signed_in(client: Client, connection: ConnectionConfiguration, clock: Clock) -> User:
    """Log `client` in as the system admin that there is; raises `AdminLoginError` when the server does not take it."""
    try:
        admin = await when_let(lambda: client.login(connection.admin_email, connection.admin_password), clock)
    except ApiError as error:
        if error.status != 401:
            raise
        reason = "the password is wrong or there is no such account"
        raise AdminLoginError(_refusal(connection, reason)) from error
    if not admin.is_system_admin:
        raise AdminLoginError(_refusal(connection, "the account is no system admin"))
    return admin


async def when_let(login: Callable[[], Awaitable[User]], clock: Clock) -> User:
    """Log in, again and again while the server limits logins (429), as long after as it says."""
    for refusals in range(MAX_REFUSALS + 1):
        try:
            return await login()
        except ApiError as error:
            if error.status != 429 or refusals == MAX_REFUSALS:
                raise
            await clock.sleep(DEFAULT_RETRY_S if error.retry_after_s is None else error.retry_after_s)
    raise AssertionError  # the last refusal was raised


def _refusal(connection: ConnectionConfiguration, reason: str) -> str:
    """Return what a person can do about an admin that the server does not take."""
    make = f"user create --email {connection.admin_email} --username {ADMIN_USERNAME} --password PASSWORD"
    return (
        f"{connection.server_url} does not take {connection.admin_email} as system admin: {reason}. Put a system "
        "admin of this server into ConnectionConfiguration.AdminEmail and AdminPassword (or the environment variable "
        "MMLOADTEST_CONNECTIONCONFIGURATION_ADMINPASSWORD), or make this one on the server's host: "
        f"`mmctl --local {make} --system-admin` (before 6.0: `bin/mattermost {make} --system_admin`)"
    )


async def change_settings(
    client: Client, log: Log, changes: Sequence[Change], kept: KeptChanges | None = None
) -> tuple[Change, ...]:
    """Make `changes` to the server's settings, each logged old → new, and return those that it did not take.

    Those that it takes are in `kept`, from before they are made. A configuration that is read-only over the API is no
    error here: it is told, and the run shows what comes of it.
    """
    if not changes:
        return ()
    if kept is not None:
        await kept.keep(changes)
    try:
        config = await client.system.patch_config(patch_of(changes))
    except ApiError as error:
        if error.status not in _REFUSALS:
            raise
        log.warn("The server's settings cannot be changed over its API; change them by hand", error=str(error))
        config = await client.system.config()
    refused = tuple(change for change in changes if not change.made_in(config))
    if kept is not None and refused:
        await kept.forget(Kept(refused))
    for change in changes:
        if change in refused:
            log.warn(f"The server keeps {change.name} at {change.old}; {change.new} is wanted")
        else:
            log.info(f"Changed {change.name}: {change.old} → {change.new}")
    return refused
