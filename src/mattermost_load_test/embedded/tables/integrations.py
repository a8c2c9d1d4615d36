"""Webhooks and plugins."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(slots=True)
class IncomingHook:
    """An incoming webhook: what is posted to its address becomes a post of its owner in its channel."""

    id: str
    user_id: str
    channel_id: str
    team_id: str
    create_at: int
    update_at: int
    display_name: str = ""
    description: str = ""
    username: str = ""
    icon_url: str = ""
    channel_locked: bool = False


@dataclass(slots=True)
class Plugin:
    """An installed plugin: its manifest as the server shows it, and whether it is on."""

    id: str
    manifest: dict[str, Any]
    active: bool = False


class IntegrationTable:
    """Webhooks and plugins by id."""

    def __init__(self) -> None:
        self.hooks: dict[str, IncomingHook] = {}
        self.plugins: dict[str, Plugin] = {}
