"""Putting teams, channels and their members into the tables, without a word to anybody.

What is told, and what posts are made of it, is `membership`'s part; the importer, of which nobody is told, works with
these alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from mattermost_load_test.embedded.api_errors import ApiRefusal
from mattermost_load_test.embedded.state import State
from mattermost_load_test.embedded.tables.channels import (
    DEFAULT_CHANNELS,
    DIRECT,
    GROUP,
    PUBLIC,
    Channel,
    ChannelMember,
)
from mattermost_load_test.embedded.tables.teams import Team, TeamMember
from mattermost_load_test.embedded.tables.users import Properties, User

OLD_CHANNEL_PROPS: Properties = {
    "desktop": "default",
    "email": "default",
    "ignore_channel_mentions": "default",
    "mark_unread": "all",
    "push": "default",
}
NEW_CHANNEL_PROPS: Properties = {"channel_auto_follow_threads": "off", **OLD_CHANNEL_PROPS}

DEFAULT_DISPLAY_NAMES = {"town-square": "Town Square", "off-topic": "Off-Topic"}

GROUP_MIN, GROUP_MAX = 3, 8
"""How many users a group channel has."""

DISPLAY_NAME_MAX = 64
"""The longest display name of a channel, in characters."""


def found_team(state: State, team: Team) -> None:
    """Add a team with the channels that every team has."""
    state.teams.add(team)
    for name in DEFAULT_CHANNELS:
        add_channel(state, team.id, PUBLIC, name, DEFAULT_DISPLAY_NAMES[name])


def add_channel(state: State, team_id: str, kind: str, name: str, display_name: str) -> Channel:
    """Add a channel; its name is free, the caller has looked."""
    now = state.now_ms()
    channel = Channel(
        id=state.new_id(),
        team_id=team_id,
        type=kind,
        display_name=display_name,
        name=name,
        create_at=now,
        update_at=now,
    )
    state.channels.add(channel)
    return channel


def enter_team(state: State, team: Team, user: User) -> TeamMember:
    """Make a user a member of a team; an earlier membership is taken up again."""
    member = state.teams.former_member(team.id, user.id) or TeamMember(team.id, user.id)
    member.scheme_guest = user.is_guest
    member.scheme_user = not user.is_guest
    member.scheme_admin = team.email == user.email and not user.is_guest
    member.create_at = state.now_ms()
    state.teams.join(member, user)
    return member


def enter_channel(
    state: State, channel: Channel, user: User, *, as_admin: bool = False, brought: bool = False
) -> ChannelMember:
    """Make a user a member of a channel.

    `brought` tells that somebody else did it: new servers then mark the channel as never viewed.
    """
    never_viewed = brought and state.version.modern
    member = ChannelMember(
        channel_id=channel.id,
        user_id=user.id,
        notify_props=channel_props(state),
        last_update_at=-1 if never_viewed else state.now_ms(),
        last_viewed_at=-1 if never_viewed else 0,
        scheme_guest=user.is_guest,
        scheme_user=not user.is_guest,
        scheme_admin=as_admin,
    )
    state.channels.join(member, user)
    return member


def channel_props(state: State) -> Properties:
    """Return the notify props of a new member of a channel."""
    return NEW_CHANNEL_PROPS if state.version.modern else OLD_CHANNEL_PROPS


def direct_name(user_id: str, other_id: str) -> str:
    """Return the name of two users' direct channel."""
    return "__".join(sorted((user_id, other_id)))


def open_direct(state: State, user: User, other: User) -> tuple[Channel, bool]:
    """Return the direct channel of two users, and whether it had to be made."""
    name = direct_name(user.id, other.id)
    known = state.channels.named("", name)
    if known is not None:
        return known, False
    channel = add_channel(state, "", DIRECT, name, "")
    channel.creator_id = user.id
    channel.shared = False
    for member in {user.id: user, other.id: other}.values():
        enter_channel(state, channel, member)
    return channel, True


def open_group(state: State, users: Sequence[User]) -> tuple[Channel, bool]:
    """Return the group channel of some users, and whether it had to be made."""
    ids = sorted(user.id for user in users)
    name = hashlib.sha1("".join(ids).encode(), usedforsecurity=False).hexdigest()
    known = state.channels.named("", name)
    if known is not None:
        return known, False
    display_name = ", ".join(sorted(user.username for user in users))[:DISPLAY_NAME_MAX]
    channel = add_channel(state, "", GROUP, name, display_name)
    channel.shared = False if state.version.modern else None
    for user in sorted(users, key=lambda user: user.username):
        enter_channel(state, channel, user)
    return channel, True


def check_team_room(state: State, team: Team) -> None:
    """Refuse a further member of a full team."""
    if len(state.teams.members(team.id)) >= state.config.get("TeamSettings", "MaxUsersPerTeam"):
        raise ApiRefusal(
            400,
            "app.team.join_user_to_team.max_accounts.app_error",
            "This team has reached the maximum number of allowed accounts. "
            "Contact your System Administrator to set a higher limit.",
        )
