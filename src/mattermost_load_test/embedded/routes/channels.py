"""Channels: making and finding them."""

from __future__ import annotations

import re
from collections.abc import Iterable

import orjson

from mattermost_load_test.embedded import bodies, entering, membership
from mattermost_load_test.embedded.answers import Answer, json_answer
from mattermost_load_test.embedded.api_errors import ApiRefusal, invalid_body, invalid_url, missing_team, not_found
from mattermost_load_test.embedded.call import Call
from mattermost_load_test.embedded.ids import is_id
from mattermost_load_test.embedded.import_places import CHANNEL_NAME
from mattermost_load_test.embedded.routes.teams import named_team
from mattermost_load_test.embedded.routing import Route
from mattermost_load_test.embedded.tables.channels import DIRECT, GROUP, PRIVATE, PUBLIC, Channel
from mattermost_load_test.embedded.tables.users import User
from mattermost_load_test.embedded.versions import Version

CHANNEL = {
    "id": bodies.text,
    "team_id": bodies.text,
    "type": bodies.text,
    "name": bodies.text,
    "display_name": bodies.text,
    "header": bodies.text,
    "purpose": bodies.text,
    "creator_id": bodies.text,
    "scheme_id": bodies.text,
    "group_constrained": bodies.flag,
    "create_at": bodies.whole,
    "update_at": bodies.whole,
    "delete_at": bodies.whole,
    "last_post_at": bodies.whole,
    "total_msg_count": bodies.whole,
    "extra_update_at": bodies.whole,
    "props": bodies.mapping,
}
"""What a channel in a body may hold."""

TWO_IDS = re.compile(r"[a-z0-9]{26}__[a-z0-9]{26}\Z")
"""Names that only direct channels have."""

CHANNEL_NAME_MAX = 64


def create_channel(call: Call) -> Answer:
    """Make a public or private channel; its maker is its admin."""
    given = call.json("channel", CHANNEL)
    kind, team_id = given.get("type", ""), given.get("team_id", "")
    if kind == PUBLIC:
        call.need_in_team(team_id, "create_public_channel")
    if kind == PRIVATE:
        call.need_in_team(team_id, "create_private_channel")
    now = call.state.now_ms()
    channel = Channel(
        id=call.state.new_id(),
        team_id=team_id,
        type=kind,
        display_name=given.get("display_name", "").strip(),
        name=given.get("name", ""),
        create_at=now,
        update_at=now,
        header=given.get("header", ""),
        purpose=given.get("purpose", ""),
        creator_id=call.user_id,
    )
    _check_new(call, channel)
    call.state.channels.add(channel)
    row = call.views.channel(channel)
    membership.join_as_creator(call.site, channel, call.user)
    return json_answer(row, 201)


def _check_new(call: Call, channel: Channel) -> None:
    if channel.is_personal:
        message = "Must use createDirectChannel API service for direct message channel creation."
        raise ApiRefusal(400, "api.channel.create_channel.direct_channel.app_error", message)
    if not channel.team_id:
        message = "Must specify the team ID to create a channel."
        raise ApiRefusal(400, "app.channel.create_channel.no_team_id.app_error", message)
    team = call.state.teams.by_id.get(channel.team_id)
    if team is None:
        raise missing_team(channel.team_id)
    limit = call.state.config.get("TeamSettings", "MaxChannelsPerTeam")
    if len(call.state.channels.of_team(channel.team_id)) + 1 > limit:
        message = f"Unable to create more than {limit} channels for current team."
        raise ApiRefusal(400, "api.channel.create_channel.max_channel_limit.app_error", message)
    check_channel(channel, call.site.version)
    check_name_free(call, channel.team_id, channel.name)


def check_channel(channel: Channel, version: Version) -> None:
    """Refuse a channel that is not as a channel must be."""
    good_name = CHANNEL_NAME.match(channel.name) and len(channel.name) >= version.channel_name_min
    if good_name and len(channel.name) > CHANNEL_NAME_MAX and not version.modern:
        raise ApiRefusal(500, "app.channel.create_channel.internal_error", "Unable to save channel.")
    name_message = "Name must be 2 or more lowercase alphanumeric characters."
    ids_message = "Invalid channel name. User ids are not permitted in channel name for non-direct message channels."
    rules = (
        (len(channel.display_name) <= entering.DISPLAY_NAME_MAX, "display_name", "Invalid display name."),
        (good_name and len(channel.name) <= CHANNEL_NAME_MAX, "2_or_more", name_message),
        (channel.type in (PUBLIC, PRIVATE, DIRECT, GROUP), "type", "Invalid type."),
        (len(channel.header) <= 1024, "header", "Invalid header."),
        (len(channel.purpose) <= 250, "purpose", "Invalid purpose."),
        (channel.is_personal or not TWO_IDS.match(channel.name), "name", ids_message),
    )
    for good, name, message in rules:
        if not good and not (channel.is_personal and name == "2_or_more"):
            raise ApiRefusal(400, f"model.channel.is_valid.{name}.app_error", message, f"id={channel.id}")


def check_name_free(call: Call, team_id: str, name: str) -> None:
    """Refuse a name that another channel of the team has."""
    if call.state.channels.named(team_id, name) is not None:
        message = "A channel with that name already exists on the same team."
        raise ApiRefusal(
            400, "store.sql_channel.save_channel.exists.app_error", message, f"resource: Channel, name={name}"
        )


def create_direct_channel(call: Call) -> Answer:
    """Open the direct channel of two users, or give the one they have."""
    ids = bodies.decode_texts(call.body)
    if len(ids) != 2:
        raise invalid_body("user_ids")
    if not all(is_id(user_id) for user_id in ids):
        raise invalid_body("user_id")
    call.need("create_direct_channel")
    if call.user_id not in ids:
        call.need("manage_system")
    users = [call.state.users.by_id.get(user_id) for user_id in ids]
    if users[0] is None or users[1] is None:
        message = "Invalid user ID for direct channel creation."
        details = f"No users found for ids: {ids[0]}. {ids[1]}"
        raise ApiRefusal(400, "api.channel.create_direct_channel.invalid_user.app_error", message, details)
    channel, made = entering.open_direct(call.state, users[0], users[1])
    if made:
        call.site.publish(call.site.events.direct_added(channel.id, ids[0], ids[1]))
    return json_answer(call.views.channel(channel), 201)


def create_group_channel(call: Call) -> Answer:
    """Open the group channel of some users and the caller, or give the one they have."""
    ids = bodies.decode_texts(call.body)
    if not ids:
        raise invalid_body("user_ids")
    if not all(is_id(user_id) for user_id in ids):
        raise invalid_body("user_id")
    if call.user_id not in ids:
        ids.append(call.user_id)
    call.need("create_group_channel")
    if not entering.GROUP_MIN <= len(ids) <= entering.GROUP_MAX:
        message = "Group message channels must contain at least 3 and no more than 8 users."
        raise ApiRefusal(400, "api.channel.create_group.bad_size.app_error", message)
    by_id = call.state.users.by_id
    users: list[User] = [by_id[user_id] for user_id in dict.fromkeys(ids) if user_id in by_id]
    if any(user_id not in by_id for user_id in ids):
        message = "One of the provided users does not exist."
        details = f"user_ids={orjson.dumps(ids).decode()}"
        raise ApiRefusal(400, "api.channel.create_group.bad_user.app_error", message, details)
    if len(users) != len(ids):
        message = "A channel member with that ID already exists."
        raise ApiRefusal(400, "app.channel.save_member.exists.app_error", message)
    channel, made = entering.open_group(call.state, users)
    if made:
        call.site.publish(call.site.events.group_added(channel.id, [user.id for user in users]))
    return json_answer(call.views.channel(channel), 201)


def get_channel(call: Call) -> Answer:
    """Give one channel."""
    channel = call.target_channel()
    need_to_read(call, channel)
    return json_answer(call.views.channel(channel))


def need_to_read(call: Call, channel: Channel) -> None:
    """Refuse unless the caller may see the channel: as its member, or a public one of the caller's team."""
    if not channel.is_open:
        call.need_in_channel(channel.id, "read_channel")
    elif not call.may_in_team(channel.team_id, "read_public_channel") and not call.may_in_channel(
        channel.id, "read_channel"
    ):
        raise call.refuse("read_public_channel")


def get_channel_by_name(call: Call) -> Answer:
    """Give a team's channel of this name."""
    return _named(call, call.id_param("team_id"))


def get_channel_by_name_for_team_name(call: Call) -> Answer:
    """Give the channel of this name in the team of this name."""
    return _named(call, named_team(call).id)


def _named(call: Call, team_id: str) -> Answer:
    name = call.params["channel_name"].lower()
    channel = call.state.channels.named(team_id, name) or call.state.channels.named("", name)
    hidden = channel is None or (channel.delete_at and not call.query_flag("include_deleted"))
    error_id, message = "app.channel.get_by_name.missing.app_error", "Channel does not exist."
    if channel is None or hidden:
        raise not_found(error_id, message, "Channel", f"TeamId={team_id}&Name={name}")
    if channel.is_open:
        need_to_read(call, channel)
    elif not call.may_in_channel(channel.id, "read_channel"):
        raise ApiRefusal(404, error_id, message, f"teamId={channel.team_id}, name={channel.name}")
    return json_answer(call.views.channel(channel))


def by_display_name(channels: Iterable[Channel]) -> list[Channel]:
    """Sort channels as the database does, capital letters first."""
    return sorted(channels, key=lambda channel: channel.display_name)


def page_of_channels(call: Call, channels: Iterable[Channel]) -> Answer:
    """Give the page that was asked for of some channels, by display name."""
    page = by_display_name(channels)[call.offset : call.offset + call.per_page]
    return json_answer([call.views.channel(channel) for channel in page])


def get_public_channels_for_team(call: Call) -> Answer:
    """Give a page of a team's public channels by display name."""
    team_id = call.id_param("team_id")
    call.need_in_team(team_id, "list_team_channels")
    channels = call.state.channels.of_team(team_id).values()
    return page_of_channels(call, (channel for channel in channels if channel.is_open and not channel.delete_at))


def get_private_channels_for_team(call: Call) -> Answer:
    """Give a page of a team's private channels to an admin."""
    team_id = call.id_param("team_id")
    call.need("manage_system")
    channels = call.state.channels.of_team(team_id).values()
    return page_of_channels(call, (c for c in channels if c.type == PRIVATE and not c.delete_at))


def get_deleted_channels_for_team(call: Call) -> Answer:
    """Give a page of a team's archived channels that the caller may see."""
    team_id = call.id_param("team_id")
    channels = call.state.channels
    found = [
        channel
        for channel in channels.of_team(team_id).values()
        if channel.delete_at and (channel.type != PRIVATE or channels.member(channel.id, call.user_id) is not None)
    ]
    return page_of_channels(call, found)


def get_public_channels_by_ids_for_team(call: Call) -> Answer:
    """Give those public channels of a team that have these ids."""
    team_id = call.id_param("team_id")
    ids = call.texts("channel_ids")
    if not all(is_id(channel_id) for channel_id in ids):
        raise invalid_body("channel_id")
    call.need_in_team(team_id, "view_team")
    of_team = call.state.channels.of_team(team_id)
    found = [of_team[channel_id] for channel_id in set(ids) if channel_id in of_team]
    found = by_display_name(channel for channel in found if channel.is_open and not channel.delete_at)
    if not found:
        raise not_found("app.channel.get_channels_by_ids.not_found.app_error", "No channel found.", "Channel", "")
    return json_answer([call.views.channel(channel) for channel in found])


def get_channels_for_team_for_user(call: Call) -> Answer:
    """Give a user's channels of a team, direct and group channels with them, by display name."""
    user_id, team_id = call.id_param("user_id"), call.id_param("team_id")
    call.need_self_or(user_id)
    call.need_in_team(team_id, "view_team")
    channels = [c for c in _of_user(call, user_id) if c.team_id in ("", team_id)]
    if not channels:
        message = "No channels were found."
        raise not_found("app.channel.get_channels.not_found.app_error", message, "Channel", f"userId={user_id}")
    channels = by_display_name(channels)
    last = max(channels, key=_changed_at)
    etag = f"{call.site.version.number}.{last.id}.{_changed_at(last)}.0.{len(channels)}"
    if call.headers.get("If-None-Match") == etag:
        return Answer(304, headers={"Etag": etag})
    return json_answer([call.views.channel(channel) for channel in channels], headers={"Etag": etag})


def _of_user(call: Call, user_id: str) -> list[Channel]:
    """Return a user's channels, archived ones (since `last_delete_at`) if they were asked for."""
    text = call.query_text("last_delete_at")
    if text.startswith("-"):
        raise invalid_url("last_delete_at")
    since = call.query_int("last_delete_at", 0)
    archived = call.query_flag("include_deleted")
    by_id = call.state.channels.by_id
    channels = [by_id[channel_id] for channel_id in call.state.channels.of_user(user_id)]
    return [c for c in channels if not c.delete_at or (archived and c.delete_at >= since)]


def _changed_at(channel: Channel) -> int:
    return max(channel.update_at, channel.last_post_at)


def get_channels_for_user(call: Call) -> Answer:
    """Give a user's channels of all teams."""
    user_id = call.id_param("user_id")
    call.need_self_or(user_id)
    channels = sorted(_of_user(call, user_id), key=lambda channel: channel.id)
    return json_answer([call.views.channel(channel) for channel in channels])


def get_all_channels(call: Call) -> Answer:
    """Give a page of all channels of all teams to an admin."""
    needed = ("sysconsole_read_user_management_groups", "sysconsole_read_user_management_channels")
    if not any(call.may(permission) for permission in needed):
        raise call.refuse(*needed)
    archived, no_defaults = call.query_flag("include_deleted"), call.query_flag("exclude_default_channels")
    channels = [
        channel
        for channel in call.state.channels.by_id.values()
        if not channel.is_personal
        and (archived or not channel.delete_at)
        and not (no_defaults and channel.name in ("town-square", "off-topic"))
    ]
    page = by_display_name(channels)[call.offset : call.offset + call.per_page]
    rows = [call.views.channel_with_team(channel) for channel in page]
    return json_answer(
        {"channels": rows, "total_count": len(channels)} if call.query_flag("include_total_count") else rows
    )


ROUTES = (
    Route("POST", "/channels", create_channel),
    Route("GET", "/channels", get_all_channels),
    Route("POST", "/channels/direct", create_direct_channel),
    Route("POST", "/channels/group", create_group_channel),
    Route("GET", "/channels/{channel_id}", get_channel),
    Route("GET", "/teams/{team_id}/channels/name/{channel_name}", get_channel_by_name),
    Route("GET", "/teams/name/{team_name}/channels/name/{channel_name}", get_channel_by_name_for_team_name),
    Route("GET", "/teams/{team_id}/channels", get_public_channels_for_team),
    Route("GET", "/teams/{team_id}/channels/private", get_private_channels_for_team),
    Route("GET", "/teams/{team_id}/channels/deleted", get_deleted_channels_for_team),
    Route("POST", "/teams/{team_id}/channels/ids", get_public_channels_by_ids_for_team),
    Route("GET", "/users/{user_id}/teams/{team_id}/channels", get_channels_for_team_for_user),
    Route("GET", "/users/{user_id}/channels", get_channels_for_user, only="11.6"),
)
