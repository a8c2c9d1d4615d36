"""Who may do what: the permissions of roles, in the system, in teams and in channels."""

from __future__ import annotations

from collections.abc import Mapping

from mattermost_load_test.embedded.state import State
from mattermost_load_test.embedded.tables.channels import Channel, ChannelMember
from mattermost_load_test.embedded.tables.roles import Role
from mattermost_load_test.embedded.tables.teams import TeamMember

MODERATED = frozenset(
    (
        "create_post",
        "add_reaction",
        "remove_reaction",
        "manage_public_channel_members",
        "manage_private_channel_members",
        "use_channel_mentions",
    )
)
"""Permissions that a channel's scheme can take away; the others always follow from the team's scheme or the system."""


class Permissions:
    """Answers whether a user may do something, from the roles the user has there."""

    def __init__(self, state: State) -> None:
        self._state = state

    def in_system(self, user_id: str, permission: str) -> bool:
        """Tell whether the user's system roles have the permission."""
        user = self._state.users.by_id.get(user_id)
        return user is not None and self._state.roles.allows(user.roles.split(), permission)

    def in_team(self, user_id: str, team_id: str, permission: str) -> bool:
        """Tell whether the user has the permission in a team, as its member or by system role."""
        member = self._state.teams.member(team_id, user_id)
        if member is not None and self._state.roles.allows(self.team_roles(member), permission):
            return True
        return bool(team_id) and self.in_system(user_id, permission)

    def in_channel(self, user_id: str, channel_id: str, permission: str) -> bool:
        """Tell whether the user has the permission in a channel, as its member, in its team or by system role."""
        channel = self._state.channels.by_id.get(channel_id)
        if channel is None:
            return False
        member = self._state.channels.member(channel_id, user_id)
        if member is not None and self._member_may(channel, member, permission):
            return True
        if channel.team_id:
            return self.in_team(user_id, channel.team_id, permission)
        return self.in_system(user_id, permission)

    def _member_may(self, channel: Channel, member: ChannelMember, permission: str) -> bool:
        names = self.channel_roles(channel, member)
        if not channel.scheme_id:
            return self._state.roles.allows(names, permission)
        return any(self._moderated_role_allows(channel, name, permission) for name in names)

    def _moderated_role_allows(self, channel: Channel, name: str, permission: str) -> bool:
        role = self._state.roles.by_name.get(name)
        if role is None:
            return False
        above = self._role_above(channel, name)
        if above is None:
            return permission in role.allowed
        return permission in above.allowed and (permission not in MODERATED or permission in role.allowed)

    def _role_above(self, channel: Channel, name: str) -> Role | None:
        """Return the role that a channel scheme's role stands in for, None for roles of no scheme."""
        scheme = self._state.roles.schemes.get(channel.scheme_id or "")
        if scheme is None:
            return None
        defaults = self._channel_defaults(channel.team_id, None)
        stands_for = {
            scheme.channel_user_role: defaults["user"],
            scheme.channel_admin_role: defaults["admin"],
            scheme.channel_guest_role: defaults["guest"],
        }
        return self._state.roles.by_name.get(stands_for.get(name, ""))

    def team_roles(self, member: TeamMember) -> list[str]:
        """Return the names of a team member's roles, the scheme's first to last, then those given explicitly."""
        team = self._state.teams.by_id[member.team_id]
        scheme = self._state.roles.schemes.get(team.scheme_id or "")
        names = member.explicit_roles.split()
        if member.scheme_guest:
            names.append(scheme.team_guest_role if scheme else "team_guest")
        if member.scheme_user:
            names.append(scheme.team_user_role if scheme else "team_user")
        if member.scheme_admin:
            names.append(scheme.team_admin_role if scheme else "team_admin")
        return names

    def channel_roles(self, channel: Channel, member: ChannelMember) -> list[str]:
        """Return the names of a channel member's roles, in the order that the server shows them."""
        defaults = self._channel_defaults(channel.team_id, channel.scheme_id)
        names = member.explicit_roles.split()
        if member.scheme_guest:
            names.append(defaults["guest"])
        if member.scheme_user:
            names.append(defaults["user"])
        if member.scheme_admin:
            names.append(defaults["admin"])
        return names

    def scheme_roles_of_channel(self, channel: Channel) -> Mapping[str, str]:
        """Return the names of the roles that a channel's guests, users and admins have there."""
        return self._channel_defaults(channel.team_id, channel.scheme_id)

    def scheme_roles_of_team(self, team_id: str) -> Mapping[str, str]:
        """Return the names of the roles that a team's guests, users and admins have there."""
        team = self._state.teams.by_id.get(team_id)
        scheme = self._state.roles.schemes.get("" if team is None else team.scheme_id or "")
        if scheme is None:
            return {"guest": "team_guest", "user": "team_user", "admin": "team_admin"}
        return {"guest": scheme.team_guest_role, "user": scheme.team_user_role, "admin": scheme.team_admin_role}

    def _channel_defaults(self, team_id: str, scheme_id: str | None) -> Mapping[str, str]:
        if not scheme_id and team_id:
            team = self._state.teams.by_id.get(team_id)
            scheme_id = None if team is None else team.scheme_id
        scheme = self._state.roles.schemes.get(scheme_id or "")
        if scheme is None:
            return BUILT_IN
        return {
            "guest": scheme.channel_guest_role,
            "user": scheme.channel_user_role,
            "admin": scheme.channel_admin_role,
        }


BUILT_IN: Mapping[str, str] = {"guest": "channel_guest", "user": "channel_user", "admin": "channel_admin"}
"""The roles of channel members where no scheme says otherwise."""
