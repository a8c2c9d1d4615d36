"""Putting posts into the tables: what a post counts for in its channel and in its thread."""

from __future__ import annotations

from mattermost_load_test.embedded.state import State
from mattermost_load_test.embedded.tables.channels import Channel
from mattermost_load_test.embedded.tables.posts import Post


def store(state: State, post: Post, channel: Channel) -> None:
    """Put a post into the tables and count it in its channel and thread."""
    state.posts.add(post)
    channel.last_post_at = max(channel.last_post_at, post.create_at)
    if not post.root_id:
        channel.last_root_post_at = max(channel.last_root_post_at, post.create_at)
    if not post.tells_of_membership:
        channel.total_msg_count += 1
        channel.total_msg_count_root += not post.root_id
    if post.root_id:
        _join_thread(state, post)


def _join_thread(state: State, reply: Post) -> None:
    root = state.posts.by_id[reply.root_id]
    thread = state.threads.start(root)
    if not thread.begun and not state.version.modern:
        thread.participants.append(root.user_id)
    thread.begun = True
    if reply.user_id not in thread.participants:
        thread.participants.append(reply.user_id)
    place = len(thread.replies)
    while place and thread.replies[place - 1].create_at > reply.create_at:
        place -= 1
    thread.replies.insert(place, reply)
    state.posts.touch(root, max(root.update_at, reply.create_at))
