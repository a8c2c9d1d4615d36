"""Posts: making, changing, deleting, and reading one."""

from __future__ import annotations

from mattermost_load_test.embedded import bodies, posting
from mattermost_load_test.embedded.answers import Answer, json_answer, ok
from mattermost_load_test.embedded.api_errors import ApiRefusal
from mattermost_load_test.embedded.call import Call
from mattermost_load_test.embedded.routes.channels import need_to_read
from mattermost_load_test.embedded.routing import Route
from mattermost_load_test.embedded.tables.posts import Post

POST = {
    "id": bodies.text,
    "channel_id": bodies.text,
    "user_id": bodies.text,
    "message": bodies.text,
    "root_id": bodies.text,
    "parent_id": bodies.text,
    "original_id": bodies.text,
    "type": bodies.text,
    "props": bodies.mapping,
    "hashtags": bodies.text,
    "file_ids": bodies.texts,
    "pending_post_id": bodies.text,
    "is_pinned": bodies.flag,
    "has_reactions": bodies.flag,
    "create_at": bodies.whole,
    "update_at": bodies.whole,
    "edit_at": bodies.whole,
    "delete_at": bodies.whole,
}
"""What a post in a body may hold."""


def create_post(call: Call) -> Answer:
    """Make a post in a channel."""
    given = call.json("post", POST)
    channel_id = given.get("channel_id", "")
    if not call.may_in_channel(channel_id, "create_post"):
        raise call.refuse("create_post")
    channel = call.state.channels.by_id[channel_id]
    if given.get("type", "").startswith("system_"):
        raise ApiRefusal(400, "api.context.invalid_param.app_error", "Invalid post.type parameter.")
    if channel.delete_at:
        raise ApiRefusal(400, "api.post.create_post.can_not_post_to_deleted.error", "Can not post to deleted channel.")
    new = posting.NewPost(
        channel=channel,
        user_id=call.user_id,
        message=given.get("message", ""),
        type=given.get("type", ""),
        root_id=given.get("root_id", ""),
        props=given.get("props", {}),
        file_ids=tuple(given.get("file_ids", ())),
        create_at=given.get("create_at", 0) if call.is_admin else 0,
        by_client=True,
    )
    posting.check(call.site, new)
    set_online = call.query_text("set_online") not in ("0", "f", "F", "false", "False", "FALSE")
    post = posting.create_and_view(call.site, new, set_online=set_online)
    if set_online:
        call.site.set_online(call.user_id)
    return json_answer(_with_replies(call, post) | {"pending_post_id": given.get("pending_post_id", "")}, 201)


def _with_replies(call: Call, post: Post) -> dict[str, object]:
    return call.views.post(post, reply_count=call.site.reply_count(post))


def get_post(call: Call) -> Answer:
    """Give one post."""
    post = readable_post(call)
    row = _with_replies(call, post) if call.site.version.modern else call.views.post(post)
    return json_answer(row, headers={"Etag": f"{call.site.version.number}.{post.id}.{post.update_at}"})


def readable_post(call: Call) -> Post:
    """Return the post in the path, if the caller may read its channel."""
    post = call.target_post()
    need_to_read(call, call.state.channels.by_id[post.channel_id])
    return post


def patch_post(call: Call) -> Answer:
    """Change what the body names of a post."""
    given = call.json("post", POST)
    post = call.target_post()
    call.need_in_channel(post.channel_id, "edit_post")
    if post.user_id != call.user_id:
        call.need_in_channel(post.channel_id, "edit_others_posts")
    posting.edit(call.site, post, given.get("message", post.message), given.get("props"))
    row = _with_replies(call, post)
    call.site.publish(call.site.events.post_edited(row))
    return json_answer(row)


def delete_post(call: Call) -> Answer:
    """Delete a post."""
    post = call.target_post()
    if post.user_id == call.user_id:
        call.need_in_channel(post.channel_id, "delete_post")
    else:
        call.need_in_channel(post.channel_id, "delete_others_posts")
    posting.delete(call.site, post, call.user_id)
    return ok()


ROUTES = (
    Route("POST", "/posts", create_post),
    Route("GET", "/posts/{post_id}", get_post),
    Route("PUT", "/posts/{post_id}/patch", patch_post),
    Route("DELETE", "/posts/{post_id}", delete_post),
)
