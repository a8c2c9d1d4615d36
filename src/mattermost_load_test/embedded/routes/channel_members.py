"""Who is in a channel, and what they have read of it."""

from __future__ import annotations

from typing import Any

import orjson

from mattermost_load_test.embedded import bodies, member_roles, membership, reading
from mattermost_load_test.embedded.answers import Answer, json_answer, ok
from mattermost_load_test.embedded.api_errors import ApiRefusal, invalid_body, missing_user, not_found
from mattermost_load_test.embedded.call import Call
from mattermost_load_test.embedded.ids import is_id
from mattermost_load_test.embedded.routing import Route
from mattermost_load_test.embedded.tables.channels import DEFAULT_CHANNELS, Channel, ChannelMember

VIEW = {"channel_id": bodies.text, "prev_channel_id": bodies.text, "collapsed_threads_supported": bodies.flag}
SCHEME_ROLES = {"scheme_guest": bodies.flag, "scheme_user": bodies.flag, "scheme_admin": bodies.flag}
NOTIFY_NAMES = ("desktop", "email", "mark_unread", "push", "ignore_channel_mentions", "channel_auto_follow_threads")

NDJSON = "application/x-ndjson"


NOTIFY_LEVELS = ("default", "all", "mention", "none")
NOTIFY_VALUES = {
    "desktop": ("notify_level", NOTIFY_LEVELS),
    "mark_unread": ("unread_level", ("all", "mention")),
    "push": ("push_level", NOTIFY_LEVELS),
    "email": ("email_value", ("default", "true", "false")),
    "ignore_channel_mentions": ("ignore_channel_mentions_value", ("on", "off", "default")),
}
"""What each of a member's notify props may be, and what the server's errors call it."""


def view_channel(call: Call) -> Answer:
    """Note that the user looks at a channel and no longer at another."""
    user_id = call.id_param("user_id")
    call.need_self_or(user_id)
    given = call.json("channel_view", VIEW)
    ids = []
    for name in ("channel_id", "prev_channel_id"):
        channel_id = given.get(name, "")
        if channel_id and not is_id(channel_id):
            raise invalid_body(f"channel_view.{name}")
        ids.append(channel_id)
    call.site.set_online(user_id)
    known = [channel_id for channel_id in ids if channel_id in call.state.channels.by_id]
    if any(ids) and not known:
        message = "Unable to update the last viewed at time."
        raise ApiRefusal(400, "app.channel.update_last_viewed_at.app_error", message)
    supported = given.get("collapsed_threads_supported", False)
    times = reading.mark_viewed(call.site, user_id, known, threads_supported=supported)
    return json_answer({"status": "OK", "last_viewed_at_times": times})


def get_channel_member(call: Call) -> Answer:
    """Give one member of a channel."""
    channel_id, user_id = call.id_param("channel_id"), call.id_param("user_id")
    call.need_in_channel(channel_id, "read_channel")
    return json_answer(call.views.channel_member(call.membership(channel_id, user_id)))


def get_channel_members(call: Call) -> Answer:
    """Give a page of a channel's members."""
    channel_id = call.id_param("channel_id")
    call.need_in_channel(channel_id, "read_channel")
    members = call.state.channels.members(channel_id)
    ids = call.state.channels.member_ids(channel_id).page(call.offset, call.per_page)
    return json_answer([call.views.channel_member(members[user_id]) for user_id in ids])


def get_channel_members_by_ids(call: Call) -> Answer:
    """Give the members with these user ids."""
    channel_id = call.id_param("channel_id")
    ids = call.texts("user_ids")
    call.need_in_channel(channel_id, "read_channel")
    members = call.state.channels.members(channel_id)
    found = [members[user_id] for user_id in dict.fromkeys(ids) if user_id in members]
    return json_answer([call.views.channel_member(member) for member in found])


def get_channel_members_for_user(call: Call) -> Answer:
    """Give a user's memberships in the channels of a team, and in direct and group channels."""
    user_id, team_id = call.id_param("user_id"), call.id_param("team_id")
    call.need_in_team(team_id, "view_team")
    if user_id != call.user_id:
        call.need_in_team(team_id, "manage_system")
    by_id = call.state.channels.by_id
    found = [m for m in call.state.channels.of_user(user_id).values() if by_id[m.channel_id].team_id in ("", team_id)]
    if call.site.version.modern:
        found.sort(key=lambda member: member.channel_id)
    return json_answer([call.views.channel_member(member) for member in found])


def get_channel_members_for_user_with_teams(call: Call) -> Answer:
    """Give a user's memberships in all channels, one JSON object a line."""
    user_id = call.id_param("user_id")
    call.need_self_or(user_id)
    members = sorted(call.state.channels.of_user(user_id).values(), key=lambda member: member.channel_id)
    if call.query_text("page") != "-1":
        page = members[call.offset : call.offset + call.per_page]
        return json_answer([_with_team(call, member) for member in page])
    lines = b"".join(orjson.dumps(_with_team(call, member)) + b"\n" for member in members)
    return Answer(200, lines, NDJSON)


def _with_team(call: Call, member: ChannelMember) -> dict[str, Any]:
    team = call.state.teams.by_id.get(call.state.channels.by_id[member.channel_id].team_id)
    return call.views.channel_member(member) | {
        "team_display_name": "" if team is None else team.display_name,
        "team_name": "" if team is None else team.name,
        "team_update_at": 0 if team is None else team.update_at,
    }


def get_channel_stats(call: Call) -> Answer:
    """Count a channel's members, guests, pinned posts and, on new servers, files."""
    channel_id = call.id_param("channel_id")
    call.need_in_channel(channel_id, "read_channel")
    row = {
        "channel_id": channel_id,
        "member_count": len(call.state.channels.members(channel_id)),
        "guest_count": call.state.channels.guest_count(channel_id),
        "pinnedpost_count": len(call.state.posts.of_channel(channel_id).pinned),
    }
    if call.site.version.modern:
        row["files_count"] = call.state.attachments.file_counts.get(channel_id, 0)
    return json_answer(row)


def get_channel_members_timezones(call: Call) -> Answer:
    """Give the time zones that a channel's members have set."""
    channel_id = call.id_param("channel_id")
    call.need_in_channel(channel_id, "read_channel")
    by_id = call.state.users.by_id
    found = set()
    for user_id in call.state.channels.members(channel_id):
        zone = by_id[user_id].timezone
        if zone.get("useAutomaticTimezone") == "true":
            found.add(zone.get("automaticTimezone", ""))
        else:
            found.add(zone.get("manualTimezone", ""))
    zones = sorted(found - {""})
    return json_answer(zones if zones or not call.site.version.modern else None)


def get_channel_unread(call: Call) -> Answer:
    """Say how much of a channel a user has not read."""
    channel_id, user_id = call.id_param("channel_id"), call.id_param("user_id")
    call.need_self_or(user_id)
    call.need_in_channel(channel_id, "read_channel")
    channel = call.state.channels.by_id[channel_id]
    member = call.state.channels.member(channel_id, user_id)
    if member is None or channel.delete_at:
        message = "Unable to get the channel unread messages."
        key = f"channelId={channel_id},userId={user_id}"
        raise not_found("app.channel.get_unread.app_error", message, "Channel", key)
    return json_answer(reading.unread(call.site, channel, member))


def add_channel_member(call: Call) -> Answer:
    """Put a user into a channel; anybody of the team may join a public one. New servers take several at once."""
    channel_id = call.id_param("channel_id")
    given = bodies.decode_any_map(call.body)
    user_id = given.get("user_id")
    several = given.get("user_ids") if call.site.version.modern else None
    ids: list[Any] = several if isinstance(several, list) and several else [user_id]
    if not all(is_id(item) for item in ids):
        raise invalid_body("user_id")
    _check_root(call, channel_id, given.get("post_root_id"))
    channel = call.target_channel()
    if channel.is_personal:
        message = "Can not add user to this channel type."
        raise ApiRefusal(400, "api.channel.add_user_to_channel.type.app_error", message)
    rows = [call.views.channel_member(_add(call, channel, item)) for item in ids]
    return json_answer(rows if ids is several else rows[0], 201)


def _check_root(call: Call, channel_id: str, root_id: Any) -> None:
    if not isinstance(root_id, str) or not root_id:
        return
    root = call.state.posts.by_id.get(root_id)
    if not is_id(root_id) or root is None or root.channel_id != channel_id:
        raise invalid_body("post_root_id")


def _add(call: Call, channel: Channel, user_id: str) -> ChannelMember:
    own = user_id == call.user_id
    present = call.state.channels.member(channel.id, user_id)
    if not own or present is None:
        if own and channel.is_open:
            call.need_in_team(channel.team_id, "join_public_channels")
        else:
            kind = "public" if channel.is_open else "private"
            call.need_in_channel(channel.id, f"manage_{kind}_channel_members")
    if present is not None:
        return present
    user = call.state.users.by_id.get(user_id)
    if user is None:
        raise missing_user(user_id)
    _check_in_team(call, channel, user_id)
    return membership.join_channel(call.site, channel, user, inviter=call.user)


def _check_in_team(call: Call, channel: Channel, user_id: str) -> None:
    if call.state.teams.member(channel.team_id, user_id) is not None:
        return
    if call.state.teams.former_member(channel.team_id, user_id) is not None:
        message = "Failed to add user to channel because they have been removed from the team."
        raise ApiRefusal(400, "api.channel.add_user.to.channel.failed.deleted.app_error", message)
    raise not_found(
        "app.team.get_member.missing.app_error",
        "No team member found for that user ID and team ID.",
        "TeamMember",
        f"teamId={channel.team_id}, userId={user_id}",
    )


def remove_channel_member(call: Call) -> Answer:
    """Take a user out of a channel."""
    call.id_param("user_id")
    channel, user = call.target_channel(), call.target_user()
    if channel.is_personal:
        message = "Unable to remove user from a channel."
        raise ApiRefusal(400, "api.channel.remove_channel_member.type.app_error", message)
    if user.id != call.user_id:
        kind = "public" if channel.is_open else "private"
        call.need_in_channel(channel.id, f"manage_{kind}_channel_members")
    if channel.name == DEFAULT_CHANNELS[0] and not user.is_guest:
        message = f"Unable to remove user from the default channel {DEFAULT_CHANNELS[0]}."
        raise ApiRefusal(400, "api.channel.remove.default.app_error", message)
    call.membership(channel.id, user.id)
    membership.leave_channel(call.site, channel, user, remover=call.user)
    return ok()


def update_channel_member_roles(call: Call) -> Answer:
    """Give a member of a channel other roles."""
    channel_id, user_id = call.id_param("channel_id"), call.id_param("user_id")
    names = member_roles.asked_for(call)
    call.need_in_channel(channel_id, "manage_channel_roles")
    member = call.membership(channel_id, user_id)
    by_kind = call.site.permissions.scheme_roles_of_channel(call.state.channels.by_id[channel_id])
    member_roles.give(call, member, names, by_kind, "api.channel.update_channel_member_roles")
    return _updated(call, member)


def update_channel_member_scheme_roles(call: Call) -> Answer:
    """Make a member of a channel its admin, or an ordinary one."""
    channel_id, user_id = call.id_param("channel_id"), call.id_param("user_id")
    given = call.json("scheme_roles", SCHEME_ROLES)
    call.need_in_channel(channel_id, "manage_channel_roles")
    member = call.membership(channel_id, user_id)
    if given.get("scheme_user") and given.get("scheme_guest"):
        message = "Invalid channel member update: A user must be a guest or a user but not both."
        raise ApiRefusal(400, "api.channel.update_channel_member_roles.guest_and_user.app_error", message)
    member.scheme_admin = given.get("scheme_admin", False)
    member.scheme_user = given.get("scheme_user", False)
    member.scheme_guest = given.get("scheme_guest", False)
    return _updated(call, member)


def update_channel_member_notify_props(call: Call) -> Answer:
    """Change what of a channel a member is told."""
    channel_id, user_id = call.id_param("channel_id"), call.id_param("user_id")
    given = bodies.decode_text_map(call.body)
    call.need_self_or(user_id)
    member = call.membership(channel_id, user_id)
    _check_notify_props(given)
    member.notify_props = member.notify_props | {name: given[name] for name in NOTIFY_NAMES if name in given}
    return _updated(call, member)


def _check_notify_props(given: dict[str, str]) -> None:
    for name, (shown, allowed) in NOTIFY_VALUES.items():
        value = given.get(name)
        if value is not None and value not in allowed:
            error_id = f"model.channel_member.is_valid.{shown}.app_error"
            raise ApiRefusal(400, error_id, f"Invalid {shown.replace('_', ' ')}.", f"{shown}={value}")


def _updated(call: Call, member: ChannelMember) -> Answer:
    update(call, member)
    return ok()


def update(call: Call, member: ChannelMember) -> None:
    """Tell of a change of a membership."""
    member.last_update_at = call.state.now_ms()
    call.site.publish(call.site.events.channel_member_updated(call.views.channel_member(member)))


ROUTES = (
    Route("POST", "/channels/members/{user_id}/view", view_channel),
    Route("GET", "/channels/{channel_id}/members", get_channel_members),
    Route("POST", "/channels/{channel_id}/members/ids", get_channel_members_by_ids),
    Route("GET", "/channels/{channel_id}/members/{user_id}", get_channel_member),
    Route("POST", "/channels/{channel_id}/members", add_channel_member),
    Route("DELETE", "/channels/{channel_id}/members/{user_id}", remove_channel_member),
    Route("PUT", "/channels/{channel_id}/members/{user_id}/roles", update_channel_member_roles),
    Route("PUT", "/channels/{channel_id}/members/{user_id}/schemeRoles", update_channel_member_scheme_roles),
    Route("PUT", "/channels/{channel_id}/members/{user_id}/notify_props", update_channel_member_notify_props),
    Route("GET", "/channels/{channel_id}/stats", get_channel_stats),
    Route("GET", "/channels/{channel_id}/timezones", get_channel_members_timezones),
    Route("GET", "/users/{user_id}/channels/{channel_id}/unread", get_channel_unread),
    Route("GET", "/users/{user_id}/teams/{team_id}/channels/members", get_channel_members_for_user),
    Route("GET", "/users/{user_id}/channel_members", get_channel_members_for_user_with_teams, only="11.6"),
)
