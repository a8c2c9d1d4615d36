"""Incoming webhooks: managing them."""

from __future__ import annotations

from mattermost_load_test.embedded import api_errors, bodies
from mattermost_load_test.embedded.answers import Answer, json_answer, ok
from mattermost_load_test.embedded.api_errors import ApiRefusal
from mattermost_load_test.embedded.call import Call, page_of
from mattermost_load_test.embedded.routing import Route
from mattermost_load_test.embedded.tables.channels import Channel
from mattermost_load_test.embedded.tables.integrations import IncomingHook

HOOK = {
    "id": bodies.text,
    "channel_id": bodies.text,
    "user_id": bodies.text,
    "team_id": bodies.text,
    "display_name": bodies.text,
    "description": bodies.text,
    "username": bodies.text,
    "icon_url": bodies.text,
    "channel_locked": bodies.flag,
}
"""What a webhook in a body may hold."""

LENGTHS = (
    ("display_name", 64, "Invalid title."),
    ("description", 500, "Invalid description."),
    ("username", 64, "Invalid username."),
    ("icon_url", 1024, "Invalid post icon."),
)
"""How long the texts of a webhook may be, and what is said of longer ones."""


def create_incoming_hook(call: Call) -> Answer:
    """Make a webhook that posts to a channel."""
    given = call.json("incoming_webhook", HOOK)
    channel = _known_channel(call, given.get("channel_id", ""))
    _need_management(call, channel)
    owner = given.get("user_id") or call.user_id
    if owner != call.user_id:
        call.need_in_team(channel.team_id, "manage_others_incoming_webhooks")
        if owner not in call.state.users.by_id:
            raise api_errors.missing_user(owner)
    _need_enabled(call)
    now = call.state.now_ms()
    hook = IncomingHook(call.state.new_id(), owner, channel.id, channel.team_id, now, now)
    _fill_in(call, hook, given)
    call.state.integrations.hooks[hook.id] = hook
    return json_answer(call.views.hook(hook), 201)


def update_incoming_hook(call: Call) -> Answer:
    """Change a webhook."""
    hook_id = call.id_param("hook_id")
    given = call.json("incoming_webhook", HOOK)
    if given.get("id", "") != hook_id:
        raise api_errors.invalid_body("hook_id")
    hook = _known(call, hook_id)
    if given.get("team_id") not in (None, "", hook.team_id):
        message = "Unable to update webhook across teams."
        raise ApiRefusal(400, "api.webhook.team_mismatch.app_error", message, f"user_id={call.user_id}")
    channel = _known_channel(call, given.get("channel_id", ""))
    if channel.team_id != hook.team_id:
        raise api_errors.invalid_body("channel_id")
    _need_management(call, channel)
    _need_ownership(call, hook)
    _need_enabled(call)
    _fill_in(call, hook, given)
    hook.channel_id = channel.id
    hook.update_at = call.state.now_ms()
    return json_answer(call.views.hook(hook), 201)


def get_incoming_hooks(call: Call) -> Answer:
    """List the caller's webhooks, or everybody's if the caller manages them, of one team if it is given."""
    team_id = call.query_text("team_id")
    if team_id:
        call.need_in_team(team_id, _permission(call))
        of_others = call.may_in_team(team_id, "manage_others_incoming_webhooks")
    else:
        call.need(_permission(call))
        of_others = call.may("manage_others_incoming_webhooks")
    found = [
        hook
        for hook in call.state.integrations.hooks.values()
        if team_id in ("", hook.team_id) and (of_others or hook.user_id == call.user_id)
    ]
    return json_answer([call.views.hook(hook) for hook in page_of(found, call)])


def get_incoming_hook(call: Call) -> Answer:
    """Give one webhook."""
    return json_answer(call.views.hook(_managed(call)))


def delete_incoming_hook(call: Call) -> Answer:
    """Remove a webhook."""
    del call.state.integrations.hooks[_managed(call).id]
    return ok()


def _managed(call: Call) -> IncomingHook:
    """Return the webhook in the path, if the caller may manage it."""
    hook = _known(call, call.id_param("hook_id"))
    channel = _known_channel(call, hook.channel_id)
    permission = _permission(call)
    readable = channel.is_open or call.may_in_channel(channel.id, "read_channel")
    if not (readable and call.may_in_team(hook.team_id, permission)):
        raise call.refuse(permission)
    _need_ownership(call, hook)
    return hook


def _permission(call: Call) -> str:
    return "manage_own_incoming_webhooks" if call.site.version.modern else "manage_incoming_webhooks"


def _need_management(call: Call, channel: Channel) -> None:
    call.need_in_team(channel.team_id, _permission(call))
    if not channel.is_open:
        call.need_in_channel(channel.id, "read_channel")


def _need_ownership(call: Call, hook: IncomingHook) -> None:
    if hook.user_id != call.user_id:
        call.need_in_team(hook.team_id, "manage_others_incoming_webhooks")


def _need_enabled(call: Call) -> None:
    if not call.state.config.get("ServiceSettings", "EnableIncomingWebhooks"):
        message = "Incoming webhooks have been disabled by the system admin."
        raise ApiRefusal(501, "api.incoming_webhook.disabled.app_error", message)


def _fill_in(call: Call, hook: IncomingHook, given: bodies.Json) -> None:
    for key, longest, message in LENGTHS:
        if len(given.get(key, "")) > longest:
            raise ApiRefusal(400, f"model.incoming_hook.{key}.app_error", message)
    hook.display_name = given.get("display_name", "")
    hook.description = given.get("description", "")
    hook.channel_locked = given.get("channel_locked", False)
    if call.state.config.get("ServiceSettings", "EnablePostUsernameOverride"):
        hook.username = given.get("username", "")
    if call.state.config.get("ServiceSettings", "EnablePostIconOverride"):
        hook.icon_url = given.get("icon_url", "")


def _known(call: Call, hook_id: str) -> IncomingHook:
    hook = call.state.integrations.hooks.get(hook_id)
    if hook is None:
        message = "Unable to get the webhook."
        raise api_errors.not_found("app.webhooks.get_incoming.app_error", message, "IncomingWebhook", hook_id)
    return hook


def _known_channel(call: Call, channel_id: str) -> Channel:
    channel = call.state.channels.by_id.get(channel_id)
    if channel is None:
        raise api_errors.missing_channel(channel_id)
    return channel


ROUTES = (
    Route("POST", "/hooks/incoming", create_incoming_hook),
    Route("GET", "/hooks/incoming", get_incoming_hooks),
    Route("GET", "/hooks/incoming/{hook_id}", get_incoming_hook),
    Route("PUT", "/hooks/incoming/{hook_id}", update_incoming_hook),
    Route("DELETE", "/hooks/incoming/{hook_id}", delete_incoming_hook),
)
