"""Channels and who is in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from mattermost_load_test.embedded.tables.ordering import Ordered
from mattermost_load_test.embedded.tables.users import Properties, User

PUBLIC, PRIVATE, DIRECT, GROUP = "O", "P", "D", "G"
"""The types of channels."""

DEFAULT_CHANNELS = ("town-square", "off-topic")
"""Every team has these; joining a team joins them."""


@dataclass(slots=True)
class Channel:
    """One channel. Direct and group channels belong to no team: their `team_id` is empty.

    `total_msg_count` counts posts without those that tell of joining and leaving, `total_msg_count_root` likewise
    without replies.
    """

    id: str
    team_id: str
    type: str
    display_name: str
    name: str
    create_at: int
    update_at: int = 0
    delete_at: int = 0
    header: str = ""
    purpose: str = ""
    last_post_at: int = 0
    last_root_post_at: int = 0
    total_msg_count: int = 0
    total_msg_count_root: int = 0
    creator_id: str = ""
    scheme_id: str | None = None
    props: dict[str, Any] | None = None
    group_constrained: bool | None = None
    shared: bool | None = None

    @property
    def is_open(self) -> bool:
        """Whether it is a public channel."""
        return self.type == PUBLIC

    @property
    def is_personal(self) -> bool:
        """Whether it is a direct or group channel."""
        return self.type in (DIRECT, GROUP)


@dataclass(slots=True)
class ChannelMember:
    """One user's membership in a channel: what was read of it, and the roles there."""

    channel_id: str
    user_id: str
    notify_props: Properties
    last_update_at: int
    last_viewed_at: int = 0
    msg_count: int = 0
    msg_count_root: int = 0
    mention_count: int = 0
    mention_count_root: int = 0
    scheme_user: bool = True
    scheme_admin: bool = False
    scheme_guest: bool = False
    explicit_roles: str = ""


NO_MEMBERS: Mapping[str, ChannelMember] = MappingProxyType({})


class _Members:
    """The members of one channel, sorted by name and by id from the first time that somebody asks for a page."""

    __slots__ = ("by_id", "guests", "ids", "roster")

    def __init__(self) -> None:
        self.by_id: dict[str, ChannelMember] = {}
        self.guests = 0
        self.roster: Ordered | None = None
        self.ids: Ordered | None = None


class ChannelTable:
    """All channels by id, by team and name, with their members, and each user's channels."""

    def __init__(self) -> None:
        self.by_id: dict[str, Channel] = {}
        self._by_name: dict[tuple[str, str], Channel] = {}
        self._of_team: dict[str, dict[str, Channel]] = {}
        self._members: dict[str, _Members] = {}
        self._of_user: dict[str, dict[str, ChannelMember]] = {}

    def add(self, channel: Channel) -> None:
        """Add a new channel; its name is free in its team, the caller has looked."""
        self.by_id[channel.id] = channel
        self._by_name[channel.team_id, channel.name] = channel
        self._of_team.setdefault(channel.team_id, {})[channel.id] = channel
        self._members[channel.id] = _Members()

    def rename(self, channel: Channel, name: str) -> None:
        """Change the name in a channel's URL."""
        self._by_name.pop((channel.team_id, channel.name), None)
        channel.name = name
        self._by_name[channel.team_id, name] = channel

    def move(self, channel: Channel, team_id: str) -> None:
        """Put a channel into another team."""
        self._by_name.pop((channel.team_id, channel.name), None)
        self._of_team[channel.team_id].pop(channel.id, None)
        channel.team_id = team_id
        self._by_name[team_id, channel.name] = channel
        self._of_team.setdefault(team_id, {})[channel.id] = channel

    def drop(self, channel: Channel) -> None:
        """Forget a channel for good, memberships included."""
        for user_id in self._members.pop(channel.id).by_id:
            self._of_user[user_id].pop(channel.id, None)
        del self.by_id[channel.id]
        self._by_name.pop((channel.team_id, channel.name), None)
        self._of_team[channel.team_id].pop(channel.id, None)

    def named(self, team_id: str, name: str) -> Channel | None:
        """Return a team's channel by its name; direct and group channels are under an empty team id."""
        return self._by_name.get((team_id, name))

    def of_team(self, team_id: str) -> Mapping[str, Channel]:
        """Return all channels of a team, archived ones included."""
        return self._of_team.get(team_id, {})

    def members(self, channel_id: str) -> Mapping[str, ChannelMember]:
        """Return a channel's members by user id; empty when there is no such channel."""
        members = self._members.get(channel_id)
        return NO_MEMBERS if members is None else members.by_id

    def member(self, channel_id: str, user_id: str) -> ChannelMember | None:
        """Return one member of a channel."""
        return self._of_user.get(user_id, NO_MEMBERS).get(channel_id)

    def guest_count(self, channel_id: str) -> int:
        """Return how many members are guests."""
        return self._members[channel_id].guests

    def of_user(self, user_id: str) -> Mapping[str, ChannelMember]:
        """Return a user's memberships by channel id."""
        return self._of_user.get(user_id, NO_MEMBERS)

    def join(self, member: ChannelMember, user: User) -> None:
        """Make the user a member."""
        members = self._members[member.channel_id]
        members.by_id[user.id] = member
        members.guests += member.scheme_guest
        self._of_user.setdefault(user.id, {})[member.channel_id] = member
        if members.roster is not None:
            members.roster.add(user.username, user.id)
        if members.ids is not None:
            members.ids.add(user.id, user.id)

    def leave(self, member: ChannelMember, user: User) -> None:
        """End a membership; nothing of it is remembered."""
        members = self._members[member.channel_id]
        del members.by_id[user.id]
        members.guests -= member.scheme_guest
        self._of_user[user.id].pop(member.channel_id, None)
        if members.roster is not None:
            members.roster.remove(user.username, user.id)
        if members.ids is not None:
            members.ids.remove(user.id, user.id)

    def roster(self, channel_id: str, users: Mapping[str, User]) -> Ordered:
        """Return a channel's members sorted by username."""
        members = self._members[channel_id]
        if members.roster is None:
            members.roster = Ordered((users[user_id].username, user_id) for user_id in members.by_id)
        return members.roster

    def member_ids(self, channel_id: str) -> Ordered:
        """Return a channel's members sorted by id."""
        members = self._members[channel_id]
        if members.ids is None:
            members.ids = Ordered((user_id, user_id) for user_id in members.by_id)
        return members.ids

    def renamed(self, user: User, before: str) -> None:
        """Sort a user whose name was `before` into the rosters anew."""
        for channel_id in self.of_user(user.id):
            roster = self._members[channel_id].roster
            if roster is not None:
                roster.remove(before, user.id)
                roster.add(user.username, user.id)
