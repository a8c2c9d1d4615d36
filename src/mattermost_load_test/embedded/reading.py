"""Reading channels: what viewing one changes, and what is still unread."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from mattermost_load_test.embedded.site import Site
from mattermost_load_test.embedded.tables.channels import Channel, ChannelMember


def mark_viewed(
    site: Site, user_id: str, channel_ids: Iterable[str], *, threads_supported: bool = False
) -> dict[str, int]:
    """Note that a user has seen channels up to their last post; return the time of each channel's last post.

    Without `threads_supported`, or where threads are not collapsed, the channels' threads are read as well.
    """
    state = site.state
    channels = [state.channels.by_id[channel_id] for channel_id in dict.fromkeys(channel_ids) if channel_id]
    collapsed = site.collapses_threads(user_id)
    told: dict[str, int] = {}
    for channel in channels:
        member = state.channels.member(channel.id, user_id)
        if not state.version.modern or (member is not None and _is_unread(channel, member, collapsed=collapsed)):
            told[channel.id] = channel.last_post_at
        if member is not None:
            see(channel, member)
    if state.config.get("ServiceSettings", "EnableChannelViewedMessages"):
        site.publish(site.events.channels_viewed(user_id, told))
    if told and not (threads_supported and collapsed):
        _read_threads(site, user_id, told, collapsed=collapsed)
    return {channel.id: channel.last_post_at for channel in channels}


def _is_unread(channel: Channel, member: ChannelMember, *, collapsed: bool) -> bool:
    if collapsed:
        return channel.total_msg_count_root > member.msg_count_root or member.mention_count_root > 0
    return channel.total_msg_count > member.msg_count or member.mention_count > 0


def _read_threads(site: Site, user_id: str, channel_ids: Iterable[str], *, collapsed: bool) -> None:
    """Note that all threads of channels are read; the reader is told where threads are shown apart."""
    now = site.state.now_ms()
    wanted = set(channel_ids)
    for root_id, follower in site.state.threads.of_user(user_id).items():
        thread = site.state.threads.by_root[root_id]
        if thread.root.channel_id in wanted:
            if follower.last_viewed < thread.last_reply_at or not site.version.modern:
                follower.last_viewed = now
            follower.unread_mentions = 0
    for channel_id in wanted if collapsed else ():
        site.publish(site.events.channel_threads_read(user_id, channel_id, now))


def see(channel: Channel, member: ChannelMember) -> None:
    """Note that everything in the channel is read."""
    member.msg_count = channel.total_msg_count
    member.msg_count_root = channel.total_msg_count_root
    member.mention_count = member.mention_count_root = 0
    if channel.last_post_at > member.last_viewed_at:
        member.last_viewed_at = member.last_update_at = channel.last_post_at


def unread(site: Site, channel: Channel, member: ChannelMember) -> dict[str, Any]:
    """Show how much of a channel its member has not read."""
    row: dict[str, Any] = {
        "team_id": channel.team_id,
        "channel_id": channel.id,
        "msg_count": max(0, channel.total_msg_count - member.msg_count),
        "mention_count": member.mention_count,
        "mention_count_root": member.mention_count_root,
    }
    if site.version.modern:
        row["urgent_mention_count"] = 0
    row["msg_count_root"] = max(0, channel.total_msg_count_root - member.msg_count_root)
    return row


def teams_unread(site: Site, user_id: str, exclude_team: str, *, with_threads: bool) -> list[dict[str, Any]]:
    """Show for each team in which the user has a channel how much is unread in its channels."""
    channels = site.state.channels
    counts: dict[str, list[int]] = {}
    for channel_id, member in channels.of_user(user_id).items():
        channel = channels.by_id[channel_id]
        if channel.team_id != exclude_team and not channel.delete_at:
            _add_unread(counts.setdefault(channel.team_id, [0, 0, 0, 0]), channel, member)
    return [_team_row(site, user_id, team_id, count, with_threads=with_threads) for team_id, count in counts.items()]


def team_unread(site: Site, user_id: str, team_id: str) -> dict[str, Any]:
    """Show how much is unread in the user's channels of one team."""
    channels = site.state.channels
    count = [0, 0, 0, 0]
    for channel_id, member in channels.of_user(user_id).items():
        channel = channels.by_id[channel_id]
        if channel.team_id == team_id and not channel.delete_at:
            _add_unread(count, channel, member)
    return _team_row(site, user_id, team_id, count, with_threads=False)


def _add_unread(count: list[int], channel: Channel, member: ChannelMember) -> None:
    count[1] += member.mention_count
    count[2] += member.mention_count_root
    if member.notify_props.get("mark_unread") != "mention":
        count[0] += channel.total_msg_count - member.msg_count
        count[3] += channel.total_msg_count_root - member.msg_count_root


def _team_row(site: Site, user_id: str, team_id: str, count: list[int], *, with_threads: bool) -> dict[str, Any]:
    names = ("msg_count", "mention_count", "mention_count_root", "msg_count_root")
    row: dict[str, Any] = {"team_id": team_id, **dict(zip(names, count, strict=True))}
    if site.version.modern:
        threads = unread_threads(site, user_id, team_id) if with_threads else (0, 0)
        row |= {"thread_count": threads[0], "thread_mention_count": threads[1], "thread_urgent_mention_count": 0}
    return row


def unread_threads(site: Site, user_id: str, team_id: str) -> tuple[int, int]:
    """Count the followed threads of a team (and of no team) with unread replies, and the mentions in them."""
    state = site.state
    threads = mentions = 0
    for root_id, follower in state.threads.of_user(user_id).items():
        thread = state.threads.by_root[root_id]
        channel = state.channels.by_id.get(thread.root.channel_id)
        followed = follower.following and not thread.root.delete_at
        if followed and channel is not None and channel.team_id in ("", team_id):
            threads += thread.last_reply_at > follower.last_viewed
            mentions += follower.unread_mentions
    return threads, mentions
