"""Changing, archiving and restoring channels, with the posts that tell of it."""

from __future__ import annotations

from typing import Any

from mattermost_load_test.embedded import bodies, posting
from mattermost_load_test.embedded.answers import Answer, json_answer, ok
from mattermost_load_test.embedded.api_errors import ApiRefusal, invalid_body
from mattermost_load_test.embedded.call import Call
from mattermost_load_test.embedded.ids import is_id
from mattermost_load_test.embedded.plain_views import Row
from mattermost_load_test.embedded.routes.channels import CHANNEL, check_channel, check_name_free
from mattermost_load_test.embedded.routing import Route
from mattermost_load_test.embedded.tables.channels import DEFAULT_CHANNELS, PRIVATE, PUBLIC, Channel

PATCH = {name: CHANNEL[name] for name in ("name", "display_name", "header", "purpose", "group_constrained")}
NAMING = ("name", "type", "team_id", "display_name")
"""By what an event of a new post names the post's channel."""

TOWN_SQUARE = DEFAULT_CHANNELS[0]


def update_channel(call: Call) -> Answer:
    """Change a channel to what the body says."""
    channel_id = call.id_param("channel_id")
    given = call.json("channel", CHANNEL)
    if given.get("id") != channel_id:
        raise invalid_body("channel_id")
    channel = call.target_channel()
    _need_to_change(call, channel)
    if channel.delete_at:
        raise _archived("update_channel")
    if given.get("type") and given["type"] != channel.type:
        raise ApiRefusal(400, "api.channel.update_channel.typechange.app_error", "Channel type cannot be updated.")
    if channel.name == TOWN_SQUARE and given.get("name") and given["name"] != channel.name:
        message = f"Tried to perform an invalid update of the default channel {TOWN_SQUARE}."
        raise ApiRefusal(400, "api.channel.update_channel.tried.app_error", message)
    values = {"header": given.get("header", ""), "purpose": given.get("purpose", "")}
    values |= {name: given[name] for name in ("display_name", "name") if given.get(name)}
    return json_answer(change(call, channel, values, told=("display_name",), named_by=given))


def _archived(where: str) -> ApiRefusal:
    message = "The channel has been archived or deleted."
    return ApiRefusal(400, f"api.channel.{where}.deleted.app_error", message)


def patch_channel(call: Call) -> Answer:
    """Change what the body names of a channel."""
    call.id_param("channel_id")
    given = call.json("channel", PATCH)
    channel = call.target_channel()
    _need_to_change(call, channel)
    if channel.delete_at:
        raise _not_changed(f"Field: DeleteAt value: {channel.delete_at}")
    return json_answer(change(call, channel, given, told=("display_name", "header", "purpose")))


def _not_changed(details: str) -> ApiRefusal:
    return ApiRefusal(
        400, "app.channel.update.bad_id", "Unable to update the channel.", f"invalid input: entity: Channel {details}"
    )


def _need_to_change(call: Call, channel: Channel) -> None:
    if channel.is_personal:
        if call.state.channels.member(channel.id, call.user_id) is None:
            message = "Failed to update the channel."
            raise ApiRefusal(403, "api.channel.patch_update_channel.forbidden.app_error", message)
    else:
        kind = "public" if channel.is_open else "private"
        call.need_in_channel(channel.id, f"manage_{kind}_channel_properties")


def change(
    call: Call,
    channel: Channel,
    values: dict[str, Any],
    told: tuple[str, ...],
    named_by: dict[str, Any] | None = None,
) -> Row:
    """Change a channel and show it; posts in it tell of the changes `told`.

    An old server names the channel of these posts by what the body said of it (`named_by`).
    """
    before = {name: getattr(channel, name) for name in ("name", "display_name", "header", "purpose")}
    name = values.get("name", channel.name)
    for key in ("display_name", "header", "purpose", "group_constrained"):
        if key in values:
            setattr(channel, key, values[key])
    try:
        if name != channel.name:
            _check_name_free(call, channel, name)
            call.state.channels.rename(channel, name)
        check_channel(channel, call.site.version)
    except ApiRefusal:
        call.state.channels.rename(channel, before.pop("name"))
        for key, value in before.items():
            setattr(channel, key, value)
        raise
    channel.update_at = call.state.now_ms()
    row = call.views.channel(channel)
    call.site.publish(call.site.events.channel_updated(row))
    shown = {} if named_by is None or call.site.version.modern else {k: named_by.get(k, "") for k in NAMING}
    for key in told:
        if getattr(channel, key) != before[key]:
            _tell_change(call, channel, key, before[key], shown)
    return row


def _check_name_free(call: Call, channel: Channel, name: str) -> None:
    if call.site.version.modern:
        check_name_free(call, channel.team_id, name)
    elif call.state.channels.named(channel.team_id, name) is not None:
        raise _not_changed(f"field: Id value: {channel.id}")


def _tell_change(call: Call, channel: Channel, key: str, old: str, shown_as: dict[str, str]) -> None:
    username, new = call.user.username, getattr(channel, key)
    shown = {"display_name": "display name"}.get(key, key)
    if not old and key != "display_name":
        text = f"{username} updated the channel {shown} to: {new}"
    elif not new and key != "display_name":
        text = f"{username} removed the channel {shown} (was: {old})"
    else:
        text = f"{username} updated the channel {shown} from: {old} to: {new}"
    short = key.replace("_", "")
    props = {"username": username, f"old_{short}": old, f"new_{short}": new}
    _tell(call, channel, f"system_{short}_change", text, props, shown_as)


def _tell(
    call: Call, channel: Channel, kind: str, text: str, props: dict[str, str], shown_as: dict[str, str] | None = None
) -> None:
    new = posting.NewPost(
        channel=channel, user_id=call.user_id, message=text, type=kind, props=dict(props), shown_as=shown_as or {}
    )
    posting.create(call.site, new)


def update_channel_privacy(call: Call) -> Answer:
    """Make a channel public or private."""
    call.id_param("channel_id")
    privacy = bodies.decode_any_map(call.body).get("privacy")
    if privacy not in (PUBLIC, PRIVATE):
        raise invalid_body("privacy")
    channel = call.target_channel()
    if privacy == PUBLIC:
        call.need_in_channel(channel.id, "convert_private_channel_to_public")
    else:
        call.need_in_channel(channel.id, "convert_public_channel_to_private")
    if channel.name == TOWN_SQUARE and privacy == PRIVATE:
        message = "The default channel cannot be made private."
        raise ApiRefusal(400, "api.channel.update_channel_privacy.default_channel_error", message)
    return _convert(call, channel, privacy)


def convert_channel_to_private(call: Call) -> Answer:
    """Make a public channel private (old servers only)."""
    channel = call.target_channel()
    call.need_in_channel(channel.id, "convert_public_channel_to_private")
    where = "api.channel.convert_channel_to_private"
    if channel.type == PRIVATE:
        message = "The channel requested to convert is already a private channel."
        raise ApiRefusal(400, f"{where}.private_channel_error", message)
    if channel.name == TOWN_SQUARE:
        message = "This default channel cannot be converted into a private channel."
        raise ApiRefusal(400, f"{where}.default_channel_error", message)
    return _convert(call, channel, PRIVATE)


def _convert(call: Call, channel: Channel, kind: str) -> Answer:
    channel.type = kind
    channel.update_at = call.state.now_ms()
    row = call.views.channel(channel)
    call.site.publish(call.site.events.channel_updated(row))
    if kind == PUBLIC:
        text = "This channel has been converted to a Public Channel and can be joined by any team member."
    else:
        text = "This channel has been converted to a Private Channel."
    _tell(call, channel, "system_change_chan_privacy", text, {"username": call.user.username})
    call.site.publish(call.site.events.channel_converted(channel.id, channel.team_id))
    return json_answer(row)


def delete_channel(call: Call) -> Answer:
    """Archive a channel, or forget it for good."""
    channel = call.target_channel()
    if channel.is_personal:
        message = "Unable to delete direct or group message channels"
        raise ApiRefusal(400, "api.channel.delete_channel.type.invalid", message)
    call.need_in_channel(channel.id, f"delete_{'public' if channel.is_open else 'private'}_channel")
    if call.query_flag("permanent"):
        _forget(call, channel)
        return ok()
    if channel.delete_at:
        raise _archived("delete_channel")
    if channel.name == TOWN_SQUARE:
        message = f"Unable to delete the default channel {TOWN_SQUARE}."
        raise ApiRefusal(400, "api.channel.delete_channel.cannot.app_error", message)
    username = call.user.username
    _tell(call, channel, "system_channel_deleted", f"{username} archived the channel.", {"username": username})
    channel.delete_at = channel.update_at = call.state.now_ms()
    for hook in [hook for hook in call.state.integrations.hooks.values() if hook.channel_id == channel.id]:
        del call.state.integrations.hooks[hook.id]
    call.site.publish(
        call.site.events.channel_deleted(
            channel.id, channel.team_id, channel.delete_at, private=channel.type == PRIVATE
        )
    )
    return ok()


def _forget(call: Call, channel: Channel) -> None:
    if not call.state.config.get("ServiceSettings", "EnableAPIChannelDeletion"):
        message = "Permanent channel deletion feature is not enabled. Please contact your System Administrator."
        raise ApiRefusal(401, "api.user.delete_channel.not_enabled.app_error", message, f"channelId={channel.id}")
    now = call.state.now_ms()
    call.site.publish(
        call.site.events.channel_deleted(channel.id, channel.team_id, now, private=channel.type == PRIVATE)
    )
    call.state.posts.drop_channel(channel.id)
    call.state.channels.drop(channel)


def restore_channel(call: Call) -> Answer:
    """Take a channel out of the archive."""
    channel = call.target_channel()
    call.need_in_team(channel.team_id, "manage_team")
    if not channel.delete_at:
        message = "Unable to unarchive channel. The channel is not archived."
        raise ApiRefusal(400, "api.channel.restore_channel.restored.app_error", message)
    channel.delete_at = 0
    channel.update_at = call.state.now_ms()
    row = call.views.channel(channel)
    call.site.publish(call.site.events.channel_restored(channel.id, channel.team_id, private=channel.type == PRIVATE))
    username = call.user.username
    _tell(call, channel, "system_channel_restored", f"{username} unarchived the channel.", {"username": username})
    return json_answer(row)


def move_channel(call: Call) -> Answer:
    """Put a channel into another team."""
    channel = call.target_channel()
    given = bodies.decode_any_map(call.body)
    team_id = given.get("team_id")
    if not isinstance(team_id, str):
        raise invalid_body("team_id")
    if not isinstance(given.get("force"), bool):
        raise invalid_body("force")
    if not is_id(team_id) or team_id not in call.state.teams.by_id:
        raise invalid_body("team_id")
    call.need("manage_system")
    if channel.is_personal:
        message = "Unable to move direct or group message channels"
        raise ApiRefusal(403, "api.channel.move_channel.type.invalid", message)
    call.state.channels.move(channel, team_id)
    channel.update_at = call.state.now_ms()
    return json_answer(call.views.channel(channel))


def update_channel_scheme(call: Call) -> Answer:
    """Give a channel a scheme, which takes a licence."""
    call.id_param("channel_id")
    scheme_id = bodies.decode_any_map(call.body).get("scheme_id")
    if not is_id(scheme_id):
        raise invalid_body("scheme_id")
    if not call.state.licensed:
        message = "Your license does not support updating a channel's scheme"
        status = call.site.version.license_error_status
        raise ApiRefusal(status, "api.channel.update_channel_scheme.license.error", message)
    call.need("manage_system")
    scheme = call.state.roles.schemes.get(scheme_id)
    if scheme is None or scheme.scope != "channel":
        message = "Unable to set the scheme to the channel because the supplied scheme is not a channel scheme."
        raise ApiRefusal(400, "api.channel.update_channel_scheme.scheme_scope.error", message)
    call.target_channel().scheme_id = scheme_id
    return ok()


def get_channel_moderations(call: Call) -> Answer:
    """Refuse to say what is moderated in a channel, which takes an enterprise licence."""
    call.id_param("channel_id")
    message = "Your license does not support channel moderation"
    status = call.site.version.license_error_status
    raise ApiRefusal(status, "api.channel.get_channel_moderations.license.error", message)


def get_channel_member_counts_by_group(call: Call) -> Answer:
    """Refuse to count members by group, which takes an enterprise licence."""
    call.id_param("channel_id")
    message, status = "Your license does not support groups", call.site.version.license_error_status
    raise ApiRefusal(status, "api.channel.channel_member_counts_by_group.license.error", message)


ROUTES = (
    Route("PUT", "/channels/{channel_id}", update_channel),
    Route("PUT", "/channels/{channel_id}/patch", patch_channel),
    Route("PUT", "/channels/{channel_id}/privacy", update_channel_privacy),
    Route("POST", "/channels/{channel_id}/convert", convert_channel_to_private, only="5.37"),
    Route("DELETE", "/channels/{channel_id}", delete_channel),
    Route("POST", "/channels/{channel_id}/restore", restore_channel),
    Route("POST", "/channels/{channel_id}/move", move_channel),
    Route("PUT", "/channels/{channel_id}/scheme", update_channel_scheme),
    Route("GET", "/channels/{channel_id}/moderations", get_channel_moderations),
    Route("GET", "/channels/{channel_id}/member_counts_by_group", get_channel_member_counts_by_group),
)
