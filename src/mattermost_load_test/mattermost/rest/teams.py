"""Teams and who is in them."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

from mattermost_load_test.mattermost.models import Team, TeamMember
from mattermost_load_test.mattermost.rest.subject import Subject

MEMBERS = "POST /teams/[team id]/members"
MEMBERS_BATCH = "POST /teams/[team id]/members/batch"
MEMBER = "DELETE /teams/[team id]/members/[user id]"


class Teams(Subject):
    """Teams and who is in them."""

    __slots__ = ()

    async def create(self, name: str, display_name: str, type: str = "O") -> Team:
        """Create a team, open (O) or by invitation (I)."""
        body = {"name": name, "display_name": display_name, "type": type}
        return await self._session.one("POST /teams", "/teams", Team.of, body)

    async def page(self, page: int = 0, per_page: int = 60) -> tuple[Team, ...]:
        """Return one page (at most 200) of the teams that this user may see; a system admin sees all."""
        return await self._session.many("GET /teams", f"/teams?page={page}&per_page={per_page}", Team.of)

    async def get(self, team_id: str) -> Team:
        """Return a team."""
        return await self._session.one("GET /teams/[team id]", f"/teams/{team_id}", Team.of)

    async def by_name(self, name: str) -> Team:
        """Return the team of a name; 404 when there is none."""
        return await self._session.one("GET /teams/name/[team name]", f"/teams/name/{quote(name, safe='')}", Team.of)

    async def mine(self) -> tuple[Team, ...]:
        """Return the teams of this session's user, in no order."""
        return await self._session.many("GET /users/me/teams", "/users/me/teams", Team.of)

    async def my_unreads(self) -> None:
        """Ask how much is unread in each team of this session's user."""
        await self._session.done("GET /users/me/teams/unread", "/users/me/teams/unread")

    async def join(self, team_id: str, user_id: str) -> TeamMember:
        """Put a user into a team: oneself into an open one, anybody as admin."""
        body = {"team_id": team_id, "user_id": user_id}
        return await self._session.one(MEMBERS, f"/teams/{team_id}/members", TeamMember.of, body)

    async def join_many(self, team_id: str, user_ids: Sequence[str]) -> tuple[TeamMember, ...]:
        """Put up to 20 users into a team, as admin."""
        body = [{"team_id": team_id, "user_id": user_id} for user_id in user_ids]
        return await self._session.many(MEMBERS_BATCH, f"/teams/{team_id}/members/batch", TeamMember.of, body)

    async def join_by_invite(self, invite_id: str) -> TeamMember:
        """Put this session's user into the team whose invitation it holds, as an invitation's link does."""
        path = f"/teams/members/invite?invite_id={quote(invite_id, safe='')}"
        return await self._session.one("POST /teams/members/invite", path, TeamMember.of)

    async def leave(self, team_id: str, user_id: str) -> None:
        """Take a user out of a team: oneself, or anybody as admin."""
        await self._session.done(MEMBER, f"/teams/{team_id}/members/{user_id}")
