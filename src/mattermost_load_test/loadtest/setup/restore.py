"""`loadtest restore`: puts the settings and roles back that set-up changed on a server. What it loaded stays."""

from __future__ import annotations

from mattermost_load_test.config import Configuration
from mattermost_load_test.errors import ApiError, OperationError
from mattermost_load_test.loadtest.clock import LoopClock
from mattermost_load_test.loadtest.setup.admin import change_settings, signed_in
from mattermost_load_test.loadtest.setup.kept_changes import Kept, KeptChanges, Permission
from mattermost_load_test.loadtest.setup.server_settings import Change
from mattermost_load_test.logs import Log
from mattermost_load_test.mattermost.opening import open_transport
from mattermost_load_test.mattermost.rest import Client


async def restore(configuration: Configuration, log: Log) -> int:
    """Put back what is kept of the changes on the configured server, each said, and return how many changes there were.

    What somebody changed since is left as it is, and said. Raises `OperationError` when the server does not take
    something back: that stays kept. Raises `ServerError` and `AdminLoginError`, too.
    """
    async with open_transport(configuration.connection) as transport:
        admin = Client(transport, server=transport.server)
        account = await signed_in(admin, configuration.connection, LoopClock())
        changes = KeptChanges(admin, account.id)
        kept = await changes.read()
        stuck = [*await _restore_settings(admin, kept, changes, log), *await _restore_roles(admin, kept, changes, log)]
    if stuck:
        raise OperationError(
            f"{transport.server} does not take back {', '.join(stuck)}; change it by hand, then run this again"
        )
    return len(kept.settings) + len(kept.permissions)


async def _restore_settings(admin: Client, kept: Kept, changes: KeptChanges, log: Log) -> list[str]:
    """Put settings back and forget them; return the names of those that the server keeps."""
    config = await admin.system.config()
    back = []
    for change in kept.settings:
        now = config.get(change.section, {}).get(change.key)
        if now == change.new:
            back.append(Change(change.section, change.key, now, change.old))
        elif now != change.old:
            log.warn(f"{change.name} is {now} by now, not {change.new}: it is left so, and was {change.old}")
    refused = {change.name for change in await change_settings(admin, log, back)}
    await changes.forget(Kept(tuple(change for change in kept.settings if change.name not in refused)))
    return sorted(refused)


async def _restore_roles(admin: Client, kept: Kept, changes: KeptChanges, log: Log) -> list[str]:
    """Take permissions away again and forget them; return those that the server does not let go."""
    if not kept.permissions:
        return []
    roles = {role.name: role for role in await admin.roles.by_names(sorted({each.role for each in kept.permissions}))}
    stuck, done = [], []
    for given in kept.permissions:
        role = roles.get(given.role)
        if role is not None and given.permission in role.permissions:
            try:
                rest = [permission for permission in role.permissions if permission != given.permission]
                roles[given.role] = await admin.roles.set_permissions(role.id, rest)
            except ApiError as error:
                log.warn(f"{given.permission} cannot be taken from the role {given.role}", error=str(error))
                stuck.append(_named(given))
                continue
            log.info(f"Took {given.permission} from the role {given.role}")
        done.append(given)
    await changes.forget(Kept(permissions=tuple(done)))
    return stuck


def _named(given: Permission) -> str:
    """Return how a message names a permission of a role."""
    return f"{given.permission} of the role {given.role}"
