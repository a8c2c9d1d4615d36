"""What else clients ask of and for users: typing, uploads under way, counts."""

from __future__ import annotations

from mattermost_load_test.embedded import bodies
from mattermost_load_test.embedded.answers import Answer, json_answer, ok
from mattermost_load_test.embedded.api_errors import ApiRefusal
from mattermost_load_test.embedded.call import Call
from mattermost_load_test.embedded.routes.work import upload_row
from mattermost_load_test.embedded.routing import Route

TYPING = {"channel_id": bodies.text, "parent_id": bodies.text}
"""Where somebody types."""


def publish_user_typing(call: Call) -> Answer:
    """Tell a channel that a user types."""
    user_id = call.id_param("user_id")
    given = call.json("typing_request", TYPING)
    if user_id != call.user_id:
        call.need("manage_system")
    channel_id = given.get("channel_id", "")
    if not call.site.may_post(user_id, channel_id):
        raise call.refuse("create_post")
    call.site.publish(call.site.events.typing(user_id, channel_id, given.get("parent_id", "")))
    return ok()


def get_uploads_for_user(call: Call) -> Answer:
    """List the uploads that the caller has under way."""
    user_id = call.id_param("user_id")
    if user_id != call.user_id:
        raise ApiRefusal(403, "api.user.get_uploads_for_user.forbidden.app_error", "Failed to get uploads.")
    uploads = call.state.work.uploads.values()
    return json_answer([upload_row(upload) for upload in uploads if upload.user_id == user_id])


def get_filtered_users_stats(call: Call) -> Answer:
    """Count the accounts of a team or channel, to who may see the system console's users."""
    call.need("sysconsole_read_user_management_users")
    state = call.state
    team_id, channel_id = call.query_text("in_team"), call.query_text("in_channel")
    if channel_id:
        user_ids = list(state.channels.members(channel_id))
    else:
        user_ids = list(state.teams.members(team_id)) if team_id else list(state.users.by_id)
    deleted = call.query_flag("include_deleted")
    found = [user_id for user_id in user_ids if deleted or not state.users.by_id[user_id].delete_at]
    return json_answer({"total_users_count": len(found)})


def get_user_audits(call: Call) -> Answer:
    """Give what is on record of a user's doings: nothing, no record is kept."""
    call.need_self_or(call.id_param("user_id"))
    return json_answer([])


ROUTES = (
    Route("POST", "/users/{user_id}/typing", publish_user_typing),
    Route("GET", "/users/{user_id}/uploads", get_uploads_for_user),
    Route("GET", "/users/stats/filtered", get_filtered_users_stats),
    Route("GET", "/users/{user_id}/audits", get_user_audits),
)
