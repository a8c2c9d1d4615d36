"""Teams and who is in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from mattermost_load_test.embedded.tables.ordering import Ordered
from mattermost_load_test.embedded.tables.users import User


@dataclass(slots=True)
class Team:
    """One team; `type` is ``O`` (open) or ``I`` (by invitation)."""

    id: str
    name: str
    display_name: str
    type: str
    create_at: int
    invite_id: str
    update_at: int = 0
    delete_at: int = 0
    description: str = ""
    email: str = ""
    company_name: str = ""
    allowed_domains: str = ""
    allow_open_invite: bool = False
    scheme_id: str | None = None
    group_constrained: bool | None = None
    last_team_icon_update: int = 0


@dataclass(slots=True)
class TeamMember:
    """One user's membership in a team; `delete_at` is set when the user has left."""

    team_id: str
    user_id: str
    scheme_user: bool = True
    scheme_admin: bool = False
    scheme_guest: bool = False
    explicit_roles: str = ""
    create_at: int = 0
    delete_at: int = 0


NO_MEMBERS: Mapping[str, TeamMember] = MappingProxyType({})


class TeamTable:
    """All teams, their present members (those who left are kept apart), and each user's teams."""

    def __init__(self) -> None:
        self.by_id: dict[str, Team] = {}
        self.by_name: dict[str, Team] = {}
        self.by_invite: dict[str, Team] = {}
        self.display_names = Ordered()
        self._members: dict[str, dict[str, TeamMember]] = {}
        self._former: dict[str, dict[str, TeamMember]] = {}
        self._of_user: dict[str, dict[str, TeamMember]] = {}
        self._rosters: dict[str, Ordered] = {}

    def add(self, team: Team) -> None:
        """Add a new team; its name is free, the caller has looked."""
        self.by_id[team.id] = team
        self.by_name[team.name] = team
        self.by_invite[team.invite_id] = team
        self.display_names.add(team.display_name, team.id)
        self._members[team.id] = {}
        self._former[team.id] = {}
        self._rosters[team.id] = Ordered()

    def rename(self, team: Team, display_name: str) -> None:
        """Change a team's display name."""
        self.display_names.remove(team.display_name, team.id)
        team.display_name = display_name
        self.display_names.add(display_name, team.id)

    def set_invite_id(self, team: Team, invite_id: str) -> None:
        """Give a team another invitation."""
        self.by_invite.pop(team.invite_id, None)
        team.invite_id = invite_id
        self.by_invite[invite_id] = team

    def drop(self, team: Team) -> None:
        """Forget a team for good, memberships included."""
        for member in [*self._members.pop(team.id).values(), *self._former.pop(team.id).values()]:
            self._of_user.get(member.user_id, {}).pop(team.id, None)
        del self.by_id[team.id], self.by_name[team.name], self._rosters[team.id]
        self.by_invite.pop(team.invite_id, None)
        self.display_names.remove(team.display_name, team.id)

    def members(self, team_id: str) -> Mapping[str, TeamMember]:
        """Return the present members of a team by user id; empty when there is no such team."""
        return self._members.get(team_id, NO_MEMBERS)

    def member(self, team_id: str, user_id: str) -> TeamMember | None:
        """Return a present member."""
        return self._members.get(team_id, NO_MEMBERS).get(user_id)

    def former_member(self, team_id: str, user_id: str) -> TeamMember | None:
        """Return the membership of somebody who has left."""
        return self._former.get(team_id, NO_MEMBERS).get(user_id)

    def of_user(self, user_id: str) -> Mapping[str, TeamMember]:
        """Return a user's present memberships by team id."""
        return self._of_user.get(user_id, NO_MEMBERS)

    def roster(self, team_id: str) -> Ordered:
        """Return the present members sorted by username."""
        return self._rosters[team_id]

    def join(self, member: TeamMember, user: User) -> None:
        """Make the user a present member."""
        self._former[member.team_id].pop(user.id, None)
        member.delete_at = 0
        self._members[member.team_id][user.id] = member
        self._of_user.setdefault(user.id, {})[member.team_id] = member
        self._rosters[member.team_id].add(user.username, user.id)

    def leave(self, member: TeamMember, user: User, now_ms: int) -> None:
        """End a membership; it is remembered as a former one."""
        del self._members[member.team_id][user.id]
        self._of_user[user.id].pop(member.team_id, None)
        self._rosters[member.team_id].remove(user.username, user.id)
        member.delete_at = now_ms
        self._former[member.team_id][user.id] = member

    def renamed(self, user: User, before: str) -> None:
        """Sort a user whose name was `before` into the rosters anew."""
        for team_id in self.of_user(user.id):
            self._rosters[team_id].remove(before, user.id)
            self._rosters[team_id].add(user.username, user.id)
