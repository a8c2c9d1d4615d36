"""Importing posts with replies and reactions, in channels and in direct channels."""

from __future__ import annotations

from mattermost_load_test.embedded.import_people import find_members, open_personal
from mattermost_load_test.embedded.import_values import (
    ImportRefusal,
    Line,
    lines_of,
    number_of,
    object_of,
    require,
    text_of,
    texts_of,
)
from mattermost_load_test.embedded.mentions import hashtags
from mattermost_load_test.embedded.state import State
from mattermost_load_test.embedded.storing import store
from mattermost_load_test.embedded.tables.attachments import Reaction
from mattermost_load_test.embedded.tables.channels import Channel
from mattermost_load_test.embedded.tables.posts import MESSAGE_MAX, Post
from mattermost_load_test.embedded.tables.presence import Preference
from mattermost_load_test.embedded.tables.users import User


def import_post(state: State, line: Line) -> None:
    """Add a post to a channel of a team; the same message of the same moment stays what it is."""
    for key, shown in (("team", "Team"), ("channel", "Channel")):
        message = f"Missing required Post property: {shown}."
        require(text_of(line, key) is not None, f"validate_post_import_data.{key}_missing", message)
    _check(line, "post", "Post")
    team = state.teams.by_name.get(text_of(line, "team") or "")
    if team is None:
        raise ImportRefusal("app.import.get_teams_by_names.some_teams_not_found.error", "Some teams not found")
    name = text_of(line, "channel") or ""
    channel = state.channels.named(team.id, name)
    if channel is None:
        message = f'Error importing post. Channel with name "{name}" could not be found.'
        raise ImportRefusal("app.import.import_post.channel_not_found.error", message)
    _add_with_replies(state, channel, line)


def import_direct_post(state: State, line: Line) -> None:
    """Add a post to a direct or group channel."""
    names = texts_of(line, "channel_members")
    where = "validate_direct_post_import_data.channel_members"
    require(names is not None, f"{where}_required", "Missing required direct post property: channel_members")
    _check(line, "direct_post", "direct post")
    users = find_members(state, names or [], where, "Direct post channel members list")
    _add_with_replies(state, open_personal(state, users), line)


def _check(line: Line, kind: str, shown: str, parent_at: int = 0) -> None:
    where = f"validate_{kind}_import_data"
    message, created_at = text_of(line, "message"), number_of(line, "create_at")
    require(text_of(line, "user") is not None, f"{where}.user_missing", f"Missing required {shown} property: User.")
    require(message is not None, f"{where}.message_missing", f"Missing required {shown} property: Message.")
    good = len(message or "") <= MESSAGE_MAX
    require(good, f"{where}.message_length", f"{shown} Message property is longer than the maximum permitted length.")
    require(created_at is not None, f"{where}.create_at_missing", f"Missing required {shown} property: create_at.")
    require(created_at, f"{where}.create_at_zero", f"{shown} CreateAt property must not be zero.")
    require(
        created_at is not None and created_at >= parent_at,
        f"{where}.create_at_before_parent",
        f"{shown} CreateAt property must be greater than the parent post CreateAt.",
    )


def _add_with_replies(state: State, channel: Channel, line: Line) -> None:
    root = _add(state, channel, line, "")
    for name in texts_of(line, "flagged_by") or ():
        state.preferences.save(Preference(_user(state, name).id, "flagged_post", root.id, "true"))
    for reaction_line in lines_of(line, "reactions"):
        _react(state, root, reaction_line)
    for reply_line in lines_of(line, "replies"):
        _check(reply_line, "reply", "Reply", root.create_at)
        _add(state, channel, reply_line, root.id)


def _user(state: State, name: str) -> User:
    user = state.users.by_username.get(name)
    if user is None:
        raise ImportRefusal("app.import.get_users_by_username.some_users_not_found.error", "Some users not found")
    return user


def _add(state: State, channel: Channel, line: Line, root_id: str) -> Post:
    user = _user(state, text_of(line, "user") or "")
    message, created_at = text_of(line, "message") or "", number_of(line, "create_at") or 0
    known = state.posts.of_channel(channel.id).made_at(created_at)
    for post in known:
        if post.message == message and post.root_id == root_id:
            post.user_id = user.id
            return post
    post = Post(
        id=state.new_id(),
        channel_id=channel.id,
        user_id=user.id,
        message=message,
        create_at=created_at,
        update_at=created_at,
        root_id=root_id,
        hashtags=hashtags(message),
        props=object_of(line, "props") or {},
        by_client=False,
    )
    store(state, post, channel)
    state.counts["posts"] += 1
    return post


def _react(state: State, post: Post, line: Line) -> None:
    where = "validate_reaction_import_data"
    name, created_at = text_of(line, "emoji_name"), number_of(line, "create_at")
    good: object = text_of(line, "user") is not None
    require(good, f"{where}.user_missing", "Missing required Reaction property: User.")
    require(name is not None, f"{where}.emoji_name_missing", "Missing required Reaction property: EmojiName.")
    require(created_at is not None, f"{where}.create_at_missing", "Missing required Reaction property: create_at.")
    require(created_at, f"{where}.create_at_zero", "Reaction CreateAt property must not be zero.")
    user = _user(state, text_of(line, "user") or "")
    state.attachments.react(Reaction(user.id, post.id, name or "", created_at or 0, post.channel_id))
    post.has_reactions = True
