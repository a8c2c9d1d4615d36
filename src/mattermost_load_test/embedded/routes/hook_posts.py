"""What incoming webhooks are for: posts from outside, without a session."""

from __future__ import annotations

import json
import re
from typing import Any

import orjson

from mattermost_load_test.embedded import api_errors, bodies, entering, message_attachments, posting
from mattermost_load_test.embedded.answers import Answer
from mattermost_load_test.embedded.api_errors import ApiRefusal
from mattermost_load_test.embedded.call import Call
from mattermost_load_test.embedded.routing import Route
from mattermost_load_test.embedded.tables.channels import Channel
from mattermost_load_test.embedded.tables.integrations import IncomingHook
from mattermost_load_test.embedded.tables.posts import MESSAGE_MAX

PAYLOAD = {
    "text": bodies.text,
    "username": bodies.text,
    "icon_url": bodies.text,
    "channel": bodies.text,
    "props": bodies.mapping,
    "attachments": bodies.objects,
    "type": bodies.text,
    "icon_emoji": bodies.text,
}
"""What a webhook's caller may send."""

DEFAULT_USERNAME = "webhook"
"""Whose name stands over a post where webhooks may choose the name and this one does not."""

_SLACK_CALL = re.compile(r"<!(channel|here|all|everyone)>")


def incoming_webhook(call: Call) -> Answer:
    """Turn what is sent to a webhook's address into a post."""
    hook_id = call.params["hook_id"]
    content_type = call.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    try:
        _handle(call, hook_id, _payload(call, content_type))
    except ApiRefusal as refusal:
        if not call.site.version.modern:
            raise
        message = f"Failed to handle the payload of media type {content_type} for incoming webhook {hook_id}."
        raise ApiRefusal(refusal.status, "web.incoming_webhook.general.app_error", message) from None
    return Answer(200, b"ok", "text/plain")


def _payload(call: Call, content_type: str) -> bodies.Json:
    try:
        if content_type == "application/x-www-form-urlencoded":
            return bodies.decode_object(bodies.decode_form(call.body).get("payload", "").encode(), PAYLOAD)
        if content_type == "multipart/form-data":
            parts = bodies.decode_multipart(call.body, call.headers.get("Content-Type", ""))
            if any(part.name not in PAYLOAD for part in parts):
                message = "Could not decode the multipart payload of incoming webhook."
                raise ApiRefusal(400, "api.webhook.incoming.error", message)
            return {part.name: part.data.decode(errors="replace") for part in parts}
        return bodies.decode_object(_escaped(call.body), PAYLOAD)
    except bodies.InvalidBodyError:
        message = "Unable to parse incoming data."
        raise ApiRefusal(400, "model.incoming_hook.parse_data.app_error", message) from None


def _escaped(body: bytes) -> bytes:
    """Let line breaks and tabs stand within a payload's texts as they are, which is no JSON but is accepted."""
    try:
        return orjson.dumps(json.JSONDecoder(strict=False).raw_decode(body.decode().lstrip())[0])
    except (ValueError, RecursionError):
        return body


def _handle(call: Call, hook_id: str, payload: bodies.Json) -> None:
    if not call.state.config.get("ServiceSettings", "EnableIncomingWebhooks"):
        message = "Incoming webhooks have been disabled by the system admin."
        raise ApiRefusal(501, "web.incoming_webhook.disabled.app_error", message)
    if not payload.get("text") and "attachments" not in payload:
        raise ApiRefusal(400, "web.incoming_webhook.text.app_error", "No text specified.")
    hook = call.state.integrations.hooks.get(hook_id)
    if hook is None:
        details = f"resource: IncomingWebhook id: {hook_id}"
        raise ApiRefusal(400, "web.incoming_webhook.invalid.app_error", "Invalid webhook.", details)
    channel = _channel(call, hook, payload.get("channel", ""))
    if hook.channel_locked and channel.id != hook.channel_id:
        message = "This webhook is not permitted to post to the requested channel."
        raise ApiRefusal(403, "web.incoming_webhook.channel_locked.app_error", message)
    if not channel.is_open and not call.site.permissions.in_channel(hook.user_id, channel.id, "read_channel"):
        message = "Inappropriate channel permissions."
        raise ApiRefusal(403, "web.incoming_webhook.permissions.app_error", message)
    _post(call, hook, channel, payload)


def _channel(call: Call, hook: IncomingHook, name: str) -> Channel:
    """Return where a webhook is to post: its own channel, another one of its team, or its owner's with a user."""
    channels = call.state.channels
    if not name:
        own = channels.by_id.get(hook.channel_id)
        if own is None:
            raise api_errors.missing_channel(hook.channel_id)
        return own
    if name.startswith("@"):
        other, owner = call.state.users.by_username.get(name[1:]), call.state.users.by_id.get(hook.user_id)
        if other is None or owner is None:
            raise ApiRefusal(400, "web.incoming_webhook.user.app_error", "Couldn't find the user.")
        direct, made = entering.open_direct(call.state, owner, other)
        if made:
            call.site.publish(call.site.events.direct_added(direct.id, owner.id, other.id))
        return direct
    found = channels.named(hook.team_id, name.removeprefix("#"))
    if found is None:
        raise ApiRefusal(404, "web.incoming_webhook.channel.app_error", "Couldn't find the channel.")
    return found


def _post(call: Call, hook: IncomingHook, channel: Channel, payload: bodies.Json) -> None:
    kind = "slack_attachment" if payload.get("attachments") else payload.get("type", "")
    if kind.startswith("system_"):
        raise ApiRefusal(400, "api.context.invalid_param.app_error", "Invalid post.type parameter.")
    call.state.counts["webhook_posts"] += 1
    text = _SLACK_CALL.sub(r"@\1", payload.get("text", "")).replace("@everyone", "@all")
    text = message_attachments.markdown_links(text)
    props = _props(call, hook, payload)
    for start in range(0, max(1, len(text)), MESSAGE_MAX):
        new = posting.NewPost(
            channel=channel, user_id=hook.user_id, message=text[start : start + MESSAGE_MAX], type=kind, props=props
        )
        posting.create(call.site, new, set_online=not call.site.version.modern)


def _props(call: Call, hook: IncomingHook, payload: bodies.Json) -> dict[str, Any]:
    config = call.state.config
    props: dict[str, Any] = {"from_webhook": "true"}
    if config.get("ServiceSettings", "EnablePostUsernameOverride"):
        props["override_username"] = payload.get("username") or hook.username or DEFAULT_USERNAME
    if config.get("ServiceSettings", "EnablePostIconOverride"):
        if payload.get("icon_url") or hook.icon_url:
            props["override_icon_url"] = payload.get("icon_url") or hook.icon_url
        if payload.get("icon_emoji"):
            props["override_icon_emoji"] = payload["icon_emoji"]
    own = ("override_icon_url", "override_username", "from_webhook")
    props |= {key: value for key, value in payload.get("props", {}).items() if key not in own}
    if payload.get("attachments"):
        kept = message_attachments.kept(payload["attachments"]) or []
        props["attachments"] = message_attachments.with_markdown_links(kept)
    return props | {"webhook_display_name": hook.display_name}


ROUTES = (Route("POST", "/hooks/{hook_id}", incoming_webhook, session=False, root=True),)
