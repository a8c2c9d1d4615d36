"""The route table of the embedded Mattermost."""

from __future__ import annotations

from mattermost_load_test.embedded.routes import (
    channel_changes,
    channel_members,
    channel_searches,
    channels,
    config,
    images,
    posts,
    sessions,
    system,
    team_members,
    teams,
    user_changes,
    user_lists,
    users,
    work,
)
from mattermost_load_test.embedded.routing import Route

ALL_ROUTES: tuple[Route, ...] = (
    *system.ROUTES,
    *config.ROUTES,
    *sessions.ROUTES,
    *users.ROUTES,
    *user_lists.ROUTES,
    *user_changes.ROUTES,
    *images.ROUTES,
    *teams.ROUTES,
    *team_members.ROUTES,
    *channels.ROUTES,
    *channel_changes.ROUTES,
    *channel_searches.ROUTES,
    *channel_members.ROUTES,
    *posts.ROUTES,
    *work.ROUTES,
)
"""Every route of every version."""
