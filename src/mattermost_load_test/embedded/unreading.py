"""Marking posts unread: what a channel's member has left to read from then on."""

from __future__ import annotations

from collections.abc import Iterator

from mattermost_load_test.embedded import following
from mattermost_load_test.embedded.mentions import mentioned
from mattermost_load_test.embedded.plain_views import Row
from mattermost_load_test.embedded.site import Site
from mattermost_load_test.embedded.tables.channels import DIRECT, Channel, ChannelMember
from mattermost_load_test.embedded.tables.posts import Post
from mattermost_load_test.embedded.tables.threads import Follower


def mark_unread(site: Site, post: Post, member: ChannelMember, *, threads_supported: bool) -> Row:
    """Let everything from a post on be unread to a member of its channel; return what is unread then.

    `threads_supported` tells that the client shows threads apart from their channel.
    """
    channel = site.state.channels.by_id[post.channel_id]
    apart = threads_supported and site.collapses_threads(member.user_id)
    if post.root_id and not apart:
        _mark_thread(site, post, member.user_id, channel)
    _mark_channel(site, post, member, channel, with_roots=apart or not post.root_id)
    counts: Row = {
        "msg_count": member.msg_count,
        "mention_count": member.mention_count,
        "mention_count_root": member.mention_count_root,
        "msg_count_root": member.msg_count_root,
        "last_viewed_at": member.last_viewed_at,
    }
    if site.version.modern:
        counts["urgent_mention_count"] = 0
    if apart or not post.root_id:
        told = {key: value for key, value in counts.items() if not apart or key != "msg_count_root"}
        site.publish(site.events.post_unread(member.user_id, channel.team_id, channel.id, post.id, told))
    return {"team_id": channel.team_id, "user_id": member.user_id, "channel_id": channel.id, **counts}


def _mark_thread(site: Site, post: Post, user_id: str, channel: Channel) -> None:
    """Let a thread be unread from one of its replies on; who marks it follows it."""
    thread = site.state.threads.by_root[post.root_id]
    follower: Follower = following.known(site, thread, user_id)
    follower.following = True
    follower.last_viewed = post.update_at - 1
    follower.unread_mentions = following.mentions_since(site, thread, user_id, post.update_at - 1)
    if site.collapses_threads(user_id):
        row = site.views.thread(thread, follower, extended=True)
        site.publish(site.events.thread_updated(user_id, channel.team_id, row))


def _mark_channel(site: Site, post: Post, member: ChannelMember, channel: Channel, *, with_roots: bool) -> None:
    later = list(_from(site, post))
    counted = [entry for entry in later if not entry.tells_of_membership]
    mentions = [entry for entry in later if _mentions(site, entry, channel, member.user_id)]
    unread_roots = sum(not entry.root_id for entry in counted) if with_roots else 0
    member.msg_count = channel.total_msg_count - len(counted)
    member.msg_count_root = channel.total_msg_count_root - unread_roots
    member.mention_count = len(mentions)
    member.mention_count_root = sum(not entry.root_id for entry in mentions) if with_roots else 0
    member.last_viewed_at = post.create_at - 1
    member.last_update_at = site.now_ms()


def _from(site: Site, post: Post) -> Iterator[Post]:
    yield from site.state.posts.of_channel(post.channel_id).made_after(post.create_at - 1)


def _mentions(site: Site, post: Post, channel: Channel, user_id: str) -> bool:
    if channel.type == DIRECT:
        return post.user_id != user_id
    found = mentioned(site.state, post, channel, channel_wide=True)
    return user_id in found.all
