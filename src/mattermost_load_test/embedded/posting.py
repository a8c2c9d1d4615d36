"""Making, changing and deleting posts: what follows for channels, threads and the people mentioned."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import orjson

from mattermost_load_test.embedded import message_attachments
from mattermost_load_test.embedded.absent import tell_of_absent
from mattermost_load_test.embedded.api_errors import ApiRefusal
from mattermost_load_test.embedded.mentions import Mentions, hashtags, linked_channels, mentioned
from mattermost_load_test.embedded.plain_views import Row
from mattermost_load_test.embedded.reading import mark_viewed
from mattermost_load_test.embedded.site import Site
from mattermost_load_test.embedded.storing import store
from mattermost_load_test.embedded.tables.channels import Channel
from mattermost_load_test.embedded.tables.posts import MESSAGE_MAX, Post
from mattermost_load_test.embedded.tables.threads import Follower, Thread

CLIENT_TYPES = ("slack_attachment", "me", "add_bot_teams_channels", "reminder")
"""Types of posts besides the server's own and those that begin with ``custom_``."""

FILE_IDS_MAX = 300
"""How long a post's list of files may be, as JSON, in characters."""

PROPS_MAX = {False: 8_000, True: 800_000}
"""How long a post's props may be, as JSON, in characters, on old and new servers."""


@dataclass(frozen=True, slots=True)
class NewPost:
    """What a post is to be made of."""

    channel: Channel
    user_id: str
    message: str
    type: str = ""
    root_id: str = ""
    props: dict[str, Any] = field(default_factory=dict)
    file_ids: tuple[str, ...] = ()
    create_at: int = 0
    by_client: bool = False
    pending_id: str = ""
    """What the client calls the post until it has an id."""
    shown_as: dict[str, str] = field(default_factory=dict)
    """What the event of the post says of its channel instead of the truth, by the names of a channel's row."""
    unheard_by: frozenset[str] = frozenset()
    """Members of the channel who do not get the event of the post."""


def check(site: Site, new: NewPost) -> None:
    """Refuse what cannot become a post: too much of something, or a reply to what is no root of this channel."""
    if new.root_id:
        _check_root(site, new)
    post_id = site.new_id()
    check_contents(site, new.message, new.props, post_id)
    if new.type not in ("", *CLIENT_TYPES) and not new.type.startswith(("system_", "custom_")):
        raise ApiRefusal(400, "model.post.is_valid.type.app_error", "Invalid type.", f"id={new.type}")
    if len(orjson.dumps(new.file_ids)) > FILE_IDS_MAX:
        message = "Invalid file ids. Note that uploads are limited to 5 files maximum. "
        message += "Please use additional posts for more files."
        raise ApiRefusal(400, "model.post.is_valid.file_ids.app_error", message, f"id={post_id}")


def check_contents(site: Site, message: str, props: dict[str, Any], post_id: str) -> None:
    """Refuse a message that is too long, and too many props."""
    modern = site.version.modern
    if len(message) > MESSAGE_MAX:
        told = f"Post message length must be {MESSAGE_MAX} characters or less." if modern else "Invalid message."
        raise ApiRefusal(400, "model.post.is_valid.msg.app_error", told, f"id={post_id}")
    if props and len(orjson.dumps(props).decode()) > PROPS_MAX[modern]:
        raise ApiRefusal(400, "model.post.is_valid.props.app_error", "Invalid props.", f"id={post_id}")


def _check_root(site: Site, new: NewPost) -> None:
    root = site.state.posts.by_id.get(new.root_id)
    if root is None or root.delete_at or root.root_id:
        raise ApiRefusal(400, "api.post.create_post.root_id.app_error", "Invalid RootId parameter.")
    if root.channel_id != new.channel.id:
        raise ApiRefusal(
            400, "api.post.create_post.channel_root_id.app_error", "Invalid ChannelId for RootId parameter."
        )


def create(site: Site, new: NewPost, *, set_online: bool = True) -> Post:
    """Make a post and tell everybody concerned; `check` has accepted it."""
    state = site.state
    now = new.create_at or state.now_ms()
    post = Post(
        id=state.new_id(),
        channel_id=new.channel.id,
        user_id=new.user_id,
        message=new.message,
        create_at=now,
        update_at=now,
        root_id=new.root_id,
        type=new.type,
        by_client=new.by_client,
        hashtags=hashtags(new.message),
        props=with_channel_mentions(site, new),
        file_ids=_attachable(site, new),
    )
    store(state, post, new.channel)
    for file_id in post.file_ids:
        state.attachments.attach(state.attachments.files[file_id], post.id, new.channel.id)
    state.counts["posts"] += 1
    state.counts["files"] += len(post.file_ids)
    mentions = _notify(site, post, new.channel)
    _publish(site, post, new, mentions, set_online=set_online)
    if post.root_id:
        _see_own(site, post)
    if mentions.outside and not post.is_system:
        tell_of_absent(site, post, new.channel, mentions.outside)
    return post


def with_channel_mentions(site: Site, new: NewPost) -> dict[str, Any]:
    """Return a post's props with the public channels of the team that its message links to."""
    props = {key: value for key, value in new.props.items() if key not in ("channel_mentions", "add_channel_member")}
    attachments = message_attachments.kept(props.get("attachments"))
    if attachments is not None:
        props["attachments"] = attachments
    names = linked_channels(new.message)
    if not names:
        return props
    team = site.state.teams.by_id.get(new.channel.team_id)
    found: dict[str, Any] = {}
    for name in names:
        channel = site.state.channels.named(new.channel.team_id, name.lower())
        if team is not None and channel is not None and channel.is_open and not channel.delete_at:
            found[channel.name] = {"display_name": channel.display_name, "team_name": team.name}
    return props | {"channel_mentions": found} if found else props


def _attachable(site: Site, new: NewPost) -> tuple[str, ...]:
    """Return those of the files that are the poster's own and that no post has yet."""
    files = site.state.attachments.files
    return tuple(
        file_id
        for file_id in dict.fromkeys(new.file_ids)
        if (file := files.get(file_id)) is not None and file.user_id == new.user_id and not file.post_id
    )


def _notify(site: Site, post: Post, channel: Channel) -> Mentions:
    """Count mentions for the mentioned and let those concerned follow the thread."""
    state = site.state
    mentions = mentioned(state, post, channel, channel_wide=_may_call_all(site, post, channel))
    for user_id in mentions.all:
        member = state.channels.member(channel.id, user_id)
        if member is not None:
            member.mention_count += 1
            member.mention_count_root += not post.root_id
    if post.root_id and state.config.get("ServiceSettings", "ThreadAutoFollow"):
        _let_follow(site, post, channel, mentions)
    return mentions


def _may_call_all(site: Site, post: Post, channel: Channel) -> bool:
    if post.type in ("system_header_change", "system_purpose_change"):
        return False
    most = site.state.config.get("TeamSettings", "MaxNotificationsPerChannel")
    if len(site.state.channels.members(channel.id)) >= most:
        return False
    return site.permissions.in_channel(post.user_id, channel.id, "use_channel_mentions")


def _let_follow(site: Site, reply: Post, channel: Channel, mentions: Mentions) -> None:
    """Let a reply's author, those it mentions, and those of the root post follow the thread."""
    thread = site.state.threads.by_root[reply.root_id]
    concerned = {reply.user_id, thread.root.user_id, *mentions.all}
    if not channel.is_personal:
        concerned |= mentioned(site.state, thread.root, channel, channel_wide=True).called
    for user_id in sorted(concerned):
        follower = thread.followers.get(user_id)
        called = user_id in mentions.called
        if follower is None:
            follower = Follower(user_id, reply.root_id, last_updated=reply.create_at)
            site.state.threads.follow(thread, follower)
        elif not follower.following and user_id not in mentions.all:
            continue
        elif not follower.following or called or user_id == reply.user_id:
            follower.last_updated = reply.create_at
        follower.following = True
        follower.unread_mentions += called


def _see_own(site: Site, reply: Post) -> None:
    """Let the author of a reply have seen its thread up to it."""
    follower = site.state.threads.by_root[reply.root_id].followers.get(reply.user_id)
    if follower is not None and follower.following:
        follower.last_viewed = reply.create_at
        follower.unread_mentions = 0


def _publish(site: Site, post: Post, new: NewPost, mentions: Mentions, *, set_online: bool) -> None:
    state, channel = site.state, new.channel
    thread = state.threads.get(post.root_id) if post.root_id else None
    replies = len(thread.replies) if thread is not None else 0
    sender = state.users.by_id[post.user_id]
    files = [state.attachments.files[file_id] for file_id in post.file_ids]
    site.publish(
        site.events.posted(
            _with_mentioned_ids(site, channel, site.views.post(post, reply_count=replies, fresh=True))
            | {"pending_post_id": new.pending_id},
            site.views.channel(channel) | new.shown_as,
            "System" if post.is_system else f"@{sender.username}",
            channel_display_name=f"@{sender.username}" if channel.type == "D" else None,
            mentions=sorted(mentions.all),
            followers=_followers_told(site, thread, post),
            has_image=any(file.is_image for file in files),
            set_online=set_online,
            unheard_by=new.unheard_by,
        )
    )
    if thread is not None:
        for follower in list(thread.followers.values()):
            if follower.following and site.collapses_threads(follower.user_id):
                _tell_follower(site, thread, follower, post, channel, named=follower.user_id in mentions.called)


def _with_mentioned_ids(site: Site, channel: Channel, row: Row) -> Row:
    """Name in a new post's event also the ids of the channels that it links to, as newer servers do."""
    linked = row["props"].get("channel_mentions")
    if not linked or not site.version.modern:
        return row
    named = dict(linked)
    for name, link in linked.items():
        target = site.state.channels.named(channel.team_id, name)
        if target is not None:
            named[name] = {**link, "id": target.id}
    return {**row, "props": {**row["props"], "channel_mentions": named}}


def _followers_told(site: Site, thread: Thread | None, post: Post) -> list[str]:
    if thread is None or not site.version.modern:
        return []
    others = [f.user_id for f in thread.followers.values() if f.following and f.user_id != post.user_id]
    return [user_id for user_id in others if site.collapses_threads(user_id)]


def _tell_follower(
    site: Site, thread: Thread, follower: Follower, post: Post, channel: Channel, *, named: bool
) -> None:
    row, unread = site.views.thread(thread, follower, extended=True), thread.unread_replies(follower)
    if follower.user_id == post.user_id:
        row = {**row, "unread_replies": 0, "unread_mentions": 0}
        if not site.version.modern:
            row["last_viewed_at"] = post.create_at
    built = site.events.thread_updated(
        follower.user_id, channel.team_id, row, follower.unread_mentions - named, max(0, unread - 1)
    )
    site.publish(built)


def create_and_view(site: Site, new: NewPost, *, set_online: bool = True) -> Post:
    """Make a post of somebody who is looking at the channel: it is read by its author at once.

    Where threads are collapsed, a reply is read in its thread and not in the channel.
    """
    post = create(site, new, set_online=set_online)
    collapsed = site.version.modern and post.root_id and site.collapses_threads(new.user_id)
    if "from_webhook" not in post.props and not collapsed:
        mark_viewed(site, new.user_id, [new.channel.id], threads_supported=True)
    return post
