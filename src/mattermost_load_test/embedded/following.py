"""Following threads and reading them: what a user knows of threads, and what is told of it."""

from __future__ import annotations

from mattermost_load_test.embedded.mentions import mentioned
from mattermost_load_test.embedded.site import Site
from mattermost_load_test.embedded.tables.posts import Post
from mattermost_load_test.embedded.tables.threads import Follower, Thread


def follow(site: Site, user_id: str, team_id: str, root_id: str, *, following: bool) -> None:
    """Let a user follow the thread under a post, or not any more; following it anew counts as having read it."""
    root = site.state.posts.by_id.get(root_id)
    replies = 0
    if root is not None:
        thread = site.state.threads.start(root)
        replies = len(thread.replies)
        follower = known(site, thread, user_id)
        follower.following = following
        follower.last_updated = site.now_ms()
        if following:
            follower.last_viewed = site.now_ms()
    site.publish(site.events.thread_follow_changed(user_id, team_id, root_id, state=following, reply_count=replies))


def known(site: Site, thread: Thread, user_id: str) -> Follower:
    """Return what a user knows of a thread, beginning with that it is followed."""
    follower = thread.followers.get(user_id)
    if follower is None:
        follower = Follower(user_id, thread.root.id, last_updated=site.now_ms())
        site.state.threads.follow(thread, follower)
    return follower


def read_up_to(site: Site, team_id: str, thread: Thread, follower: Follower, time_ms: int) -> None:
    """Note that a thread is read up to a time, and tell its reader."""
    mentions, replies = follower.unread_mentions, thread.unread_replies(follower)
    follower.following = True
    follower.last_viewed = time_ms
    follower.unread_mentions = mentions_since(site, thread, follower.user_id, time_ms)
    site.publish(
        site.events.thread_read_changed(
            follower.user_id,
            team_id,
            thread.root.channel_id,
            thread.root.id,
            time_ms,
            follower.unread_mentions,
            thread.unread_replies(follower),
            previous_unread_mentions=mentions,
            previous_unread_replies=replies,
        )
    )


def mentions_since(site: Site, thread: Thread, user_id: str, time_ms: int) -> int:
    """Count the posts of a thread made at or after a time that mention a user."""
    posts = [*thread.replies, thread.root]
    return sum(post.create_at >= time_ms and _mentions(site, post, user_id) for post in posts)


def _mentions(site: Site, post: Post, user_id: str) -> bool:
    channel = site.state.channels.by_id[post.channel_id]
    if channel.is_personal and post.user_id == user_id:
        return False
    return user_id in mentioned(site.state, post, channel, channel_wide=True).called


def read_all(site: Site, user_id: str, team_id: str) -> None:
    """Note that all threads of a team, and of direct and group channels, are read, and tell their reader."""
    now = site.now_ms()
    for thread, follower in of_team(site, user_id, team_id):
        if follower.last_viewed < thread.last_reply_at or not site.version.modern:
            follower.last_viewed = now
        follower.unread_mentions = 0
    site.publish(site.events.all_threads_read(user_id, team_id, now))


def of_team(site: Site, user_id: str, team_id: str, *, deleted: bool = False) -> list[tuple[Thread, Follower]]:
    """Return the threads with replies that a user knows in a team and in direct and group channels.

    `deleted` gives those of deleted root posts, too.
    """
    state = site.state
    found = []
    for root_id, follower in state.threads.of_user(user_id).items():
        thread = state.threads.by_root[root_id]
        channel = state.channels.by_id.get(thread.root.channel_id)
        shown = thread.begun and (deleted or not thread.root.delete_at)
        if shown and channel is not None and channel.team_id in ("", team_id):
            found.append((thread, follower))
    return found
