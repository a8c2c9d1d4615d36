"""Reading channels: what viewing one changes, and what is still unread."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from mattermost_load_test.embedded.site import Site
from mattermost_load_test.embedded.tables.channels import Channel, ChannelMember


def mark_viewed(site: Site, user_id: str, channel_ids: Iterable[str]) -> dict[str, int]:
    """Note that a user has seen channels up to their last post; return the time up to which each is seen now."""
    state = site.state
    times: dict[str, int] = {}
    told: dict[str, int] = {}
    for channel_id in dict.fromkeys(channel_ids):
        member = state.channels.member(channel_id, user_id)
        channel = state.channels.by_id.get(channel_id)
        if member is None or channel is None:
            continue
        if _is_unread(channel, member) or not state.version.modern:
            told[channel_id] = channel.last_post_at
        see(channel, member)
        times[channel_id] = channel.last_post_at
    site.publish(site.events.channels_viewed(user_id, told))
    return times


def _is_unread(channel: Channel, member: ChannelMember) -> bool:
    return channel.last_post_at > member.last_viewed_at or member.mention_count > 0


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
