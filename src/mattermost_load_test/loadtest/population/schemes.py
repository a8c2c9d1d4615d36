"""The permission schemes of the population, as they stand in an import file.

The permissions are those of the server's default roles of 2018, as the original's import file gives them.
"""

from __future__ import annotations

from typing import Any

_TEAM_ADMIN = [
    "edit_others_posts",
    "remove_user_from_team",
    "manage_team",
    "import_team",
    "manage_team_roles",
    "manage_channel_roles",
    "manage_others_webhooks",
    "manage_slash_commands",
    "manage_others_slash_commands",
    "manage_webhooks",
    "delete_post",
    "delete_others_posts",
]
_TEAM_USER = [
    "list_team_channels",
    "join_public_channels",
    "read_public_channel",
    "view_team",
    "create_public_channel",
    "manage_public_channel_properties",
    "delete_public_channel",
    "create_private_channel",
    "manage_private_channel_properties",
    "delete_private_channel",
    "invite_user",
    "add_user_to_team",
]
_CHANNEL_ADMIN = ["manage_channel_roles"]
_CHANNEL_USER = [
    "read_channel",
    "add_reaction",
    "remove_reaction",
    "manage_public_channel_members",
    "upload_file",
    "get_public_link",
    "create_post",
    "use_slash_commands",
    "manage_private_channel_members",
    "delete_post",
    "edit_post",
]


def team_scheme_name(number: int) -> str:
    """Return the name of a scheme for teams."""
    return f"loadtestteamscheme{number}"


def channel_scheme_name(number: int) -> str:
    """Return the name of a scheme for channels."""
    return f"loadtestchannelscheme{number}"


def team_scheme(number: int) -> dict[str, Any]:
    """Return a scheme for teams: the roles of admins and users in a team and in its channels."""
    roles = {
        "default_team_admin_role": ("tsta", "DTA", _TEAM_ADMIN),
        "default_team_user_role": ("tstu", "DTU", _TEAM_USER),
        "default_channel_admin_role": ("tsca", "DCA", _CHANNEL_ADMIN),
        "default_channel_user_role": ("tscu", "DCU", _CHANNEL_USER),
    }
    return _scheme(team_scheme_name(number), f"Loadtest Team Scheme {number}", "team", number, roles)


def channel_scheme(number: int) -> dict[str, Any]:
    """Return a scheme for channels: the roles of admins and users in a channel."""
    roles = {
        "default_channel_admin_role": ("csca", "DCA", _CHANNEL_ADMIN),
        "default_channel_user_role": ("cscu", "DCU", _CHANNEL_USER),
    }
    return _scheme(channel_scheme_name(number), f"Loadtest Channel Scheme {number}", "channel", number, roles)


def _scheme(
    name: str, display_name: str, scope: str, number: int, roles: dict[str, tuple[str, str, list[str]]]
) -> dict[str, Any]:
    """Return a scheme; `roles` are by their key: the abbreviations in name and display name, and the permissions."""
    scheme: dict[str, Any] = {"name": name, "display_name": display_name, "description": "", "scope": scope}
    for key, (short, shown, permissions) in roles.items():
        scheme[key] = {
            "name": f"loadtest_{short}_role_{number}",
            "display_name": f"Loadtest {scope.capitalize()} Scheme {shown} Role {number}",
            "description": "",
            "permissions": permissions,
        }
    return scheme
