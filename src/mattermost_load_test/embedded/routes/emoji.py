"""Custom emoji."""

from __future__ import annotations

import re

from mattermost_load_test.embedded import api_errors, bodies, images
from mattermost_load_test.embedded.answers import Answer, json_answer, ok
from mattermost_load_test.embedded.api_errors import ApiRefusal
from mattermost_load_test.embedded.call import Call
from mattermost_load_test.embedded.routing import Route
from mattermost_load_test.embedded.tables.attachments import Emoji

EMOJI = {"id": bodies.text, "creator_id": bodies.text, "name": bodies.text}
"""What a new emoji is made of, besides its image."""

SEARCH = {"term": bodies.text, "prefix_only": bodies.flag}
"""What is searched for."""

NAME = re.compile(r"[a-z0-9+_-]{1,64}\Z")
IMAGE_BYTES_MAX = 1 << 20
IMAGE_PIXELS_MAX = 1028
"""The largest image, each way, that is taken."""

SEARCH_MAX = 200
AUTOCOMPLETE_MAX = 100


def create_emoji(call: Call) -> Answer:
    """Make a custom emoji of a name and an image."""
    _need_enabled(call)
    if len(call.body) > IMAGE_BYTES_MAX:
        message = "Unable to create emoji. Image must be less than 1 MB in size."
        raise ApiRefusal(413, "api.emoji.create.too_large.app_error", message)
    try:
        parts = bodies.decode_multipart(call.body, call.headers.get("Content-Type", ""))
    except bodies.InvalidBodyError:
        message = "Unable to create emoji. Could not understand request."
        raise ApiRefusal(400, "api.emoji.create.parse.app_error", message) from None
    _need_anywhere(call, "create_emojis")
    given = _described(parts)
    _check(call, given)
    pictures = [part for part in parts if part.name == "image" and part.filename]
    if not pictures:
        raise api_errors.invalid_body("createEmoji")
    _check_image(pictures[0].data)
    now = call.state.now_ms()
    emoji = Emoji(
        id=call.state.new_id(),
        creator_id=call.user_id,
        name=given["name"],
        create_at=now,
        update_at=now,
        mime_type=images.image_type(pictures[0].data),
        image=pictures[0].data,
    )
    call.state.attachments.add_emoji(emoji)
    row = call.views.emoji(emoji)
    call.site.publish(call.site.events.emoji_added(row))
    return json_answer(row)


def _described(parts: list[bodies.Part]) -> bodies.Json:
    descriptions = [part for part in parts if part.name == "emoji" and not part.filename]
    if not descriptions:
        raise api_errors.invalid_body("emoji")
    try:
        return bodies.decode_object(descriptions[0].data, EMOJI)
    except bodies.InvalidBodyError:
        raise api_errors.invalid_body("emoji") from None


def _check(call: Call, given: bodies.Json) -> None:
    name = given.get("name", "")
    if len(given.get("creator_id", "")) > 26:
        raise ApiRefusal(400, "model.emoji.user_id.app_error", "Invalid creator id.")
    if not NAME.match(name):
        message = "Name must be 1 to 64 lowercase alphanumeric characters."
        raise ApiRefusal(400, "model.emoji.name.app_error", message)
    if given.get("creator_id") != call.user_id:
        raise ApiRefusal(403, "api.emoji.create.other_user.app_error", "Invalid user id.")
    if name in call.state.attachments.emoji_by_name:
        message = "Unable to create emoji. Another emoji with the same name already exists."
        raise ApiRefusal(400, "api.emoji.create.duplicate.app_error", message)


def _check_image(data: bytes) -> None:
    width, height = images.image_size(data)
    if not (width and height):
        message = "Unable to create emoji. File must be a PNG, JPEG, or GIF."
        raise ApiRefusal(400, "api.emoji.upload.image.app_error", message)
    if width > IMAGE_PIXELS_MAX or height > IMAGE_PIXELS_MAX:
        message = f"Unable to create emoji. Image must be smaller than {IMAGE_PIXELS_MAX} by {IMAGE_PIXELS_MAX}."
        raise ApiRefusal(400, "api.emoji.upload.large_image.too_large.app_error", message)


def get_emoji_list(call: Call) -> Answer:
    """List emoji page by page, by name if that is asked for."""
    _need_enabled(call)
    sort = call.query_text("sort")
    if sort not in ("", "name"):
        raise api_errors.invalid_url("sort")
    attachments = call.state.attachments
    if sort:
        found = [attachments.emoji[emoji_id] for emoji_id in attachments.emoji_names.page(call.offset, call.per_page)]
    else:
        found = list(attachments.emoji.values())[call.offset : call.offset + call.per_page]
    return json_answer([call.views.emoji(emoji) for emoji in found])


def get_emoji(call: Call) -> Answer:
    """Give one emoji."""
    return json_answer(call.views.emoji(_target(call)))


def get_emoji_by_name(call: Call) -> Answer:
    """Give the emoji of a name."""
    _need_enabled(call)
    name = call.params["emoji_name"]
    emoji = call.state.attachments.emoji_by_name.get(name)
    if emoji is None:
        raise _missing("app.emoji.get_by_name.no_result", f"Name={name}")
    return json_answer(call.views.emoji(emoji))


def get_emojis_by_names(call: Call) -> Answer:
    """Give those emoji that there are of some names."""
    names = call.texts("names")
    if len(names) > SEARCH_MAX:
        message = f"Unable to get emojis by name. Too many names: {SEARCH_MAX} is the limit."
        raise ApiRefusal(400, "api.emoji.get_multiple_by_name_too_many.request_error", message)
    by_name = call.state.attachments.emoji_by_name
    return json_answer([call.views.emoji(by_name[name]) for name in dict.fromkeys(names) if name in by_name])


def get_emoji_image(call: Call) -> Answer:
    """Give an emoji's image."""
    emoji = _target(call)
    return Answer(200, emoji.image, emoji.mime_type, {"Cache-Control": "max-age=2592000, private"})


def search_emojis(call: Call) -> Answer:
    """Find emoji whose name has the term in it, or begins with it."""
    given = call.json("term", SEARCH)
    term = given.get("term", "")
    if not term:
        raise api_errors.invalid_body("term")
    _need_enabled(call)
    attachments = call.state.attachments
    if given.get("prefix_only"):
        found = attachments.emoji_names.with_prefix(term)
    else:
        found = [row_id for row_id in attachments.emoji_names.ids() if term in attachments.emoji[row_id].name]
    return json_answer([call.views.emoji(attachments.emoji[row_id]) for row_id in found[:SEARCH_MAX]])


def autocomplete_emojis(call: Call) -> Answer:
    """Find emoji whose name begins as given."""
    name = call.query_text("name")
    if not name:
        raise api_errors.invalid_url("name")
    _need_enabled(call)
    attachments = call.state.attachments
    found = attachments.emoji_names.with_prefix(name)[:AUTOCOMPLETE_MAX]
    return json_answer([call.views.emoji(attachments.emoji[row_id]) for row_id in found])


def delete_emoji(call: Call) -> Answer:
    """Remove an emoji and all reactions with it."""
    emoji = _target(call)
    _need_anywhere(call, "delete_emojis")
    if emoji.creator_id != call.user_id:
        _need_anywhere(call, "delete_others_emojis")
    call.state.attachments.delete_emoji(emoji)
    return ok()


def _need_enabled(call: Call) -> None:
    if not call.state.config.get("ServiceSettings", "EnableCustomEmoji"):
        message = "Custom emoji have been disabled by the system admin."
        raise ApiRefusal(501, "api.emoji.disabled.app_error", message)


def _need_anywhere(call: Call, permission: str) -> None:
    """Refuse unless the caller has a permission in the system or in any of the caller's teams."""
    teams = call.state.teams.of_user(call.user_id)
    if not call.may(permission) and not any(call.may_in_team(team_id, permission) for team_id in teams):
        raise call.refuse(permission)


def _target(call: Call) -> Emoji:
    emoji_id = call.id_param("emoji_id")
    _need_enabled(call)
    emoji = call.state.attachments.emoji.get(emoji_id)
    if emoji is None:
        raise _missing("app.emoji.get.no_result", emoji_id)
    return emoji


def _missing(error_id: str, key: str) -> ApiRefusal:
    return api_errors.not_found(error_id, "We couldn’t find the emoji.", "Emoji", key)


ROUTES = (
    Route("POST", "/emoji", create_emoji),
    Route("GET", "/emoji", get_emoji_list),
    Route("POST", "/emoji/search", search_emojis),
    Route("POST", "/emoji/names", get_emojis_by_names, only="11.6"),
    Route("GET", "/emoji/autocomplete", autocomplete_emojis),
    Route("GET", "/emoji/name/{emoji_name}", get_emoji_by_name),
    Route("GET", "/emoji/{emoji_id}", get_emoji),
    Route("DELETE", "/emoji/{emoji_id}", delete_emoji),
    Route("GET", "/emoji/{emoji_id}/image", get_emoji_image),
)
