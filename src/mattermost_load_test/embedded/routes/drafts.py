"""Drafts of newer servers: messages begun and not sent."""

from __future__ import annotations

from mattermost_load_test.embedded import bodies
from mattermost_load_test.embedded.answers import Answer, json_answer, ok
from mattermost_load_test.embedded.api_errors import ApiRefusal, not_found
from mattermost_load_test.embedded.call import Call
from mattermost_load_test.embedded.ids import is_id
from mattermost_load_test.embedded.routing import Route
from mattermost_load_test.embedded.tables.drafts import Draft

DRAFT = {
    "channel_id": bodies.text,
    "user_id": bodies.text,
    "root_id": bodies.text,
    "message": bodies.text,
    "type": bodies.text,
    "props": bodies.mapping,
    "file_ids": bodies.texts,
    "priority": bodies.mapping,
    "create_at": bodies.whole,
    "update_at": bodies.whole,
    "delete_at": bodies.whole,
}
"""What a draft in a body may hold."""


def upsert_draft(call: Call) -> Answer:
    """Keep a draft; an empty one takes the kept one away."""
    _need_drafts(call)
    given = call.json("draft", DRAFT)
    channel_id, root_id = given.get("channel_id", ""), given.get("root_id", "")
    if not call.may_in_channel(channel_id, "create_post"):
        raise call.refuse("create_post")
    if call.state.channels.by_id[channel_id].delete_at:
        message = "Can not save a draft in a deleted channel."
        raise ApiRefusal(400, "api.drafts.create.can_not_draft_to_deleted.error", message)
    now = call.state.now_ms()
    earlier = call.state.drafts.get(call.user_id, channel_id, root_id)
    draft = Draft(
        user_id=call.user_id,
        channel_id=channel_id,
        root_id=root_id,
        message=given.get("message", ""),
        create_at=now if earlier is None else earlier.create_at,
        update_at=now,
        type=given.get("type", ""),
        props=given.get("props", {}),
        file_ids=tuple(given.get("file_ids", ())),
        priority=given.get("priority"),
    )
    if not draft.message and not draft.file_ids:
        return _emptied(call, earlier)
    call.state.drafts.save(draft)
    row = call.views.draft(draft)
    events = call.site.events
    call.site.publish(events.draft_created(row) if earlier is None else events.draft_updated(row))
    return json_answer(row, 201)


def _need_drafts(call: Call) -> None:
    if not call.state.config.get("ServiceSettings", "AllowSyncedDrafts"):
        raise ApiRefusal(501, "api.drafts.disabled.app_error", "Drafts feature is disabled.")


def _emptied(call: Call, draft: Draft | None) -> Answer:
    if draft is not None:
        _forget(call, draft)
    return json_answer(None, 201)


def _forget(call: Call, draft: Draft) -> None:
    call.state.drafts.delete(draft)
    row = {key: value for key, value in call.views.draft(draft).items() if key != "metadata"}
    call.site.publish(call.site.events.draft_deleted(row))


def get_drafts(call: Call) -> Answer:
    """List the caller's drafts in the channels of a team, and in direct and group channels."""
    user_id, team_id = call.id_param("user_id"), call.id_param("team_id")
    _need_drafts(call)
    if user_id != call.user_id or call.state.teams.member(team_id, user_id) is None:
        raise call.refuse("view_team")
    drafts = call.state.drafts.of_user(user_id)
    return json_answer([call.views.draft(draft) for draft in drafts if _is_of_team(call, draft, team_id)])


def _is_of_team(call: Call, draft: Draft, team_id: str) -> bool:
    channel = call.state.channels.by_id[draft.channel_id]
    member = call.state.channels.member(draft.channel_id, draft.user_id)
    return channel.team_id in ("", team_id) and member is not None and not channel.delete_at


def delete_draft(call: Call) -> Answer:
    """Take the caller's draft in a channel, or in a thread of it, away."""
    user_id, channel_id = call.id_param("user_id"), call.id_param("channel_id")
    _need_drafts(call)
    root_id = call.params.get("thread_id", "")
    if not is_id(root_id):
        root_id = ""
    if user_id != call.user_id:
        raise call.refuse("edit_other_users")
    draft = call.state.drafts.get(user_id, channel_id, root_id)
    if draft is None:
        raise not_found("app.draft.get.app_error", "Unable to get the Draft.", "Draft", channel_id)
    _forget(call, draft)
    return ok()


ROUTES = (
    Route("POST", "/drafts", upsert_draft, only="11.6"),
    Route("GET", "/users/{user_id}/teams/{team_id}/drafts", get_drafts, only="11.6"),
    Route("DELETE", "/users/{user_id}/channels/{channel_id}/drafts", delete_draft, only="11.6"),
    Route("DELETE", "/users/{user_id}/channels/{channel_id}/drafts/{thread_id}", delete_draft, only="11.6"),
)
