"""Builders of the websocket events of Mattermost, one method per event, as a 5.37 or an 11.6 server sends them.

A builder only says what an event holds and for whom it is meant; `hub.Hub.publish` delivers it. Rows (posts, channels,
users, …) are given as the JSON objects that the REST API of the same server version answers with. Shapes come from the
recorded sessions, those without a recording from the servers' public source.

Use: ``hub.publish(*hub.events.posted(...))``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

Row = Mapping[str, Any]
"""A JSON object as the REST API shows it."""

NOBODY: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Broadcast:
    """Whom an event is meant for; what is left empty does not restrict.

    The first of `connection_id`, `user_id`, `channel_id`, `team_id` that is set decides; with none of them everybody
    gets the event. `omit_users` and `omit_connection_id` never get it. `for_users_only` (the server's
    ``contains_sanitized_data``) keeps it from system admins, `for_admins_only` (``contains_sensitive_data``) from all
    others.
    """

    user_id: str = ""
    channel_id: str = ""
    team_id: str = ""
    omit_users: frozenset[str] = NOBODY
    connection_id: str = ""
    omit_connection_id: str = ""
    for_users_only: bool = False
    for_admins_only: bool = False
    unheard_by: frozenset[str] = NOBODY
    """Who does not get it although nothing in it says so."""


TO_ALL = Broadcast()


@dataclass(frozen=True, slots=True)
class Event:
    """One event: its name, its `data`, and whom it is meant for.

    `personal` holds fields that only the users named see in `data`, each with its own id alone, as newer servers do
    with `mentions` and `followers`.
    """

    name: str
    data: Row
    broadcast: Broadcast = TO_ALL
    personal: Mapping[str, Collection[str]] = field(default_factory=dict)


Built = tuple[Event, ...]
"""What one cause publishes, in the order in which the server does."""


@dataclass(frozen=True, slots=True)
class Events:
    """Builds events for one server version: `modern` is 11.6, otherwise 5.37."""

    modern: bool

    # --- posts ---

    def posted(
        self,
        post: Row,
        channel: Row,
        sender_name: str,
        *,
        channel_display_name: str | None = None,
        mentions: Sequence[str] = (),
        followers: Sequence[str] = (),
        has_image: bool = False,
        set_online: bool = True,
        unheard_by: frozenset[str] = NOBODY,
    ) -> Built:
        """Build the event of a new post, for the members of its channel.

        `sender_name` is ``@username``, or ``System`` for system messages; `channel_display_name` is given for direct
        and group channels, whose rows hold none; `mentions` and `followers` are user ids; `has_image` tells that one
        of the post's files is an image; `set_online` is false for posts of webhooks; `unheard_by` are members who do
        not get to hear of it.
        """
        data: dict[str, Any] = {
            "channel_display_name": channel["display_name"] if channel_display_name is None else channel_display_name,
            "channel_name": channel["name"],
            "channel_type": channel["type"],
        }
        personal: dict[str, Collection[str]] = {}
        for key, user_ids in (("followers", followers), ("mentions", mentions)):
            if user_ids and self.modern:
                personal[key] = frozenset(user_ids)
            elif user_ids:
                data[key] = _text(list(user_ids))
        if has_image:
            data["image"] = "true"
        if post.get("file_ids"):
            data["otherFile"] = "true"
        data |= {"post": _text(post), "sender_name": sender_name, "set_online": set_online}
        data["team_id"] = channel["team_id"]
        return (Event("posted", data, Broadcast(channel_id=channel["id"], unheard_by=unheard_by), personal),)

    def post_edited(self, post: Row) -> Built:
        """Build the event of a changed (edited, pinned, …) post, for the members of its channel."""
        return (Event("post_edited", {"post": _text(post)}, Broadcast(channel_id=post["channel_id"])),)

    def post_deleted(self, post: Row, deleted_by: str) -> Built:
        """Build the events of a deleted post: system admins also learn who deleted it."""
        if self.modern:
            post = {key: value for key, value in post.items() if key != "metadata"}
        data = {"post": _text(post)}
        channel_id = post["channel_id"]
        return (
            Event("post_deleted", data, Broadcast(channel_id=channel_id, for_users_only=True)),
            Event(
                "post_deleted",
                {"delete_by": deleted_by, **data},
                Broadcast(channel_id=channel_id, for_admins_only=True),
            ),
        )

    def post_unread(self, user_id: str, team_id: str, channel_id: str, post_id: str, counts: Row) -> Built:
        """Build the event of a post marked unread, for the user; `counts` are msg_count, mention_count and the like."""
        data = dict(sorted({**counts, "post_id": post_id}.items()))
        return (Event("post_unread", data, Broadcast(user_id=user_id, channel_id=channel_id, team_id=team_id)),)

    def ephemeral_message(self, user_id: str, post: Row) -> Built:
        """Build the event of a message that one user alone sees."""
        broadcast = Broadcast(user_id=user_id, channel_id=post["channel_id"])
        return (Event("ephemeral_message", {"post": _text(post)}, broadcast),)

    def reaction_added(self, reaction: Row, channel_id: str) -> Built:
        """Build the event of a reaction put to a post, for the members of the post's channel."""
        return (Event("reaction_added", {"reaction": _text(reaction)}, Broadcast(channel_id=channel_id)),)

    def reaction_removed(self, reaction: Row, channel_id: str) -> Built:
        """Build the event of a reaction taken from a post, for the members of the post's channel."""
        return (Event("reaction_removed", {"reaction": _text(reaction)}, Broadcast(channel_id=channel_id)),)

    def draft_created(self, draft: Row) -> Built:
        """Build the event of a new draft, for its author (newer servers only; nothing on old ones)."""
        return self._draft("draft_created", draft)

    def draft_updated(self, draft: Row) -> Built:
        """Build the event of a changed draft, for its author (newer servers only; nothing on old ones)."""
        return self._draft("draft_updated", draft)

    def draft_deleted(self, draft: Row) -> Built:
        """Build the event of a deleted draft, for its author (newer servers only; nothing on old ones)."""
        return self._draft("draft_deleted", draft)

    def _draft(self, name: str, draft: Row) -> Built:
        broadcast = Broadcast(user_id=draft["user_id"], channel_id=draft["channel_id"])
        return (Event(name, {"draft": _text(draft)}, broadcast),) if self.modern else ()

    # --- threads ---

    def thread_updated(
        self,
        user_id: str,
        team_id: str,
        thread: Row,
        previous_unread_mentions: int = 0,
        previous_unread_replies: int = 0,
    ) -> Built:
        """Build the event of a thread that got a reply, for one follower; `thread` is as that follower sees it."""
        data: dict[str, Any] = {"thread": _text(thread)}
        if self.modern:
            previous = {
                "previous_unread_mentions": previous_unread_mentions,
                "previous_unread_replies": previous_unread_replies,
            }
            data = previous | data
        return (Event("thread_updated", data, Broadcast(user_id=user_id, team_id=team_id)),)

    def thread_read_changed(
        self,
        user_id: str,
        team_id: str,
        channel_id: str,
        thread_id: str,
        timestamp_ms: int,
        unread_mentions: int,
        unread_replies: int,
        *,
        previous_unread_mentions: int = 0,
        previous_unread_replies: int = 0,
    ) -> Built:
        """Build the event of a thread read up to a time, for the reader."""
        data: dict[str, Any] = {
            "channel_id": channel_id,
            "thread_id": thread_id,
            "timestamp": timestamp_ms,
            "unread_mentions": unread_mentions,
            "unread_replies": unread_replies,
        }
        if self.modern:
            data["previous_unread_mentions"] = previous_unread_mentions
            data["previous_unread_replies"] = previous_unread_replies
        broadcast = Broadcast(user_id=user_id, team_id=team_id)
        return (Event("thread_read_changed", dict(sorted(data.items())), broadcast),)

    def all_threads_read(self, user_id: str, team_id: str, timestamp_ms: int) -> Built:
        """Build the event of all threads of a team read, for the reader."""
        data = {"timestamp": timestamp_ms} if self.modern else {}
        return (Event("thread_read_changed", data, Broadcast(user_id=user_id, team_id=team_id)),)

    def channel_threads_read(self, user_id: str, channel_id: str, timestamp_ms: int) -> Built:
        """Build the event of all threads of a channel read, for the reader."""
        broadcast = Broadcast(user_id=user_id, channel_id=channel_id)
        return (Event("thread_read_changed", {"timestamp": timestamp_ms}, broadcast),)

    def thread_follow_changed(
        self, user_id: str, team_id: str, thread_id: str, *, state: bool, reply_count: int
    ) -> Built:
        """Build the event of a thread followed or not any more, for the follower."""
        data = {"reply_count": reply_count, "state": state, "thread_id": thread_id}
        return (Event("thread_follow_changed", data, Broadcast(user_id=user_id, team_id=team_id)),)

    # --- channels ---

    def channels_viewed(self, user_id: str, times_ms: Mapping[str, int]) -> Built:
        """Build the events of channels viewed, for the viewer; `times_ms` maps each channel's id to its last view.

        An old server sends one ``channel_viewed`` a channel, a new one a single ``multiple_channels_viewed``.
        """
        broadcast = Broadcast(user_id=user_id)
        if self.modern:
            return (
                (Event("multiple_channels_viewed", {"channel_times": dict(times_ms)}, broadcast),) if times_ms else ()
            )
        return tuple(Event("channel_viewed", {"channel_id": channel_id}, broadcast) for channel_id in times_ms)

    def channel_created(self, user_id: str, channel_id: str, team_id: str) -> Built:
        """Build the event of a new public or private channel, for its creator."""
        data = {"channel_id": channel_id, "team_id": team_id}
        return (Event("channel_created", data, Broadcast(user_id=user_id)),)

    def direct_added(self, channel_id: str, creator_id: str, teammate_id: str) -> Built:
        """Build the event of a new direct channel, for both its members."""
        data = {"creator_id": creator_id, "teammate_id": teammate_id}
        return (Event("direct_added", data, Broadcast(channel_id=channel_id)),)

    def group_added(self, channel_id: str, member_ids: Sequence[str]) -> Built:
        """Build the events of a new group channel, for its members: a new server sends one to each."""
        data = {"teammate_ids": _text(sorted(member_ids))}
        if not self.modern:
            return (Event("group_added", data, Broadcast(channel_id=channel_id)),)
        return tuple(
            Event("group_added", data, Broadcast(user_id=user_id, channel_id=channel_id)) for user_id in member_ids
        )

    def channel_updated(self, channel: Row) -> Built:
        """Build the event of a changed channel (name, header, purpose), for its members."""
        return (Event("channel_updated", {"channel": _text(channel)}, Broadcast(channel_id=channel["id"])),)

    def channel_converted(self, channel_id: str, team_id: str) -> Built:
        """Build the event of a channel turned private or public, for the team."""
        return (Event("channel_converted", {"channel_id": channel_id}, Broadcast(team_id=team_id)),)

    def channel_deleted(self, channel_id: str, team_id: str, delete_at_ms: int, *, private: bool = False) -> Built:
        """Build the event of an archived channel, for the team (on new servers a private one: for its members)."""
        data = {"channel_id": channel_id, "delete_at": delete_at_ms}
        return (Event("channel_deleted", data, self._team_or_members(channel_id, team_id, private)),)

    def channel_restored(self, channel_id: str, team_id: str, *, private: bool = False) -> Built:
        """Build the event of a channel out of the archive, for the team (private, on new servers: for its members)."""
        return (
            Event("channel_restored", {"channel_id": channel_id}, self._team_or_members(channel_id, team_id, private)),
        )

    def _team_or_members(self, channel_id: str, team_id: str, private: bool) -> Broadcast:
        return Broadcast(channel_id=channel_id) if private and self.modern else Broadcast(team_id=team_id)

    def channel_member_updated(self, member: Row) -> Built:
        """Build the event of changed roles or notify props of a channel member, for that user."""
        broadcast = Broadcast(user_id=member["user_id"])
        return (Event("channel_member_updated", {"channelMember": _text(member)}, broadcast),)

    def user_added(self, user_id: str, channel_id: str, team_id: str, *, by_default: bool = False) -> Built:
        """Build the events of a user put into a channel; `by_default` when joining a team brought the user there.

        A new server sends the added user an event of its own, except for a team's default channels.
        """
        data = {"team_id": team_id, "user_id": user_id}
        if by_default or not self.modern:
            return (Event("user_added", data, Broadcast(channel_id=channel_id)),)
        return (
            Event("user_added", data, Broadcast(user_id=user_id, channel_id=channel_id)),
            Event("user_added", data, Broadcast(channel_id=channel_id, omit_users=frozenset((user_id,)))),
        )

    def user_removed(self, user_id: str, channel_id: str, remover_id: str) -> Built:
        """Build the events of a user gone from a channel: one for those who stay, one for the user; call it after."""
        return (
            Event("user_removed", {"remover_id": remover_id, "user_id": user_id}, Broadcast(channel_id=channel_id)),
            Event("user_removed", {"channel_id": channel_id, "remover_id": remover_id}, Broadcast(user_id=user_id)),
        )

    def typing(self, user_id: str, channel_id: str, parent_id: str = "") -> Built:
        """Build the event of a user typing, for the other members of the channel."""
        broadcast = Broadcast(channel_id=channel_id, omit_users=frozenset((user_id,)))
        return (Event("typing", {"parent_id": parent_id, "user_id": user_id}, broadcast),)

    # --- teams ---

    def added_to_team(self, user_id: str, team_id: str) -> Built:
        """Build the event of a user put into a team, for that user."""
        return (Event("added_to_team", {"team_id": team_id, "user_id": user_id}, Broadcast(user_id=user_id)),)

    def leave_team(self, user_id: str, team_id: str) -> Built:
        """Build the events of a user leaving a team; call it before the membership ends: the user gets it as well."""
        data = {"team_id": team_id, "user_id": user_id}
        if not self.modern:
            return (Event("leave_team", data, Broadcast(team_id=team_id)),)
        return (
            Event("leave_team", data, Broadcast(user_id=user_id)),
            Event("leave_team", data, Broadcast(team_id=team_id, omit_users=frozenset((user_id,)))),
        )

    def update_team(self, team: Row) -> Built:
        """Build the event of a changed team, for its members."""
        return (Event("update_team", {"team": _text(team)}, Broadcast(team_id=team["id"])),)

    def delete_team(self, team: Row) -> Built:
        """Build the event of an archived team, for everybody."""
        return (Event("delete_team", {"team": _text(team)}),)

    def restore_team(self, team: Row) -> Built:
        """Build the event of a team out of the archive, for everybody."""
        return (Event("restore_team", {"team": _text(team)}),)

    def memberrole_updated(self, member: Row) -> Built:
        """Build the event of changed roles of a team member, for that user."""
        return (Event("memberrole_updated", {"member": _text(member)}, Broadcast(user_id=member["user_id"])),)

    # --- users ---

    def new_user(self, user_id: str) -> Built:
        """Build the event of a new account, for everybody."""
        return (Event("new_user", {"user_id": user_id}),)

    def user_updated(self, sanitized: Row, for_admins: Row, own: Row) -> Built:
        """Build the events of a changed user: as others and as admins see it and, on new servers, as itself."""
        user_id = sanitized["id"]
        others = frozenset((user_id,)) if self.modern else NOBODY
        built = (
            Event("user_updated", {"user": for_admins}, Broadcast(omit_users=others, for_admins_only=True)),
            Event("user_updated", {"user": sanitized}, Broadcast(omit_users=others, for_users_only=True)),
        )
        return (*built, Event("user_updated", {"user": own}, Broadcast(user_id=user_id))) if self.modern else built

    def user_image_updated(self, sanitized: Row) -> Built:
        """Build the event of a new profile image, for everybody."""
        return (Event("user_updated", {"user": sanitized}),)

    def user_activation_status_change(self) -> Built:
        """Build the event of some user activated or deactivated, for everybody."""
        return (Event("user_activation_status_change", {}),)

    def user_role_updated(self, user_id: str, roles: str) -> Built:
        """Build the event of changed system roles, for that user."""
        return (Event("user_role_updated", {"roles": roles, "user_id": user_id}, Broadcast(user_id=user_id)),)

    def status_change(self, user_id: str, status: str) -> Built:
        """Build the event of a status (online, away, dnd, offline) that changed, for that user."""
        return (Event("status_change", {"status": status, "user_id": user_id}, Broadcast(user_id=user_id)),)

    def preference_changed(self, user_id: str, preference: Row) -> Built:
        """Build the event of a preference that a command has set."""
        data = {"preference": _text(preference)}
        return (Event("preference_changed", data, Broadcast(user_id=user_id)),)

    def preferences_changed(self, user_id: str, preferences: Iterable[Row]) -> Built:
        """Build the events of saved preferences, for that user."""
        return self._preferences("preferences_changed", user_id, preferences)

    def preferences_deleted(self, user_id: str, preferences: Iterable[Row]) -> Built:
        """Build the events of deleted preferences, for that user."""
        return self._preferences("preferences_deleted", user_id, preferences)

    def _preferences(self, name: str, user_id: str, preferences: Iterable[Row]) -> Built:
        broadcast = Broadcast(user_id=user_id)
        return (
            Event("sidebar_category_updated", {}, broadcast),
            Event(name, {"preferences": _text(list(preferences))}, broadcast),
        )

    def sidebar_category_created(self, user_id: str, team_id: str, category_id: str) -> Built:
        """Build the event of a new sidebar category, for its owner."""
        broadcast = Broadcast(user_id=user_id, team_id=team_id)
        return (Event("sidebar_category_created", {"category_id": category_id}, broadcast),)

    def sidebar_category_updated(self, user_id: str, team_id: str, categories: Sequence[Row] = ()) -> Built:
        """Build the event of changed sidebar categories, for their owner."""
        data = {"updatedCategories": _text(list(categories))} if self.modern else {}
        return (Event("sidebar_category_updated", data, Broadcast(user_id=user_id, team_id=team_id)),)

    def sidebar_category_deleted(self, user_id: str, team_id: str, category_id: str) -> Built:
        """Build the event of a deleted sidebar category, for its owner."""
        broadcast = Broadcast(user_id=user_id, team_id=team_id)
        return (Event("sidebar_category_deleted", {"category_id": category_id}, broadcast),)

    def sidebar_category_order_updated(self, user_id: str, team_id: str, category_ids: Sequence[str]) -> Built:
        """Build the event of sidebar categories put into another order, for their owner."""
        broadcast = Broadcast(user_id=user_id, team_id=team_id)
        return (Event("sidebar_category_order_updated", {"order": list(category_ids)}, broadcast),)

    # --- system ---

    def emoji_added(self, emoji: Row) -> Built:
        """Build the event of a new custom emoji, for everybody."""
        return (Event("emoji_added", {"emoji": _text(emoji)}),)

    def role_updated(self, role: Row) -> Built:
        """Build the event of a role with changed permissions, for everybody."""
        return (Event("role_updated", {"role": _text(role)}),)

    def license_changed(self, *, licensed: bool) -> Built:
        """Build the event of the licence having been read anew, for everybody."""
        return (Event("license_changed", {"license": {"IsLicensed": "true" if licensed else "false"}}),)

    def config_changed(self, client_config: Row) -> Built:
        """Build the event of a changed server configuration, for everybody; given is the client's part of it."""
        return (Event("config_changed", {"config": client_config}),)

    def plugin_enabled(self, manifest: Row) -> Built:
        """Build the event of a plugin that is on now, for everybody."""
        return (Event("plugin_enabled", {"manifest": manifest}),)

    def plugin_disabled(self, manifest: Row) -> Built:
        """Build the event of a plugin that is off now, for everybody."""
        return (Event("plugin_disabled", {"manifest": manifest}),)

    def plugin_statuses_changed(self, statuses: Sequence[Row]) -> Built:
        """Build the event of changed plugin states, for system admins."""
        return (Event("plugin_statuses_changed", {"plugin_statuses": list(statuses)}, Broadcast(for_admins_only=True)),)


def _text(value: object) -> str:
    """Encode a JSON value as the string that the server puts inside an event's JSON."""
    return orjson.dumps(value).decode()
