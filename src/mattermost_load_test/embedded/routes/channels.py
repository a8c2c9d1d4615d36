"""Channels: making them, finding them."""

from __future__ import annotations

import re

from mattermost_load_test.embedded import bodies, membership
from mattermost_load_test.embedded.answers import Answer, json_answer
from mattermost_load_test.embedded.api_errors import ApiRefusal, invalid_body, not_found
from mattermost_load_test.embedded.call import Call
from mattermost_load_test.embedded.ids import is_id
from mattermost_load_test.embedded.routing import Route
from mattermost_load_test.embedded.tables.channels import PRIVATE, PUBLIC, Channel

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

CHANNEL_NAME = re.compile(r"[a-z0-9]([a-z0-9_-]*[a-z0-9])?\Z")


def create_channel(call: Call) -> Answer:
    """Make a public or private channel; its maker is its admin."""
    given = call.json("channel", CHANNEL)
    kind = given.get("type", "")
    team_id = given.get("team_id", "")
    if kind == PUBLIC:
        call.need_in_team(team_id, "create_public_channel")
    if kind == PRIVATE:
        call.need_in_team(team_id, "create_private_channel")
    now = call.state.now_ms()
    channel = Channel(
        id=call.state.new_id(),
        team_id=team_id,
        type=kind,
        display_name=given.get("display_name", ""),
        name=given.get("name", ""),
        create_at=now,
        update_at=now,
        header=given.get("header", ""),
        purpose=given.get("purpose", ""),
        creator_id=call.user_id,
    )
    check_channel(call, channel)
    call.state.channels.add(channel)
    membership.join_as_creator(call.site, channel, call.user)
    return json_answer(call.views.channel(channel), 201)


def check_channel(call: Call, channel: Channel) -> None:
    """Refuse a channel that is not as a channel must be, or whose name is taken."""
    if not is_id(channel.team_id):
        raise invalid_body("team_id")
    rules = (
        (len(channel.display_name) <= 64, "display_name", "Invalid display name."),
        (
            CHANNEL_NAME.match(channel.name) and 2 <= len(channel.name) <= 64,
            "2_or_more",
            "Name must be 2 or more lowercase alphanumeric characters.",
        ),
        (channel.type in (PUBLIC, PRIVATE), "type", "Invalid type."),
        (len(channel.header) <= 1024, "header", "Invalid header."),
        (len(channel.purpose) <= 250, "purpose", "Invalid purpose."),
    )
    for good, name, message in rules:
        if not good:
            raise ApiRefusal(400, f"model.channel.is_valid.{name}.app_error", message, f"id={channel.id}")
    if call.state.channels.named(channel.team_id, channel.name) is not None:
        raise ApiRefusal(
            400,
            "store.sql_channel.save_channel.exists.app_error",
            "A channel with that name already exists on the same team.",
        )


def get_channel(call: Call) -> Answer:
    """Give one channel."""
    channel = call.target_channel()
    if channel.is_open:
        if not call.may_in_team(channel.team_id, "read_public_channel"):
            call.need_in_channel(channel.id, "read_channel")
    else:
        call.need_in_channel(channel.id, "read_channel")
    return json_answer(call.views.channel(channel))


def get_channel_by_name(call: Call) -> Answer:
    """Give a team's channel of this name."""
    team_id = call.id_param("team_id")
    name = call.params["channel_name"].lower()
    channel = call.state.channels.named(team_id, name)
    if channel is None or (channel.delete_at and not call.query_flag("include_deleted")):
        raise not_found(
            "app.channel.get_by_name.missing.app_error",
            "Channel does not exist.",
            "Channel",
            f"TeamId={team_id}&Name={name}",
        )
    if channel.is_open:
        if not call.may_in_team(channel.team_id, "read_public_channel"):
            call.need_in_channel(channel.id, "read_channel")
    elif not call.may_in_channel(channel.id, "read_channel"):
        raise not_found(
            "app.channel.get_by_name.missing.app_error",
            "Channel does not exist.",
            "Channel",
            f"teamId={team_id}, name={name}",
        )
    return json_answer(call.views.channel(channel))


def get_public_channels_for_team(call: Call) -> Answer:
    """Give a page of a team's public channels by display name."""
    team_id = call.id_param("team_id")
    call.need_in_team(team_id, "list_team_channels")
    channels = [c for c in call.state.channels.of_team(team_id).values() if c.is_open and not c.delete_at]
    channels.sort(key=lambda channel: channel.display_name)
    page = channels[call.offset : call.offset + call.per_page]
    return json_answer([call.views.channel(channel) for channel in page])


def get_private_channels_for_team(call: Call) -> Answer:
    """Give a page of a team's private channels by display name, to system admins."""
    team_id = call.id_param("team_id")
    call.need("manage_system")
    channels = [c for c in call.state.channels.of_team(team_id).values() if c.type == PRIVATE and not c.delete_at]
    channels.sort(key=lambda channel: channel.display_name)
    page = channels[call.offset : call.offset + call.per_page]
    return json_answer([call.views.channel(channel) for channel in page])


def get_channels_for_team_for_user(call: Call) -> Answer:
    """Give a user's channels of a team, direct and group channels with them, by display name."""
    user_id = call.id_param("user_id")
    team_id = call.id_param("team_id")
    call.need_self_or(user_id)
    call.need_in_team(team_id, "view_team")
    by_id = call.state.channels.by_id
    found = [by_id[channel_id] for channel_id in call.state.channels.of_user(user_id)]
    channels = [c for c in found if c.team_id in ("", team_id) and not c.delete_at]
    channels.sort(key=lambda channel: channel.display_name)
    last = max(channels, key=lambda channel: max(channel.update_at, channel.last_post_at), default=None)
    changed = 0 if last is None else max(last.update_at, last.last_post_at)
    etag = f"{call.site.version.number}.{last.id if last else 0}.{changed}.0.{len(channels)}"
    return json_answer([call.views.channel(channel) for channel in channels], headers={"Etag": etag})


ROUTES = (
    Route("POST", "/channels", create_channel),
    Route("GET", "/channels/{channel_id}", get_channel),
    Route("GET", "/teams/{team_id}/channels/name/{channel_name}", get_channel_by_name),
    Route("GET", "/teams/{team_id}/channels/private", get_private_channels_for_team),
    Route("GET", "/teams/{team_id}/channels", get_public_channels_for_team),
    Route("GET", "/users/{user_id}/teams/{team_id}/channels", get_channels_for_team_for_user),
)
