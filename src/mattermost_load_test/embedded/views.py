"""Rows as JSON objects, as a server of the version at hand shows them, key by key and in its order."""

from __future__ import annotations

import re
from collections.abc import Sequence

from mattermost_load_test.embedded.permissions import Permissions
from mattermost_load_test.embedded.plain_views import PlainViews, Row
from mattermost_load_test.embedded.state import State
from mattermost_load_test.embedded.tables.attachments import Emoji, Reaction
from mattermost_load_test.embedded.tables.channels import Channel, ChannelMember
from mattermost_load_test.embedded.tables.drafts import Draft
from mattermost_load_test.embedded.tables.posts import Post
from mattermost_load_test.embedded.tables.teams import Team, TeamMember
from mattermost_load_test.embedded.tables.threads import Follower, Thread
from mattermost_load_test.embedded.tables.users import User

_EMOJI = re.compile(r":([a-zA-Z0-9_+-]+):")
_LINK = re.compile(r"https?://[^\s<>()\[\]\"']*[^\s<>()\[\]\"'.,:;!?]")


class Views(PlainViews):
    """Shows rows of one server, with what others say of them."""

    def __init__(self, state: State, permissions: Permissions, *, post_metadata: bool) -> None:
        super().__init__(modern=state.version.modern)
        self._state = state
        self._permissions = permissions
        self._post_metadata = post_metadata
        self.site_url = ""
        """Where the server is reached; empty until it listens."""

    def epoch(self) -> tuple[int, str]:
        """Tell what else decides over how a post is shown besides it and its thread: emoji and the configuration."""
        return self._state.attachments.emoji_changes, self._state.config.client_hash()

    # --- users ---

    def own_user(self, user: User) -> Row:
        """Show a user's account to that user."""
        row: Row = self._user_head(user)
        if not self._modern:
            row["auth_data"] = ""
        row["auth_service"] = user.auth_service
        row["email"] = user.email
        if user.email_verified:
            row["email_verified"] = True
        self._user_names(row, user)
        row["notify_props"] = user.notify_props
        row["last_password_update"] = user.last_password_update
        self._user_tail(row, user, failed_attempts=user.failed_attempts)
        return row

    def created_user(self, user: User) -> Row:
        """Show an account just made."""
        row = self.own_user(user)
        if self._modern:
            row["remote_id"] = ""
            row["disable_welcome_email"] = row.pop("disable_welcome_email")
        return row

    def user(self, user: User, *, to_admin: bool = False) -> Row:
        """Show an account to somebody else: without what concerns its owner alone."""
        row: Row = self._user_head(user)
        admin_view = to_admin and self._modern
        if not admin_view:
            row["auth_data"] = ""
        row["auth_service"] = user.auth_service
        row["email"] = user.email if to_admin or self._shows("ShowEmailAddress") else ""
        self._user_names(row, user, hide_full_name=not (to_admin or self._shows("ShowFullName")))
        if admin_view:
            row["notify_props"] = user.notify_props
        self._user_tail(row, user)
        return row

    def _shows(self, setting: str) -> bool:
        return bool(self._state.config.get("PrivacySettings", setting))

    def _user_head(self, user: User) -> Row:
        return {
            "id": user.id,
            "create_at": user.create_at,
            "update_at": user.update_at,
            "delete_at": user.delete_at,
            "username": user.username,
        }

    def _user_names(self, row: Row, user: User, *, hide_full_name: bool = False) -> None:
        row["nickname"] = user.nickname
        row["first_name"] = "" if hide_full_name else user.first_name
        row["last_name"] = "" if hide_full_name else user.last_name
        row["position"] = user.position
        row["roles"] = user.roles
        if user.props:
            row["props"] = user.props

    def _user_tail(self, row: Row, user: User, *, failed_attempts: int = 0) -> None:
        if user.last_picture_update:
            row["last_picture_update"] = user.last_picture_update
        if failed_attempts:
            row["failed_attempts"] = failed_attempts
        row["locale"] = user.locale
        row["timezone"] = user.timezone
        row["disable_welcome_email"] = False

    def bare_user(self, user_id: str, *, with_auth_data: bool) -> Row:
        """Show a thread's participant of whom nothing but the id was asked."""
        row: Row = {"id": user_id, "delete_at": 0, "username": ""}
        if with_auth_data:
            row["auth_data"] = ""
        names = ("auth_service", "email", "nickname", "first_name", "last_name", "position", "roles", "locale")
        row |= dict.fromkeys(names, "")
        return row | {"timezone": None, "disable_welcome_email": False}

    # --- teams ---

    def team(self, team: Team, viewer_id: str = "") -> Row:
        """Show a team; without its address and invitation to those who may neither manage it nor invite."""
        may_manage = not viewer_id or self._permissions.in_team(viewer_id, team.id, "manage_team")
        may_invite = may_manage or self._permissions.in_team(viewer_id, team.id, "invite_user")
        row = {
            "id": team.id,
            "create_at": team.create_at,
            "update_at": team.update_at,
            "delete_at": team.delete_at,
            "display_name": team.display_name,
            "name": team.name,
            "description": team.description,
            "email": team.email if may_manage else "",
            "type": team.type,
            "company_name": team.company_name,
            "allowed_domains": team.allowed_domains,
            "invite_id": team.invite_id if may_invite else "",
            "allow_open_invite": team.allow_open_invite,
            "scheme_id": team.scheme_id,
            "group_constrained": team.group_constrained,
            "policy_id": None,
        }
        if team.last_team_icon_update:
            row["last_team_icon_update"] = team.last_team_icon_update
        if self._modern:
            row["cloud_limits_archived"] = False
        return row

    def team_member(self, member: TeamMember) -> Row:
        """Show a team's member."""
        return {
            "team_id": member.team_id,
            "user_id": member.user_id,
            "roles": " ".join(self._permissions.team_roles(member)),
            "delete_at": member.delete_at,
            "scheme_guest": member.scheme_guest,
            "scheme_user": member.scheme_user,
            "scheme_admin": member.scheme_admin,
            "explicit_roles": member.explicit_roles,
        }

    # --- channels ---

    def channel(self, channel: Channel) -> Row:
        """Show a channel."""
        row: Row = {
            "id": channel.id,
            "create_at": channel.create_at,
            "update_at": channel.update_at,
            "delete_at": channel.delete_at,
            "team_id": channel.team_id,
            "type": channel.type,
            "display_name": channel.display_name,
            "name": channel.name,
            "header": channel.header,
            "purpose": channel.purpose,
            "last_post_at": channel.last_post_at,
            "total_msg_count": channel.total_msg_count,
            "extra_update_at": 0,
            "creator_id": channel.creator_id,
            "scheme_id": channel.scheme_id,
            "props": channel.props,
            "group_constrained": channel.group_constrained,
        }
        if self._modern:
            row["autotranslation"] = False
        row["shared"] = channel.shared
        row["total_msg_count_root"] = channel.total_msg_count_root
        row["policy_id"] = None
        if self._modern:
            row["last_root_post_at"] = channel.last_root_post_at
            row["banner_info"] = None
            row["policy_enforced"] = False
            row["policy_is_active"] = False
            row["default_category_name"] = ""
        return row

    def channel_with_team(self, channel: Channel) -> Row:
        """Show a channel together with its team's names, as lists over all teams do."""
        team = self._state.teams.by_id.get(channel.team_id)
        row = self.channel(channel)
        row["team_display_name"] = "" if team is None else team.display_name
        row["team_name"] = "" if team is None else team.name
        row["team_update_at"] = 0 if team is None else team.update_at
        return row

    def channel_member(self, member: ChannelMember) -> Row:
        """Show a channel's member."""
        channel = self._state.channels.by_id[member.channel_id]
        row: Row = {
            "channel_id": member.channel_id,
            "user_id": member.user_id,
            "roles": " ".join(self._permissions.channel_roles(channel, member)),
            "last_viewed_at": member.last_viewed_at,
            "msg_count": member.msg_count,
            "mention_count": member.mention_count,
            "mention_count_root": member.mention_count_root,
        }
        if self._modern:
            row["urgent_mention_count"] = 0
        row["msg_count_root"] = member.msg_count_root
        row["notify_props"] = member.notify_props
        row["last_update_at"] = member.last_update_at
        row["scheme_guest"] = member.scheme_guest
        row["scheme_user"] = member.scheme_user
        row["scheme_admin"] = member.scheme_admin
        row["explicit_roles"] = member.explicit_roles
        if self._modern:
            row["autotranslation_disabled"] = False
        return row

    # --- posts ---

    def post(
        self,
        post: Post,
        *,
        reply_count: int = 0,
        last_reply_at: int = 0,
        participants: list[Row] | None = None,
        is_following: bool | None = None,
        fresh: bool = False,
    ) -> Row:
        """Show a post with its metadata; what concerns its thread is given by who knows what was asked.

        `fresh` tells that the post has just been made: to links elsewhere there is no preview yet.
        """
        row = self.bare_post(post)
        if post.delete_at:
            row["message"] = ""
        row["reply_count"] = reply_count
        row["last_reply_at"] = last_reply_at
        row["participants"] = participants
        if is_following is not None:
            row["is_following"] = is_following
        if self._post_metadata:
            row["metadata"] = self.post_metadata(post, fresh=fresh)
        return row

    def post_in_collapsed_list(self, post: Post, viewer_id: str, *, extended: bool) -> Row:
        """Show a post with what its thread is to the viewer; `extended` shows the participants' accounts."""
        thread = self._state.threads.get(post.id)
        if thread is None:
            return self.post(post, is_following=None if self._modern else False)
        follower = thread.followers.get(viewer_id)
        following = None if follower is None and self._modern else follower is not None and follower.following
        users = self._state.users.by_id
        participants = [
            self.user(users[user_id]) if extended else self.bare_user(user_id, with_auth_data=False)
            for user_id in thread.participants
        ]
        return self.post(
            post,
            reply_count=len(thread.replies),
            last_reply_at=thread.last_reply_at,
            participants=participants or None,
            is_following=following,
        )

    def bare_post(self, post: Post, *, always_remote_id: bool = False) -> Row:
        """Show a post up to, and without, what concerns its thread and its metadata."""
        row: Row = {
            "id": post.id,
            "create_at": post.create_at,
            "update_at": post.update_at,
            "edit_at": post.edit_at,
            "delete_at": post.delete_at,
            "is_pinned": post.is_pinned,
            "user_id": post.user_id,
            "channel_id": post.channel_id,
            "root_id": post.root_id,
        }
        if not self._modern:
            row["parent_id"] = post.root_id
        row["original_id"] = post.original_id
        row["message"] = post.message
        row["type"] = post.type
        row["props"] = post.props
        row["hashtags"] = post.hashtags
        if post.file_ids or self._modern:
            row["file_ids"] = post.file_ids
        row["pending_post_id"] = ""
        if post.has_reactions:
            row["has_reactions"] = True
        if always_remote_id or (self._modern and post.by_client):
            row["remote_id"] = ""
        return row

    def post_metadata(self, post: Post, *, fresh: bool) -> Row:
        """Show what clients would otherwise ask for one by one: files, reactions, emoji and links of a post."""
        metadata: Row = {}
        if post.delete_at:
            return metadata
        attachments = self._state.attachments
        if post.file_ids:
            files = [attachments.files[file_id] for file_id in post.file_ids if file_id in attachments.files]
            if files:
                metadata["files"] = [self.file(file) for file in files]
        reactions = attachments.reactions(post.id) if post.has_reactions else []
        if reactions:
            metadata["reactions"] = [self.reaction(reaction) for reaction in reactions]
        emoji = self._custom_emoji(post, reactions)
        if emoji:
            metadata["emojis"] = [self.emoji(row) for row in emoji]
        embed = self._embed(post, fresh)
        if embed:
            metadata["embeds"] = [embed]
        return metadata

    def _custom_emoji(self, post: Post, reactions: Sequence[Reaction]) -> list[Emoji]:
        by_name = self._state.attachments.emoji_by_name
        if not by_name:
            return []
        names = dict.fromkeys(_EMOJI.findall(post.message)) if ":" in post.message else {}
        names |= {reaction.emoji_name: None for reaction in reactions}
        return [by_name[name] for name in names if name in by_name]

    def _embed(self, post: Post, fresh: bool) -> Row | None:
        """Show what is embedded in a post: attachments, else its first link.

        Pages are not fetched here. A server that cannot reach a page embeds the bare link, from the second time on that
        the post is shown.
        """
        if "attachments" in post.props:
            return {"type": "message_attachment"}
        if "http" not in post.message or not self._state.config.get("ServiceSettings", "EnableLinkPreviews"):
            return None
        link = _LINK.search(post.message)
        if link is None or (fresh and not link[0].startswith(self.site_url)):
            return None
        return {"type": "link", "url": link[0]}

    def thread(self, thread: Thread, follower: Follower, *, extended: bool, listed: bool = False) -> Row:
        """Show a thread to one of its followers, alone or `listed`; `extended` shows the participants' accounts."""
        users = self._state.users.by_id
        row: Row = {
            "id": thread.root.id,
            "reply_count": len(thread.replies),
            "last_reply_at": thread.last_reply_at,
            "last_viewed_at": follower.last_viewed,
            "participants": [
                self.user(users[user_id]) if extended else self.bare_user(user_id, with_auth_data=True)
                for user_id in thread.participants
            ],
            "post": self.bare_post(thread.root, always_remote_id=listed or self._modern)
            | {"reply_count": 0, "last_reply_at": 0, "participants": None},
            "unread_replies": thread.unread_replies(follower),
            "unread_mentions": follower.unread_mentions,
        }
        if self._modern:
            row |= {"is_urgent": False, "delete_at": thread.root.delete_at}
        return row

    def draft(self, draft: Draft) -> Row:
        """Show a draft."""
        row: Row = {
            "create_at": draft.create_at,
            "update_at": draft.update_at,
            "delete_at": 0,
            "user_id": draft.user_id,
            "channel_id": draft.channel_id,
            "root_id": draft.root_id,
            "message": draft.message,
            "type": draft.type,
            "props": draft.props,
        }
        if draft.file_ids:
            row["file_ids"] = draft.file_ids
        row["metadata"] = {}
        known = self._state.attachments.files
        files = [self.file(known[file_id]) for file_id in draft.file_ids if file_id in known]
        if files:
            row["metadata"]["files"] = files
        if draft.priority:
            row["priority"] = draft.priority
        return row
