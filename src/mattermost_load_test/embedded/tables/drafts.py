"""Drafts: messages begun and not sent, one a channel or thread and user (newer servers only)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Draft:
    """One draft; `root_id` is empty outside threads. Times are milliseconds since 1970."""

    user_id: str
    channel_id: str
    root_id: str
    message: str
    create_at: int
    update_at: int
    type: str = ""
    props: dict[str, Any] = field(default_factory=dict)
    file_ids: tuple[str, ...] = ()
    priority: dict[str, Any] | None = None


class DraftTable:
    """Each user's drafts by channel and root post."""

    def __init__(self) -> None:
        self._of_user: dict[str, dict[tuple[str, str], Draft]] = {}

    def get(self, user_id: str, channel_id: str, root_id: str) -> Draft | None:
        """Return one draft."""
        return self._of_user.get(user_id, {}).get((channel_id, root_id))

    def save(self, draft: Draft) -> None:
        """Add a draft or replace it."""
        self._of_user.setdefault(draft.user_id, {})[draft.channel_id, draft.root_id] = draft

    def delete(self, draft: Draft) -> None:
        """Remove a draft."""
        self._of_user.get(draft.user_id, {}).pop((draft.channel_id, draft.root_id), None)

    def of_user(self, user_id: str) -> list[Draft]:
        """Return a user's drafts, the latest changed first."""
        return sorted(self._of_user.get(user_id, {}).values(), key=lambda draft: -draft.update_at)
