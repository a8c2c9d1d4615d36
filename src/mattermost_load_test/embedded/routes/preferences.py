"""Preferences: the settings that each user keeps on the server."""

from __future__ import annotations

import re

import orjson

from mattermost_load_test.embedded import api_errors, bodies, sidebar
from mattermost_load_test.embedded.answers import Answer, json_answer, ok
from mattermost_load_test.embedded.api_errors import ApiRefusal
from mattermost_load_test.embedded.call import Call
from mattermost_load_test.embedded.routing import Route
from mattermost_load_test.embedded.tables.presence import Preference

PREFERENCE = {"user_id": bodies.text, "category": bodies.text, "name": bodies.text, "value": bodies.text}
"""What a preference is made of."""

NAME = re.compile(r"[a-z0-9]+([a-z\-_0-9]+|(__)?)[a-z0-9]+\Z")
NAME_MAX = 32
VALUE_MAX = {False: 2000, True: 20000}
"""The longest value, in characters, on old and on new servers."""


def get_preferences(call: Call) -> Answer:
    """List a user's preferences."""
    user_id = _owner(call)
    return json_answer([call.views.preference(row) for row in call.state.preferences.of_user(user_id)])


def get_preferences_by_category(call: Call) -> Answer:
    """List a user's preferences of one category."""
    found = call.state.preferences.of_user(_owner(call), _named(call, "category"))
    if not found:
        error_id = "api.preference.preferences_category.get.app_error"
        raise ApiRefusal(404, error_id, "Unable to get user preferences.")
    return json_answer([call.views.preference(row) for row in found])


def get_preference_by_category_and_name(call: Call) -> Answer:
    """Give one preference."""
    found = call.state.preferences.get(_owner(call), _named(call, "category"), _named(call, "preference_name"))
    if found is None:
        raise ApiRefusal(400, "app.preference.get.app_error", "We encountered an error while finding preferences.")
    return json_answer(call.views.preference(found))


def update_preferences(call: Call) -> Answer:
    """Save preferences of a user."""
    user_id = _owner(call)
    given = _in_body(call)
    for preference in given:
        if preference.category == "flagged_post":
            _check_flagged(call, preference.name)
    _check_owner(user_id, given, "update_preferences.set", "Unable to set user preferences.")
    for preference in given:
        _check(preference, VALUE_MAX[call.site.version.modern])
    for preference in given:
        call.state.preferences.save(preference)
        if preference.category == sidebar.FAVORITE:
            sidebar.favour(call.site, preference, favourite=preference.value != "false")
    call.site.publish(call.site.events.preferences_changed(user_id, [call.views.preference(row) for row in given]))
    return ok()


def delete_preferences(call: Call) -> Answer:
    """Remove preferences of a user."""
    user_id = _owner(call)
    given = _in_body(call)
    _check_owner(user_id, given, "delete_preferences.delete", "Unable to delete user preferences.")
    for preference in given:
        call.state.preferences.delete(user_id, preference.category, preference.name)
        if preference.category == sidebar.FAVORITE:
            sidebar.favour(call.site, preference, favourite=False)
    call.site.publish(call.site.events.preferences_deleted(user_id, [call.views.preference(row) for row in given]))
    return ok()


def _named(call: Call, name: str) -> str:
    """Return what the path names; the servers take no name of a single letter."""
    if not NAME.match(call.params[name]):
        raise api_errors.invalid_url(name)
    return call.params[name]


def _owner(call: Call) -> str:
    user_id = call.id_param("user_id")
    call.need_self_or(user_id)
    return user_id


def _in_body(call: Call) -> list[Preference]:
    try:
        rows = bodies.decode(call.body)
        if not isinstance(rows, list):
            raise bodies.InvalidBodyError
        return [
            Preference(**(dict.fromkeys(PREFERENCE, "") | bodies.checked({} if row is None else row, PREFERENCE)))
            for row in rows
        ]
    except bodies.InvalidBodyError:
        raise api_errors.invalid_body("preferences") from None


def _check_owner(user_id: str, given: list[Preference], where: str, message: str) -> None:
    for preference in given:
        if preference.user_id != user_id:
            details = f"userId={user_id}, preference.UserId={preference.user_id}"
            raise ApiRefusal(403, f"api.preference.{where}.app_error", message, details)


def _check_flagged(call: Call, post_id: str) -> None:
    post = call.state.posts.by_id.get(post_id)
    if post is None or post.delete_at:
        raise api_errors.invalid_body("preference.name")
    call.need_in_channel(post.channel_id, "read_channel")


def _check(preference: Preference, value_max: int) -> None:
    where, details, message = "", "", ""
    if not 0 < len(preference.category) <= NAME_MAX:
        where, details, message = "category", preference.category, "Invalid category."
    elif len(preference.name) > NAME_MAX:
        where, details, message = "name", preference.name, "Invalid name."
    elif len(preference.value) > value_max:
        where, details, message = "value", preference.value, "Value is too long."
    elif preference.category == "theme" and not _is_theme(preference.value):
        where, details, message = "theme", preference.value, "Invalid theme."
    if where:
        raise ApiRefusal(400, f"model.preference.is_valid.{where}.app_error", message, f"{where}={details}")


def _is_theme(value: str) -> bool:
    try:
        return bodies.text_map(orjson.loads(value))
    except ValueError:
        return False


ROUTES = (
    Route("GET", "/users/{user_id}/preferences", get_preferences),
    Route("PUT", "/users/{user_id}/preferences", update_preferences),
    Route("POST", "/users/{user_id}/preferences/delete", delete_preferences),
    Route("GET", "/users/{user_id}/preferences/{category}", get_preferences_by_category),
    Route("GET", "/users/{user_id}/preferences/{category}/name/{preference_name}", get_preference_by_category_and_name),
)
