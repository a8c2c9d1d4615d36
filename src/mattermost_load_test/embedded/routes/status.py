"""Statuses: who is online, away, not to be disturbed."""

from __future__ import annotations

import orjson

from mattermost_load_test.embedded import api_errors, bodies
from mattermost_load_test.embedded.answers import Answer, json_answer, ok
from mattermost_load_test.embedded.api_errors import ApiRefusal
from mattermost_load_test.embedded.call import Call
from mattermost_load_test.embedded.ids import LENGTH
from mattermost_load_test.embedded.routing import Route
from mattermost_load_test.embedded.tables.presence import DND, OFFLINE, Preference

STATUS = {"user_id": bodies.text, "status": bodies.text, "manual": bodies.flag, "dnd_end_time": bodies.whole}
"""What a body that sets a status may hold."""

CUSTOM_STATUS = {
    "emoji": bodies.text,
    "text": bodies.text,
    "duration": bodies.text,
    "expires_at": bodies.text,
}
"""What a status in the user's own words is made of."""

CUSTOM_TEXT_MAX = 100
RECENT = ("custom_status", "recent_custom_statuses")
"""The preference in which it is kept what a user has said of the user's own status."""
RECENT_MAX = 5


def get_user_status(call: Call) -> Answer:
    """Give a user's status; an unknown user is offline."""
    user_id = call.id_param("user_id")
    return json_answer(call.views.status(call.site.status(user_id)))


def get_user_statuses_by_ids(call: Call) -> Answer:
    """Give the statuses of several users."""
    user_ids = call.texts("user_ids")
    if any(len(user_id) != LENGTH for user_id in user_ids):
        raise api_errors.invalid_body("user_ids")
    return json_answer([call.views.status(call.site.status(user_id)) for user_id in dict.fromkeys(user_ids)])


def update_user_status(call: Call) -> Answer:
    """Set a user's status."""
    user_id = call.id_param("user_id")
    given = call.json("status", STATUS)
    if given.get("user_id", "") != user_id:
        raise api_errors.invalid_body("user_id")
    call.need_self_or(user_id)
    status = given.get("status")
    if status == "online":
        call.site.set_online(user_id, manual=True)
    elif status == "away":
        call.site.set_away_if_idle(user_id, manual=True)
    elif status == "offline":
        call.site.set_status(user_id, OFFLINE, manual=True)
    elif status == "dnd":
        end_s = given.get("dnd_end_time", 0) if call.site.version.modern else 0
        call.site.set_status(user_id, DND, manual=True, dnd_end_time=end_s)
    else:
        raise api_errors.invalid_body("status")
    return get_user_status(call)


def update_user_custom_status(call: Call) -> Answer:
    """Set what a user says of the user's own status."""
    user_id = call.id_param("user_id")
    given = call.json("custom_status", CUSTOM_STATUS)
    if not (given.get("emoji") or given.get("text")):
        raise api_errors.invalid_body("custom_status")
    call.need_self_or(user_id)
    say_of_self(call, user_id, given)
    return ok()


def say_of_self(call: Call, user_id: str, given: bodies.Json) -> None:
    """Set what a user says of the user's own status, and keep it among what the user has said lately."""
    custom = {
        "emoji": given.get("emoji") or "speech_balloon",
        "text": given.get("text", "")[:CUSTOM_TEXT_MAX],
        "duration": given.get("duration", ""),
        "expires_at": given.get("expires_at", "0001-01-01T00:00:00Z"),
    }
    set_custom_status(call, user_id, orjson.dumps(custom).decode())
    others = [known for known in _recent(call, user_id) if known["text"] != custom["text"]]
    _keep_recent(call, user_id, [custom, *others][:RECENT_MAX])


def _recent(call: Call, user_id: str) -> list[dict[str, str]]:
    """Return what a user has said lately of the user's own status, the latest first."""
    kept = call.state.preferences.get(user_id, *RECENT)
    return list(orjson.loads(kept.value)) if kept is not None and kept.value else []


def _keep_recent(call: Call, user_id: str, recent: list[dict[str, str]]) -> None:
    preference = Preference(user_id, *RECENT, orjson.dumps(recent).decode())
    call.state.preferences.save(preference)
    call.site.publish(call.site.events.preferences_changed(user_id, [call.views.preference(preference)]))


def remove_user_recent_custom_status(call: Call) -> Answer:
    """Forget one of the things that a user has said of the user's own status."""
    user_id = call.id_param("user_id")
    given = call.json("recent_custom_status", CUSTOM_STATUS)
    call.need_self_or(user_id)
    recent = _recent(call, user_id)
    same = [known for known in recent if all(known[name] == given.get(name, "") for name in ("emoji", "text"))]
    if not same:
        message = "Failed to delete the recent status. Please try adding the status first or contact your system "
        message += "administrator for details."
        raise ApiRefusal(400, "api.custom_status.recent_custom_statuses.delete.app_error", message)
    _keep_recent(call, user_id, [known for known in recent if known not in same])
    return ok()


def remove_user_custom_status(call: Call) -> Answer:
    """Take away what a user says of the user's own status."""
    user_id = call.id_param("user_id")
    call.need_self_or(user_id)
    set_custom_status(call, user_id, "")
    return ok()


def set_custom_status(call: Call, user_id: str, value: str) -> None:
    """Keep what a user says of the user's own status, as JSON, and tell everybody."""
    user = call.state.users.by_id.get(user_id)
    if user is None:
        raise api_errors.missing_user(user_id)
    if not call.state.config.get("TeamSettings", "EnableCustomUserStatuses"):
        message = "Custom status feature has been disabled. Please contact your system administrator for details."
        raise ApiRefusal(501, "api.custom_status.disabled", message)
    user.props = {**user.props, "customStatus": value}
    user.update_at = call.state.now_ms()
    views = call.views
    call.site.publish(
        call.site.events.user_updated(views.user(user), views.user(user, to_admin=True), views.own_user(user))
    )


ROUTES = (
    Route("GET", "/users/{user_id}/status", get_user_status),
    Route("POST", "/users/status/ids", get_user_statuses_by_ids),
    Route("PUT", "/users/{user_id}/status", update_user_status),
    Route("PUT", "/users/{user_id}/status/custom", update_user_custom_status),
    Route("DELETE", "/users/{user_id}/status/custom", remove_user_custom_status),
    Route("DELETE", "/users/{user_id}/status/custom/recent", remove_user_recent_custom_status),
    Route("POST", "/users/{user_id}/status/custom/recent/delete", remove_user_recent_custom_status),
)
