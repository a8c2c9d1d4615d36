"""Posts: making, changing, deleting, and reading one."""

from __future__ import annotations

from mattermost_load_test.embedded import bodies, editing, posting
from mattermost_load_test.embedded.answers import Answer, json_answer, ok
from mattermost_load_test.embedded.api_errors import ApiRefusal, invalid_body
from mattermost_load_test.embedded.call import Call
from mattermost_load_test.embedded.plain_views import Row
from mattermost_load_test.embedded.reading import mark_viewed
from mattermost_load_test.embedded.routes.channels import need_to_read
from mattermost_load_test.embedded.routing import Route
from mattermost_load_test.embedded.tables.channels import Channel
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
    pending_id = given.get("pending_post_id", "")
    set_online = call.query_text("set_online") not in ("0", "f", "F", "false", "False", "FALSE")
    known = call.state.pending_posts.get(pending_id, call.state.now_ms())
    if known is None:
        row = _made(call, channel, given, set_online) | {"pending_post_id": pending_id}
    else:
        row = _sent_twice(call, known)
    if set_online:
        call.site.set_online(call.user_id)
    return json_answer(row, 201)


def _made(call: Call, channel: Channel, given: bodies.Json, set_online: bool) -> Row:
    new = posting.NewPost(
        channel=channel,
        user_id=call.user_id,
        message=given.get("message", ""),
        type=given.get("type", ""),
        root_id=given.get("root_id", ""),
        props=given.get("props", {}),
        file_ids=tuple(dict.fromkeys(given.get("file_ids", ()))),
        create_at=given.get("create_at", 0) if call.is_admin else 0,
        by_client=True,
        pending_id=given.get("pending_post_id", ""),
    )
    posting.check(call.site, new)
    post = posting.create_and_view(call.site, new, set_online=set_online)
    call.state.pending_posts.add(new.pending_id, post.id, call.state.now_ms())
    return call.views.post(post, reply_count=call.site.reply_count(post), fresh=True)


def _sent_twice(call: Call, post_id: str) -> Row:
    """Show the post that the client has sent before; a post is not made twice."""
    post = call.known_post(post_id)
    mark_viewed(call.site, call.user_id, [post.channel_id], threads_supported=True)
    return {key: value for key, value in with_replies(call, post).items() if key != "metadata"}


def with_replies(call: Call, post: Post) -> Row:
    """Show a post with the number of replies in its thread."""
    return call.views.post(post, reply_count=call.site.reply_count(post))


def get_post(call: Call) -> Answer:
    """Give one post."""
    post = readable_post(call)
    row = with_replies(call, post) if call.site.version.modern else call.views.post(post)
    return json_answer(row, headers={"Etag": f"{call.site.version.number}.{post.id}.{post.update_at}"})


def readable_post(call: Call) -> Post:
    """Return the post in the path, if the caller may read its channel."""
    post = call.target_post()
    need_to_read(call, call.state.channels.by_id[post.channel_id])
    return post


def update_post(call: Call) -> Answer:
    """Make a post what the body says; what the body leaves out is taken away."""
    given = call.json("post", POST)
    post_id = call.id_param("post_id")
    if given.get("id", "") != post_id:
        raise invalid_body("id")
    call.need_by_post(post_id, "edit_post")
    post = _editable(call, "edit_others_posts")
    change = editing.Change(
        given.get("message", ""),
        given.get("props", {}),
        is_pinned=given.get("is_pinned", False),
        has_reactions=given.get("has_reactions", False),
    )
    editing.check(call.site, post, change, "update_post")
    return json_answer(editing.edit(call.site, post, change))


def patch_post(call: Call) -> Answer:
    """Change what the body names of a post."""
    given = call.json("post", POST, strict=True)
    post = _editable(call, "edit_others_posts")
    names = ("message", "props", "is_pinned", "has_reactions")
    change = editing.unchanged(post, **{name: given[name] for name in names if name in given})
    editing.check(call.site, post, change, "patch_post")
    return json_answer(editing.edit(call.site, post, change))


def _editable(call: Call, for_others: str) -> Post:
    """Return the post in the path, if the caller may change it as its author, or else with the permission given."""
    post = call.state.posts.by_id.get(call.id_param("post_id"))
    if post is None or post.delete_at:
        raise call.refuse("edit_post")
    call.need_in_channel(post.channel_id, "edit_post" if post.user_id == call.user_id else for_others)
    return post


def delete_post(call: Call) -> Answer:
    """Delete a post."""
    post = call.state.posts.by_id.get(call.id_param("post_id"))
    if post is None or post.delete_at:
        raise call.refuse("delete_post")
    call.need_in_channel(post.channel_id, "delete_post" if post.user_id == call.user_id else "delete_others_posts")
    if call.state.channels.by_id[post.channel_id].delete_at:
        message = "Can not delete a post in a deleted channel."
        raise ApiRefusal(400, "api.post.delete_post.can_not_delete_post_in_deleted.error", message)
    editing.delete(call.site, post, call.user_id)
    return ok()


def create_ephemeral_post(call: Call) -> Answer:
    """Show one user a message that is kept nowhere."""
    given = bodies.decode_any_map(call.body)
    user_id, wanted = given.get("user_id"), given.get("post")
    if not isinstance(user_id, str) or not user_id:
        raise invalid_body("user_id")
    if not isinstance(wanted, dict):
        raise invalid_body("post")
    call.need("create_post_ephemeral")
    found = {key: value for key, value in wanted.items() if key in POST and POST[key](value)}
    post = Post(
        id=call.state.new_id(),
        channel_id=found.get("channel_id", ""),
        user_id=call.user_id,
        message=found.get("message", ""),
        create_at=call.state.now_ms(),
        update_at=0,
        root_id=found.get("root_id", ""),
        type="system_ephemeral",
        props=found.get("props", {}),
    )
    row = call.views.post(post)
    call.site.publish(call.site.events.ephemeral_message(user_id, row))
    return json_answer(row, 201)


ROUTES = (
    Route("POST", "/posts", create_post),
    Route("POST", "/posts/ephemeral", create_ephemeral_post),
    Route("GET", "/posts/{post_id}", get_post),
    Route("PUT", "/posts/{post_id}", update_post),
    Route("PUT", "/posts/{post_id}/patch", patch_post),
    Route("DELETE", "/posts/{post_id}", delete_post),
)
