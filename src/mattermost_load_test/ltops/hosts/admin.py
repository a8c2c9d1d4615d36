"""The system admin of a server that was just deployed: there afterwards, whatever was there before."""

from __future__ import annotations

import asyncio

from mattermost_load_test.config import ConnectionConfiguration
from mattermost_load_test.errors import AdminLoginError, ApiError, ServerError
from mattermost_load_test.mattermost.opening import open_transport
from mattermost_load_test.mattermost.rest import Client
from mattermost_load_test.mattermost.transport import TransportOptions

USERNAME = "ltadmin"
_TIMEOUT_S = 15.0


def admin_exists(url: str, connection: ConnectionConfiguration) -> bool:
    """Say whether the admin of a configuration can log in on a server."""
    try:
        return asyncio.run(_logged_in(url, connection, make=False))
    except ServerError:
        return False


def make_admin(url: str, connection: ConnectionConfiguration) -> None:
    """Make the admin of a configuration, as the first account of a server, unless it is there; raises `ServerError`."""
    if not asyncio.run(_logged_in(url, connection, make=True)):
        raise AdminLoginError(
            f"{url} has accounts, but {connection.admin_email} is no system admin of it: put one into "
            "ConnectionConfiguration.AdminEmail and AdminPassword of loadtestconfig.json, or make this one on the host "
            f"(`ltops ssh app`): `mmctl --local user create --email {connection.admin_email} --username {USERNAME} "
            "--password PASSWORD --system-admin`"
        )


async def _logged_in(url: str, connection: ConnectionConfiguration, *, make: bool) -> bool:
    """Log in, having made the account where that can be done, and say whether it is a system admin."""
    async with open_transport(TransportOptions(url, request_timeout_s=_TIMEOUT_S)) as transport:
        client = Client(transport, server=transport.server)
        if make and (await client.system.client_config()).get("NoAccounts") == "true":
            await client.users.create(connection.admin_email, USERNAME, connection.admin_password)
        try:
            admin = await client.login(connection.admin_email, connection.admin_password)
        except ApiError as error:
            if error.status != 401:
                raise
            return False
        await client.logout()
        return admin.is_system_admin
