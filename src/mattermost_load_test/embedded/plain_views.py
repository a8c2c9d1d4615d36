"""Rows that are shown as they stand, without a look at any other: files, reactions, emoji, webhooks, roles."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mattermost_load_test.embedded.tables.attachments import Emoji, FileInfo, Reaction
from mattermost_load_test.embedded.tables.integrations import IncomingHook
from mattermost_load_test.embedded.tables.presence import Preference, Status
from mattermost_load_test.embedded.tables.roles import Role, Scheme

Row = dict[str, Any]


class PlainViews:
    """Shows rows that need no others; `modern` tells the newer of the two versions."""

    def __init__(self, *, modern: bool) -> None:
        self._modern = modern

    def status(self, status: Status) -> Row:
        """Show a status."""
        return {
            "user_id": status.user_id,
            "status": status.status,
            "manual": status.manual,
            "last_activity_at": status.last_activity_at,
            "dnd_end_time": status.dnd_end_time,
        }

    def preference(self, preference: Preference) -> Row:
        """Show a preference."""
        return {
            "user_id": preference.user_id,
            "category": preference.category,
            "name": preference.name,
            "value": preference.value,
        }

    def file(self, file: FileInfo) -> Row:
        """Show an uploaded file."""
        row: Row = {"id": file.id, "user_id": file.user_id}
        if file.post_id:
            row["post_id"] = file.post_id
        row["channel_id"] = file.channel_id if self._modern else ""
        row |= {
            "create_at": file.create_at,
            "update_at": file.update_at,
            "delete_at": file.delete_at,
            "name": file.name,
            "extension": file.extension,
            "size": len(file.data),
            "mime_type": file.mime_type,
        }
        if file.width:
            row |= {"width": file.width, "height": file.height}
        if file.has_preview_image:
            row["has_preview_image"] = True
        row["mini_preview"] = file.mini_preview
        row["remote_id"] = ""
        if self._modern:
            row["archived"] = False
        return row

    def reaction(self, reaction: Reaction) -> Row:
        """Show a reaction."""
        row: Row = {
            "user_id": reaction.user_id,
            "post_id": reaction.post_id,
            "emoji_name": reaction.emoji_name,
            "create_at": reaction.create_at,
            "update_at": reaction.create_at,
            "delete_at": 0,
            "remote_id": "",
        }
        if self._modern:
            row["channel_id"] = reaction.channel_id
        return row

    def emoji(self, emoji: Emoji) -> Row:
        """Show a custom emoji."""
        return {
            "id": emoji.id,
            "create_at": emoji.create_at,
            "update_at": emoji.update_at,
            "delete_at": 0,
            "creator_id": emoji.creator_id,
            "name": emoji.name,
        }

    def hook(self, hook: IncomingHook) -> Row:
        """Show an incoming webhook."""
        return {
            "id": hook.id,
            "create_at": hook.create_at,
            "update_at": hook.update_at,
            "delete_at": 0,
            "user_id": hook.user_id,
            "channel_id": hook.channel_id,
            "team_id": hook.team_id,
            "display_name": hook.display_name,
            "description": hook.description,
            "username": hook.username,
            "icon_url": hook.icon_url,
            "channel_locked": hook.channel_locked,
        }

    def post_list(self, order: Sequence[str], posts: Row, **more: Any) -> Row:
        """Show a list of posts: ids in order and posts by id; `more` is what else this list says."""
        row: Row = {"order": order, "posts": posts, "next_post_id": "", "prev_post_id": ""}
        row |= more
        if self._modern:
            row["first_inaccessible_post_time"] = 0
        return row

    def role(self, role: Role) -> Row:
        """Show a role."""
        row: Row = {
            "id": role.id,
            "name": role.name,
            "display_name": role.display_name,
            "description": role.description,
            "create_at": role.create_at,
            "update_at": role.update_at,
            "delete_at": role.delete_at,
            "permissions": role.permissions,
            "scheme_managed": role.scheme_managed,
            "built_in": role.built_in,
        }
        if self._modern:
            row["scheme_id"] = None
        return row

    def scheme(self, scheme: Scheme) -> Row:
        """Show a scheme."""
        return {
            "id": scheme.id,
            "name": scheme.name,
            "display_name": scheme.display_name,
            "description": scheme.description,
            "create_at": scheme.create_at,
            "update_at": scheme.update_at,
            "delete_at": scheme.delete_at,
            "scope": scheme.scope,
            "default_team_admin_role": scheme.team_admin_role,
            "default_team_user_role": scheme.team_user_role,
            "default_channel_admin_role": scheme.channel_admin_role,
            "default_channel_user_role": scheme.channel_user_role,
            "default_team_guest_role": scheme.team_guest_role,
            "default_channel_guest_role": scheme.channel_guest_role,
        }
