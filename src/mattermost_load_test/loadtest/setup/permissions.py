"""What users must be allowed for the load, and are not by default: to create incoming webhooks in their teams.

The permission's name differs by version. In a team with a scheme of its own it is the scheme's role that counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mattermost_load_test.errors import ApiError
from mattermost_load_test.loadtest.population.schemes import team_scheme_name
from mattermost_load_test.loadtest.setup.inventory import all_pages
from mattermost_load_test.loadtest.setup.kept_changes import Kept, KeptChanges, Permission
from mattermost_load_test.logs import Log
from mattermost_load_test.mattermost.models import Role
from mattermost_load_test.mattermost.rest import Client

HOOK_PERMISSIONS = ("manage_own_incoming_webhooks", "manage_incoming_webhooks")  # as on 11.6, and as on 5.37
TEAM_ROLE = "team_user"
ADMIN_ROLE = "system_admin"


@dataclass(frozen=True, slots=True)
class Grant:
    """A permission that a role lacks."""

    role: Role
    permission: str


async def grants_needed(admin: Client, team_schemes: int) -> tuple[Grant, ...]:
    """Return what the members of teams must be given, in teams with one of the population's schemes too."""
    names = [TEAM_ROLE, ADMIN_ROLE, *await _scheme_roles(admin, team_schemes)]
    roles = {role.name: role for role in await admin.roles.by_names(names)}
    known = roles.pop(ADMIN_ROLE).permissions if ADMIN_ROLE in roles else ()  # an admin has every permission there is
    permission = next((name for name in HOOK_PERMISSIONS if name in known), HOOK_PERMISSIONS[-1])
    return tuple(Grant(role, permission) for role in roles.values() if permission not in role.permissions)


async def _scheme_roles(admin: Client, team_schemes: int) -> list[str]:
    """Return the names of the roles that the population's team schemes give members; none where none can be had."""
    if not team_schemes:
        return []
    ours = {team_scheme_name(number) for number in range(team_schemes)}
    try:
        found = await all_pages(admin.schemes.page)
    except ApiError as error:
        if error.status not in (403, 404, 501):
            raise
        return []
    return [scheme.team_user_role for scheme in found if scheme.name in ours and scheme.team_user_role]


async def give(admin: Client, grants: Sequence[Grant], log: Log, kept: KeptChanges) -> tuple[Grant, ...]:
    """Give the roles what they lack, each said and kept, and return what the server refused to give."""
    refused = []
    for grant in grants:
        given = Permission(grant.role.name, grant.permission)
        await kept.keep_permission(given)
        try:
            await admin.roles.set_permissions(grant.role.id, [*grant.role.permissions, grant.permission])
        except ApiError as error:
            await kept.forget(Kept(permissions=(given,)))
            log.warn(f"The role {grant.role.name} cannot be given {grant.permission}", error=str(error))
            refused.append(grant)
        else:
            log.info(f"Gave the role {grant.role.name} {grant.permission}, which webhook entities need")
    return tuple(refused)
