"""Joining and leaving teams and channels, with the posts that tell of it."""

from __future__ import annotations

from dataclasses import replace

from mattermost_load_test.embedded import posting
from mattermost_load_test.embedded.api_errors import ApiRefusal
from mattermost_load_test.embedded.entering import check_team_room, enter_channel, enter_team
from mattermost_load_test.embedded.site import Site
from mattermost_load_test.embedded.tables.channels import DEFAULT_CHANNELS, Channel, ChannelMember
from mattermost_load_test.embedded.tables.teams import Team, TeamMember
from mattermost_load_test.embedded.tables.users import User


def join_team(site: Site, team: Team, user: User, *, inviter: User | None = None) -> TeamMember:
    """Let a user join a team and its default channels; a present member stays as it is."""
    present = site.state.teams.member(team.id, user.id)
    if present is not None:
        return present
    check_team_room(site.state, team)
    member = enter_team(site.state, team, user)
    if not user.is_guest:
        for name in DEFAULT_CHANNELS:
            _join_default_channel(site, team, name, user, inviter)
    site.publish(site.events.added_to_team(user.id, team.id))
    return member


def _join_default_channel(site: Site, team: Team, name: str, user: User, inviter: User | None) -> None:
    """Let a user who joins a team join one of its default channels.

    Old servers know of a socket's first new channel only, so that who joins does not hear of the others.
    """
    channel = site.state.channels.named(team.id, name)
    if channel is None or channel.delete_at or site.state.channels.member(channel.id, user.id) is not None:
        return
    is_first = name == DEFAULT_CHANNELS[0]
    deaf = frozenset() if site.version.modern or is_first else frozenset((user.id,))
    enter_channel(site.state, channel, user)
    _tell_of_joining(site, channel, user, inviter, of_team=is_first, unheard_by=deaf)
    told = site.events.user_added(user.id, channel.id, team.id, by_default=True)
    site.publish(tuple(replace(event, broadcast=replace(event.broadcast, unheard_by=deaf)) for event in told))


def _tell_of_joining(
    site: Site,
    channel: Channel,
    user: User,
    inviter: User | None,
    *,
    of_team: bool = False,
    unheard_by: frozenset[str] = frozenset(),
) -> None:
    what = "team" if of_team else "channel"
    if inviter is None:
        props = {"username": user.username}
        text = f"{user.username} joined the {what}."
        _tell(site, channel, user, f"system_join_{what}", text, props, unheard_by)
        return
    props = {
        "addedUserId": user.id,
        "addedUsername": user.username,
        "userId": inviter.id,
        "username": inviter.username,
    }
    text = f"{user.username} added to the {what} by {inviter.username}."
    _tell(site, channel, inviter, f"system_add_to_{what}", text, props, unheard_by)


def _tell(
    site: Site,
    channel: Channel,
    author: User,
    kind: str,
    text: str,
    props: dict[str, str],
    unheard_by: frozenset[str] = frozenset(),
) -> None:
    """Let a post in a channel tell what happened, unless the channel is archived."""
    if channel.delete_at:
        return
    new = posting.NewPost(
        channel=channel, user_id=author.id, message=text, type=kind, props=dict(props), unheard_by=unheard_by
    )
    posting.create(site, new)


def leave_team(site: Site, team: Team, user: User, *, remover: User | None = None) -> None:
    """Let a user leave a team and all its channels."""
    member = site.state.teams.member(team.id, user.id)
    if member is None:
        raise ApiRefusal(
            404, "app.team.get_member.missing.app_error", "No team member found for that user ID and team ID."
        )
    town_square = site.state.channels.named(team.id, DEFAULT_CHANNELS[0])
    channels = site.state.channels
    heard = not site.version.modern  # an old server still tells who is leaving
    if town_square is not None and heard:
        _tell_of_leaving_team(site, town_square, user, remover)
    for channel in [channels.by_id[channel_id] for channel_id in channels.of_user(user.id)]:
        if channel.team_id == team.id:
            channels.leave(channels.members(channel.id)[user.id], user)
    if town_square is not None and not heard:
        _tell_of_leaving_team(site, town_square, user, remover)
    site.publish(site.events.leave_team(user.id, team.id))
    site.state.teams.leave(member, user, site.state.now_ms())
    site.state.categories.leave(user.id, team.id)


def _tell_of_leaving_team(site: Site, channel: Channel, user: User, remover: User | None) -> None:
    props = {"username": user.username}
    if remover is None or remover.id == user.id:
        _tell(site, channel, user, "system_leave_team", f"{user.username} left the team.", props)
    else:
        _tell(site, channel, user, "system_remove_from_team", f"{user.username} removed from the team.", props)


def join_channel(site: Site, channel: Channel, user: User, *, inviter: User | None = None) -> ChannelMember:
    """Let a user join a channel, by themselves or brought by an inviter; a present member stays as it is.

    Given back is the membership as it was before the channel was told: being told of it mentions who was brought.
    """
    present = site.state.channels.member(channel.id, user.id)
    if present is not None:
        return present
    brought = inviter is not None and inviter.id != user.id
    member = enter_channel(site.state, channel, user, brought=brought)
    as_made = replace(member)
    site.publish(site.events.user_added(user.id, channel.id, channel.team_id))
    if not channel.is_personal:
        _tell_of_joining(site, channel, user, inviter if brought else None)
    return as_made


def leave_channel(site: Site, channel: Channel, user: User, *, remover: User | None = None) -> None:
    """Let a user leave a channel, or take a user out of it."""
    member = site.state.channels.member(channel.id, user.id)
    if member is None:
        return
    site.state.channels.leave(member, user)
    site.state.categories.forget_channel(user.id, channel.id)
    removed = remover is not None and remover.id != user.id
    site.publish(site.events.user_removed(user.id, channel.id, remover.id if remover is not None else user.id))
    if removed and remover is not None:
        props = {"removedUserId": user.id, "removedUsername": user.username}
        text = f"@{user.username} removed from the channel."
        _tell(site, channel, remover, "system_remove_from_channel", text, props)
    else:
        text = f"@{user.username} left the channel."
        _tell(site, channel, user, "system_leave_channel", text, {"username": user.username})


def join_as_creator(site: Site, channel: Channel, user: User) -> None:
    """Make who made a channel its first member and admin."""
    enter_channel(site.state, channel, user, as_admin=True)
    _tell_of_joining(site, channel, user, None)
    site.publish(site.events.channel_created(user.id, channel.id, channel.team_id))
