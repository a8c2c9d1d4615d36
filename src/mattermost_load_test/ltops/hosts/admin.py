"""The system admin of a server that was just deployed: there afterwards, or said how to get one."""

from __future__ import annotations

import asyncio
import hashlib
import shlex

from mattermost_load_test.config import ConnectionConfiguration
from mattermost_load_test.errors import AdminLoginError, ApiError, ServerError
from mattermost_load_test.ltops.roles.app_host import CURRENT
from mattermost_load_test.mattermost.opening import open_transport
from mattermost_load_test.mattermost.rest import Client
from mattermost_load_test.mattermost.transport import TransportOptions

USERNAME = "ltadmin"
_TIMEOUT_S = 15.0


def admin_exists(url: str, connection: ConnectionConfiguration) -> bool:
    """Say whether the admin of a configuration can log in on a server."""
    try:
        return bool(asyncio.run(_is_admin(url, connection, make=False)))
    except ServerError:
        return False


def make_admin(url: str, connection: ConnectionConfiguration, cluster_name: str) -> None:
    """Make the admin of a configuration, as the first account of a server, unless it is there.

    Raises `AdminLoginError`, with the commands that help, where others have accounts there already, `ServerError`.
    """
    is_admin = asyncio.run(_is_admin(url, connection, make=True))
    if is_admin:
        return
    email = connection.admin_email
    username = f"{USERNAME}-{hashlib.sha256(email.lower().encode()).hexdigest()[:8]}"  # the other name may be taken
    mmctl = f"ltops ssh app -c {cluster_name} -- sudo {CURRENT}/bin/mmctl --local"
    who = shlex.quote(email)
    if is_admin is None:
        raise AdminLoginError(
            f"{url} has accounts already, and does not let in {email} by ConnectionConfiguration.AdminPassword. Name a "
            "system admin that it has by AdminEmail and AdminPassword in loadtestconfig.json; or make this one, "
            f"AdminPassword being PASSWORD, by `{mmctl} user create --email {who} --username {username} --password "
            "PASSWORD --system-admin`; or, where that says that it exists, give it this password by "
            f"`{mmctl} user change-password {who} --password PASSWORD`"
        )
    raise AdminLoginError(
        f"{email} is no system admin on {url}: make it one by `{mmctl} roles system_admin {who}`, or name one by "
        "ConnectionConfiguration.AdminEmail and AdminPassword in loadtestconfig.json"
    )


async def _is_admin(url: str, connection: ConnectionConfiguration, *, make: bool) -> bool | None:
    """Log in, having made the account where there is none yet, and say whether it is a system admin; None: refused."""
    async with open_transport(TransportOptions(url, request_timeout_s=_TIMEOUT_S)) as transport:
        client = Client(transport, server=transport.server)
        if make and (await client.system.client_config()).get("NoAccounts") == "true":
            await client.users.create(connection.admin_email, USERNAME, connection.admin_password)
        try:
            admin = await client.login(connection.admin_email, connection.admin_password)
        except ApiError as error:
            if error.status != 401:
                raise
            return None
        await client.logout()
        return admin.is_system_admin
