"""Pictures of users."""

from __future__ import annotations

from mattermost_load_test.embedded import bodies, images
from mattermost_load_test.embedded.answers import Answer, ok
from mattermost_load_test.embedded.api_errors import ApiRefusal
from mattermost_load_test.embedded.call import Call
from mattermost_load_test.embedded.importer import DEFAULT_EMOJI_IMAGE
from mattermost_load_test.embedded.routing import Route


def get_profile_image(call: Call) -> Answer:
    """Give a user's picture."""
    user = call.target_user()
    picture = call.state.attachments.pictures.get(user.id, DEFAULT_EMOJI_IMAGE)
    max_age = 24 * 60 * 60 if user.id in call.state.attachments.pictures else 5 * 60
    etag = f'"{user.last_picture_update}"'
    if call.headers.get("If-None-Match") == etag:
        return Answer(304, headers={"Etag": etag})
    headers = {"Cache-Control": f"max-age={max_age}, private"}
    if user.id in call.state.attachments.pictures:
        headers["Etag"] = etag
    return Answer(200, picture, "image/png", headers)


def set_profile_image(call: Call) -> Answer:
    """Give a user another picture."""
    user_id = call.id_param("user_id")
    call.need_self_or(user_id)
    user = call.target_user()
    try:
        parts = bodies.decode_multipart(call.body, call.headers.get("Content-Type", ""))
    except bodies.InvalidBodyError:
        message = "Unable to upload profile image. Could not parse multipart form."
        raise ApiRefusal(500, "api.user.upload_profile_user.parse.app_error", message) from None
    pictures = [part.data for part in parts if part.name == "image"]
    if not pictures:
        message = "Unable to upload profile image. No file under 'image' in request."
        raise ApiRefusal(400, "api.user.upload_profile_user.no_file.app_error", message)
    if images.image_size(pictures[0]) == (0, 0):
        message = "Could not decode profile image."
        raise ApiRefusal(400, "api.user.upload_profile_user.decode.app_error", message)
    call.state.attachments.pictures[user.id] = pictures[0]
    user.last_picture_update = user.update_at = call.state.now_ms()
    call.site.publish(call.site.events.user_image_updated(call.views.user(user)))
    return ok()


def set_default_profile_image(call: Call) -> Answer:
    """Take a user's picture away."""
    user_id = call.id_param("user_id")
    call.need_self_or(user_id)
    user = call.target_user()
    call.state.attachments.pictures.pop(user.id, None)
    user.last_picture_update = user.update_at = call.state.now_ms()
    call.site.publish(call.site.events.user_image_updated(call.views.user(user)))
    return ok()


def get_team_icon(call: Call) -> Answer:
    """Say that a team has no icon: none can be uploaded here."""
    team = call.target_team()
    if not call.may_in_team(team.id, "view_team") and not (team.type == "O" and team.allow_open_invite):
        raise call.refuse("view_team")
    raise ApiRefusal(404, "api.team.get_team_icon.read_file.app_error", "Unable to read the team icon file.")


ROUTES = (
    Route("GET", "/teams/{team_id}/image", get_team_icon),
    Route("GET", "/users/{user_id}/image", get_profile_image),
    Route("GET", "/users/{user_id}/image/default", get_profile_image),
    Route("POST", "/users/{user_id}/image", set_profile_image),
    Route("DELETE", "/users/{user_id}/image", set_default_profile_image),
)
