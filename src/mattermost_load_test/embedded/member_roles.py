"""Giving roles to members of teams and channels."""

from __future__ import annotations

from collections.abc import Mapping

from mattermost_load_test.embedded import bodies
from mattermost_load_test.embedded.api_errors import ApiRefusal, invalid_body
from mattermost_load_test.embedded.call import Call
from mattermost_load_test.embedded.tables.channels import ChannelMember
from mattermost_load_test.embedded.tables.teams import TeamMember


def asked_for(call: Call, called: str = "roles") -> list[str]:
    """Return the names of the roles in the body; `called` is what the refusal calls them."""
    names = bodies.decode_text_map(call.body).get("roles", "").split()
    if not all(name.replace("_", "").isalnum() for name in names) or names == ["system_admin"]:
        raise invalid_body(called)
    return names


def give(
    call: Call, member: ChannelMember | TeamMember, names: list[str], by_kind: Mapping[str, str], where: str
) -> None:
    """Give a member these roles and no others.

    `by_kind` names the roles of guests, users and admins in this place; other roles of schemes are refused. `where` is
    how the server's errors begin.
    """
    known = call.state.roles.by_name
    own = set(by_kind.values())
    for name in names:
        if name not in known:
            details = f"resource: Role id: name={name}"
            raise ApiRefusal(400, "app.role.get_by_name.app_error", "Unable to get role.", details)
        if known[name].scheme_managed and name not in own:
            message = "The provided role is managed by a Scheme and therefore cannot be applied directly to a Member."
            raise ApiRefusal(400, f"{where}.scheme_role.app_error", message, f"role_name={name}")
    is_guest, is_user = by_kind["guest"] in names, by_kind["user"] in names
    if is_guest and is_user:
        message = "Invalid member update: A user must be a guest or a user but not both."
        raise ApiRefusal(400, f"{where}.guest_and_user.app_error", message)
    if is_guest != member.scheme_guest:
        message = "Invalid member update: You can't add or remove the guest role manually."
        raise ApiRefusal(400, f"{where}.changing_guest_role.app_error", message)
    member.scheme_user, member.scheme_admin = is_user, by_kind["admin"] in names
    member.explicit_roles = " ".join(name for name in names if name not in own)
