"""What users do with their websocket."""

from __future__ import annotations

from mattermost_load_test.loadtest.user import User


async def drop_websocket(user: User) -> None:
    """Lose the connection, as on a train: the event stream notices and connects again."""
    user.events.drop()


async def ask_for_plugins(user: User) -> None:
    """Ask for the server's web plugins, as clients do each time that their websocket is connected."""
    with user.beside_actions():
        await user.client.plugins.webapp()
