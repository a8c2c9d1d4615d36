"""What users mark on posts: pinned to the channel, unread."""

from __future__ import annotations

from mattermost_load_test.embedded import bodies, editing, unreading
from mattermost_load_test.embedded.answers import Answer, json_answer, ok
from mattermost_load_test.embedded.call import Call
from mattermost_load_test.embedded.routing import Route


def pin_post(call: Call) -> Answer:
    """Pin a post to its channel."""
    return _pin(call, pinned=True)


def unpin_post(call: Call) -> Answer:
    """Take a post off its channel's board."""
    return _pin(call, pinned=False)


def _pin(call: Call, *, pinned: bool) -> Answer:
    post_id = call.id_param("post_id")
    call.need_by_post(post_id, "read_channel")
    post = call.known_post(post_id)
    change = editing.unchanged(post, is_pinned=pinned)
    editing.check(call.site, post, change, "patch_post")
    editing.edit(call.site, post, change)
    return ok()


def set_post_unread(call: Call) -> Answer:
    """Let a channel be unread to a user from a post on."""
    post_id, user_id = call.id_param("post_id"), call.id_param("user_id")
    given = bodies.decode_any_map(call.body)
    call.need_self_or(user_id)
    call.need_by_post(post_id, "read_channel")
    post = call.known_post(post_id)
    member = call.membership(post.channel_id, user_id)
    supported = given.get("collapsed_threads_supported") is True
    return json_answer(unreading.mark_unread(call.site, post, member, threads_supported=supported))


ROUTES = (
    Route("POST", "/posts/{post_id}/pin", pin_post),
    Route("POST", "/posts/{post_id}/unpin", unpin_post),
    Route("POST", "/users/{user_id}/posts/{post_id}/set_unread", set_post_unread),
)
