"""Who is in a channel, and what they have read of it."""

from __future__ import annotations

from mattermost_load_test.embedded import bodies, membership, reading
from mattermost_load_test.embedded.answers import Answer, json_answer, ok
from mattermost_load_test.embedded.api_errors import ApiRefusal, invalid_body, missing_user
from mattermost_load_test.embedded.call import Call
from mattermost_load_test.embedded.ids import is_id
from mattermost_load_test.embedded.routing import Route
from mattermost_load_test.embedded.tables.channels import DEFAULT_CHANNELS, Channel

VIEW = {"channel_id": bodies.text, "prev_channel_id": bodies.text, "collapsed_threads_supported": bodies.flag}


def view_channel(call: Call) -> Answer:
    """Note that the user looks at a channel and no longer at another."""
    user_id = call.id_param("user_id")
    call.need_self_or(user_id)
    given = call.json("channel_view", VIEW)
    ids = [given.get(name, "") for name in ("channel_id", "prev_channel_id")]
    for name, channel_id in zip(("channel_id", "prev_channel_id"), ids, strict=True):
        if channel_id and not is_id(channel_id):
            raise invalid_body(f"channel_view.{name}")
    times = reading.mark_viewed(call.site, user_id, [channel_id for channel_id in ids if channel_id])
    call.site.set_online(user_id)
    return json_answer({"status": "OK", "last_viewed_at_times": times})


def get_channel_member(call: Call) -> Answer:
    """Give one member of a channel."""
    channel_id = call.id_param("channel_id")
    user_id = call.id_param("user_id")
    call.need_in_channel(channel_id, "read_channel")
    return json_answer(call.views.channel_member(call.membership(channel_id, user_id)))


def get_channel_members(call: Call) -> Answer:
    """Give a page of a channel's members."""
    channel_id = call.id_param("channel_id")
    call.need_in_channel(channel_id, "read_channel")
    members = call.state.channels.members(channel_id)
    ids = call.state.channels.member_ids(channel_id).page(call.offset, call.per_page)
    return json_answer([call.views.channel_member(members[user_id]) for user_id in ids])


def get_channel_stats(call: Call) -> Answer:
    """Count a channel's members, guests and pinned posts."""
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


def add_channel_member(call: Call) -> Answer:
    """Put a user into a channel; anybody of the team may join a public one."""
    given = bodies.decode_any_map(call.body)
    user_id = given.get("user_id")
    if not is_id(user_id):
        raise invalid_body("user_id")
    channel = call.target_channel()
    if channel.is_personal:
        raise ApiRefusal(
            400, "api.channel.add_user_to_channel.type.app_error", "Can not add user to this channel type."
        )
    _check_may_add(call, channel, user_id)
    user = call.state.users.by_id.get(user_id)
    if user is None:
        raise missing_user(user_id)
    member = membership.join_channel(call.site, channel, user, inviter=call.user)
    return json_answer(call.views.channel_member(member), 201)


def _check_may_add(call: Call, channel: Channel, user_id: str) -> None:
    if channel.is_open:
        if user_id == call.user_id and call.state.channels.member(channel.id, user_id) is None:
            call.need_in_team(channel.team_id, "join_public_channels")
        else:
            call.need_in_channel(channel.id, "manage_public_channel_members")
    else:
        call.need_in_channel(channel.id, "manage_private_channel_members")


def remove_channel_member(call: Call) -> Answer:
    """Take a user out of a channel."""
    channel = call.target_channel()
    user = call.target_user()
    if channel.is_personal:
        raise ApiRefusal(
            400,
            "api.channel.remove_channel_member.type.app_error",
            "Unable to remove user from a channel that is not public or private.",
        )
    if channel.name == DEFAULT_CHANNELS[0] and not user.is_guest:
        raise ApiRefusal(400, "api.channel.remove.default.app_error", "Unable to remove user from the default channel.")
    if user.id != call.user_id:
        kind = "public" if channel.is_open else "private"
        call.need_in_channel(channel.id, f"manage_{kind}_channel_members")
    membership.leave_channel(call.site, channel, user, remover=call.user)
    return ok()


ROUTES = (
    Route("POST", "/channels/members/{user_id}/view", view_channel),
    Route("GET", "/channels/{channel_id}/members", get_channel_members),
    Route("GET", "/channels/{channel_id}/members/{user_id}", get_channel_member),
    Route("POST", "/channels/{channel_id}/members", add_channel_member),
    Route("DELETE", "/channels/{channel_id}/members/{user_id}", remove_channel_member),
    Route("GET", "/channels/{channel_id}/stats", get_channel_stats),
)
