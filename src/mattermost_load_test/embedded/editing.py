"""Changing and deleting posts: what is kept of their earlier state, and what goes with them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mattermost_load_test.embedded.api_errors import ApiRefusal
from mattermost_load_test.embedded.mentions import hashtags, linked_channels
from mattermost_load_test.embedded.plain_views import Row
from mattermost_load_test.embedded.posting import NewPost, check_contents, with_channel_mentions
from mattermost_load_test.embedded.site import Site
from mattermost_load_test.embedded.tables.posts import Post


@dataclass(frozen=True, slots=True)
class Change:
    """What a post is to be from now on."""

    message: str
    props: dict[str, Any]
    is_pinned: bool = False
    has_reactions: bool = False


def unchanged(post: Post, **other: Any) -> Change:
    """Make the change that leaves a post as it is but for what is named."""
    now: dict[str, Any] = {
        "message": post.message,
        "props": post.props,
        "is_pinned": post.is_pinned,
        "has_reactions": post.has_reactions,
    }
    return Change(**(now | other))


def check(site: Site, post: Post, change: Change, doing: str) -> None:
    """Refuse to change what may not change: posts of archived channels and of the server itself, or too much text.

    `doing` is what the error of an archived channel calls it: ``patch_post`` or ``update_post``.
    """
    if site.state.channels.by_id[post.channel_id].delete_at:
        message = "Can not update a post in a deleted channel."
        raise ApiRefusal(400, f"api.post.{doing}.can_not_update_post_in_deleted.error", message)
    if post.is_system:
        message = "Unable to update system message."
        raise ApiRefusal(400, "api.post.update_post.system_message.app_error", message, f"id={post.id}")
    check_contents(site, change.message, change.props, post.id)


def edit(site: Site, post: Post, change: Change) -> Row:
    """Change a post, tell its channel, and show it; its earlier state stays behind as a deleted post."""
    state = site.state
    now = state.now_ms()
    state.posts.add(_earlier(site, post, now))
    if change.message != post.message or change.props.get("attachments") != post.props.get("attachments"):
        post.edit_at = now
    post.message = change.message
    post.hashtags = hashtags(change.message)
    post.props = _props(site, post, change)
    post.has_reactions = change.has_reactions
    state.posts.set_pinned(post, change.is_pinned)
    state.posts.touch(post, now)
    state.posts.words.add(post)
    row = site.views.post(post, reply_count=site.reply_count(post))
    site.publish(site.events.post_edited(row))
    return row


def _earlier(site: Site, post: Post, now: int) -> Post:
    return Post(
        id=site.new_id(),
        channel_id=post.channel_id,
        user_id=post.user_id,
        message=post.message,
        create_at=post.create_at,
        update_at=now,
        original_id=post.id,
        root_id=post.root_id,
        type=post.type,
        edit_at=post.edit_at,
        delete_at=now,
        is_pinned=post.is_pinned,
        has_reactions=post.has_reactions,
        by_client=post.by_client,
        hashtags=post.hashtags,
        props=post.props,
        file_ids=post.file_ids,
    )


def _props(site: Site, post: Post, change: Change) -> dict[str, Any]:
    """Return the props of a changed post; an old server keeps the links of its earlier message."""
    if not site.version.modern and not linked_channels(change.message):
        return change.props
    channel = site.state.channels.by_id[post.channel_id]
    return with_channel_mentions(site, NewPost(channel, post.user_id, change.message, props=change.props))


def delete(site: Site, post: Post, deleted_by: str) -> None:
    """Delete a post, with its replies if it is a root, and tell the channel."""
    state = site.state
    thread = state.threads.get(post.root_id or post.id)
    gone = [post]
    replies = len(thread.replies) if thread is not None and state.version.modern else 0
    if thread is not None and not post.root_id:
        gone += thread.replies
    elif thread is not None:
        thread.replies.remove(post)
    row = site.views.post(post, reply_count=replies)
    for other in gone:
        other.props = {**other.props, "deleteBy": deleted_by}
    state.posts.delete(gone, state.now_ms())
    state.attachments.forget(post.file_ids)
    state.preferences.delete_of_all("flagged_post", post.id)
    site.publish(site.events.post_deleted(row, deleted_by))
