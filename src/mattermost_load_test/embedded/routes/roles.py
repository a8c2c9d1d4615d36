"""Roles and schemes: reading them, and changing what a role may do."""

from __future__ import annotations

import re

from mattermost_load_test.embedded import api_errors, bodies
from mattermost_load_test.embedded.answers import Answer, json_answer
from mattermost_load_test.embedded.api_errors import ApiRefusal
from mattermost_load_test.embedded.call import Call
from mattermost_load_test.embedded.routing import Route
from mattermost_load_test.embedded.tables.roles import Role

ROLE_PATCH = {"permissions": bodies.texts}
"""What may be changed of a role."""

ROLE_NAME = re.compile(r"[a-z0-9_]{1,64}\Z")

GUESTS = frozenset(("system_guest", "team_guest", "channel_guest"))
SYSTEM_ADMINS_OWN = frozenset(("system_admin", "system_user_manager", "system_read_only_admin", "system_manager"))
"""Roles that only who manages the system may change."""

WITHOUT_LICENSE = frozenset(
    (
        "create_team",
        "manage_incoming_webhooks",
        "manage_outgoing_webhooks",
        "manage_slash_commands",
        "manage_oauth",
        "manage_system_wide_oauth",
        "create_emojis",
        "delete_emojis",
        "edit_others_posts",
    )
)
"""Permissions that an old server lets be given and taken without a licence."""

NEVER = frozenset(
    ("sysconsole_write_user_management_system_roles", "sysconsole_read_user_management_system_roles", "manage_roles")
)
"""Permissions that cannot be given or taken."""


def get_all_roles(call: Call) -> Answer:
    """List all roles."""
    call.need("manage_system")
    return json_answer([call.views.role(role) for role in call.state.roles.by_name.values()])


def get_role(call: Call) -> Answer:
    """Give one role."""
    return json_answer(call.views.role(_target(call)))


def get_role_by_name(call: Call) -> Answer:
    """Give the role of a name."""
    name = call.params["role_name"]
    role = call.state.roles.by_name.get(name)
    if role is None:
        raise api_errors.not_found("app.role.get_by_name.app_error", "Unable to get role.", "Role", f"name={name}")
    return json_answer(call.views.role(role))


def get_roles_by_names(call: Call) -> Answer:
    """Give those roles that there are of some names."""
    names = [name for name in call.texts("rolenames") if name.strip()]
    if not all(ROLE_NAME.match(name) for name in names):
        raise api_errors.invalid_body("rolename")
    by_name = call.state.roles.by_name
    return json_answer([call.views.role(by_name[name]) for name in dict.fromkeys(names) if name in by_name])


def patch_role(call: Call) -> Answer:
    """Change the permissions of a role."""
    role_id = call.id_param("role_id")
    given = call.json("role", ROLE_PATCH)
    role = _known(call, role_id)
    call.need(
        "manage_system" if role.name in SYSTEM_ADMINS_OWN else "sysconsole_write_user_management_permissions",
    )
    permissions: list[str] | None = given.get("permissions")
    modern = call.site.version.modern
    if permissions is not None:
        _check_change(call, role, set(permissions))
        permissions = list(dict.fromkeys(permissions))
        if modern:
            permissions.sort()
        if modern or permissions != role.permissions:
            role.permit(permissions)
            role.update_at = call.state.now_ms()
            call.site.publish(call.site.events.role_updated(call.views.role(role)))
    return json_answer(call.views.role(role))


def _check_change(call: Call, role: Role, wanted: set[str]) -> None:
    """Refuse a change that a server without a licence, or any server, does not make."""
    changed = wanted ^ role.allowed
    needs_license = role.name in GUESTS or (not call.site.version.modern and not changed <= WITHOUT_LICENSE)
    if needs_license and not call.state.licensed:
        message = "Your license does not support advanced permissions."
        raise ApiRefusal(501, "api.roles.patch_roles.license.error", message)
    if changed & NEVER:
        message = "One or more of the following permissions that you are trying to add or remove is not allowed"
        details = f"Cannot add or remove permission: {min(changed & NEVER)}"
        raise ApiRefusal(501, "api.roles.patch_roles.not_allowed_permission.error", message, details)


def _target(call: Call) -> Role:
    return _known(call, call.id_param("role_id"))


def _known(call: Call, role_id: str) -> Role:
    role = call.state.roles.by_id.get(role_id)
    if role is None:
        raise api_errors.not_found("app.role.get.app_error", "Unable to get role.", "Role", role_id)
    return role


ROUTES = (
    Route("GET", "/roles", get_all_roles, only="11.6"),
    Route("GET", "/roles/{role_id}", get_role),
    Route("GET", "/roles/name/{role_name}", get_role_by_name),
    Route("POST", "/roles/names", get_roles_by_names),
    Route("PUT", "/roles/{role_id}/patch", patch_role),
)
