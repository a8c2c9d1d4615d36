"""Channels and who is in them."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

from mattermost_load_test.mattermost.models import Channel, ChannelMember, Json
from mattermost_load_test.mattermost.rest.subject import Subject

PUBLIC = "GET /teams/[team id]/channels"
PUBLIC_BY_IDS = "POST /teams/[team id]/channels/ids"
PRIVATE = "GET /teams/[team id]/channels/private"
MINE = "GET /users/me/teams/[team id]/channels"
OF_USER = "GET /users/[user id]/teams/[team id]/channels"
BY_NAME = "GET /teams/[team id]/channels/name/[channel name]"
AUTOCOMPLETE = "GET /teams/[team id]/channels/autocomplete"
SEARCH = "POST /teams/[team id]/channels/search"
MEMBERS = "GET /channels/[channel id]/members"
ADD_MEMBER = "POST /channels/[channel id]/members"
MEMBER = "DELETE /channels/[channel id]/members/[user id]"
MY_MEMBERSHIP = "GET /channels/[channel id]/members/me"
STATS = "GET /channels/[channel id]/stats"
VIEW = "POST /channels/members/me/view"
VIEW_FOR = "POST /channels/members/[user id]/view"


class Channels(Subject):
    """Channels and who is in them."""

    __slots__ = ()

    async def create(self, team_id: str, name: str, display_name: str, type: str = "O") -> Channel:
        """Create a channel, public (O) or private (P)."""
        body = {"team_id": team_id, "name": name, "display_name": display_name, "type": type}
        return await self._session.one("POST /channels", "/channels", Channel.of, body)

    async def get(self, channel_id: str) -> Channel:
        """Return a channel; a private one only to members (403)."""
        return await self._session.one("GET /channels/[channel id]", f"/channels/{channel_id}", Channel.of)

    async def by_name(self, team_id: str, name: str) -> Channel:
        """Return the channel of a name in a team; 404 when there is none."""
        path = f"/teams/{team_id}/channels/name/{quote(name, safe='')}"
        return await self._session.one(BY_NAME, path, Channel.of)

    async def public_page(self, team_id: str, page: int = 0, per_page: int = 60) -> tuple[Channel, ...]:
        """Return one page (at most 200) of the public channels of a team."""
        path = f"/teams/{team_id}/channels?page={page}&per_page={per_page}"
        return await self._session.many(PUBLIC, path, Channel.of)

    async def public_by_ids(self, team_id: str, channel_ids: Sequence[str]) -> tuple[Channel, ...]:
        """Return those of the channels that are public ones of the team, as the database has them, not a cache."""
        return await self._session.many(PUBLIC_BY_IDS, f"/teams/{team_id}/channels/ids", Channel.of, channel_ids)

    async def private_page(self, team_id: str, page: int = 0, per_page: int = 60) -> tuple[Channel, ...]:
        """Return one page (at most 200) of the private channels of a team, as system admin."""
        path = f"/teams/{team_id}/channels/private?page={page}&per_page={per_page}"
        return await self._session.many(PRIVATE, path, Channel.of)

    async def mine(self, team_id: str) -> tuple[Channel, ...]:
        """Return the channels of this session's user in a team, direct and group channels among them."""
        return await self._session.many(MINE, f"/users/me/teams/{team_id}/channels", Channel.of)

    async def of_user(self, user_id: str, team_id: str) -> tuple[Channel, ...]:
        """Return the channels of a user in a team, direct and group channels among them, as system admin."""
        return await self._session.many(OF_USER, f"/users/{user_id}/teams/{team_id}/channels", Channel.of)

    async def autocomplete(self, team_id: str, prefix: str) -> None:
        """Ask for the channels whose name begins with what a user has typed behind a tilde."""
        path = f"/teams/{team_id}/channels/autocomplete?name={quote(prefix, safe='')}"
        await self._session.done(AUTOCOMPLETE, path)

    async def search(self, team_id: str, term: str) -> None:
        """Ask for the channels that contain what a user has typed into the channel switcher."""
        await self._session.done(SEARCH, f"/teams/{team_id}/channels/search", {"term": term})

    async def view(self, channel_id: str, previous_channel_id: str = "") -> None:
        """Say that this session's user looks at a channel now, and no longer at the previous one."""
        body: Json = {"channel_id": channel_id}
        if previous_channel_id:
            body["prev_channel_id"] = previous_channel_id
        await self._session.done(VIEW, VIEW.partition(" ")[2], body)

    async def view_for(self, user_id: str, channel_id: str) -> None:
        """Say that a user looks at a channel, as system admin: the user has then read it."""
        await self._session.done(VIEW_FOR, f"/channels/members/{user_id}/view", {"channel_id": channel_id})

    async def my_membership(self, channel_id: str) -> ChannelMember:
        """Return the membership of this session's user; 404 when it is not in the channel."""
        return await self._session.one(MY_MEMBERSHIP, f"/channels/{channel_id}/members/me", ChannelMember.of)

    async def members_page(self, channel_id: str, page: int = 0, per_page: int = 60) -> tuple[ChannelMember, ...]:
        """Return one page (at most 200) of a channel's members."""
        path = f"/channels/{channel_id}/members?page={page}&per_page={per_page}"
        return await self._session.many(MEMBERS, path, ChannelMember.of)

    async def add_member(self, channel_id: str, user_id: str) -> ChannelMember:
        """Put a user of the team into a channel: oneself into a public one, others as a member."""
        path = f"/channels/{channel_id}/members"
        return await self._session.one(ADD_MEMBER, path, ChannelMember.of, {"user_id": user_id})

    async def remove_member(self, channel_id: str, user_id: str) -> None:
        """Take a user out of a channel: oneself, or others as a member."""
        await self._session.done(MEMBER, f"/channels/{channel_id}/members/{user_id}")

    async def stats(self, channel_id: str) -> None:
        """Ask how many members and pinned posts a channel has."""
        await self._session.done(STATS, f"/channels/{channel_id}/stats")
