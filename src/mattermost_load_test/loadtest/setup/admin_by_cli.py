"""Making the system admin by the server's own command line, where the server has accounts and none of them is it."""

from __future__ import annotations

import hashlib
import secrets

from mattermost_load_test.config import ConnectionConfiguration
from mattermost_load_test.errors import AdminLoginError, ApiError, ServerHostError
from mattermost_load_test.loadtest.host.server_cli import ServerCli, open_server_cli
from mattermost_load_test.logs import Log
from mattermost_load_test.mattermost.rest import Client

THROWAWAY_BYTES = 15


def can_try(connection: ConnectionConfiguration) -> bool:
    """Say whether the configuration gives any way to the server's command line."""
    return connection.local_commands or bool(connection.ssh_hostname_port)


async def make_admin(client: Client, connection: ConnectionConfiguration, username: str, log: Log) -> None:
    """Make the admin with a password that is thrown away, then give it the configured one over REST.

    So the configured password never stands in a process list. Raises `ServerHostError` when there is no command line or
    it does not make the account, `AdminLoginError` when the server refuses the password.
    """
    throwaway = f"Aa1!{secrets.token_urlsafe(THROWAWAY_BYTES)}"
    async with open_server_cli(connection) as cli:
        command, username = await _created(cli, connection.admin_email, username, throwaway)
        log.info(
            "Made the system admin by the server's command line",
            command=command,
            email=connection.admin_email,
            username=username,
        )
        admin = await client.login(connection.admin_email, throwaway)
        try:
            await client.users.set_password(admin.id, throwaway, connection.admin_password)
        except ApiError as error:
            raise AdminLoginError(
                f"{connection.server_url} made {connection.admin_email} and refuses its password "
                f"({error.error_id}: {error.server_message}): the account has a random password now. Choose another "
                "AdminPassword and set it on the server's host: "
                f"`bin/mattermost user password {connection.admin_email} PASSWORD` (from 6.0: `mmctl --local user "
                f"change-password {username} --password PASSWORD`)"
            ) from error


async def _created(cli: ServerCli, email: str, username: str, password: str) -> tuple[str, str]:
    """Make the account, and return what was run and its username.

    Where it cannot have `username`, somebody with another address has it, an earlier AdminEmail say: the account gets a
    name of its own then, the same for the same address. Raises `ServerHostError` when it cannot be made so either.
    """
    try:
        return await cli.create_admin(email, username, password), username
    except ServerHostError:  # its words are in the language of the server: the second try tells what was the matter
        own = f"{username}-{hashlib.sha256(email.lower().encode()).hexdigest()[:8]}"
        return await cli.create_admin(email, own, password), own


def tried(error: ServerHostError) -> str:
    """Return what is to be said of a try that failed."""
    return f"; making it by the server's command line failed, too: {error}"
