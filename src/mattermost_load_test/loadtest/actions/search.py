"""What users do to find posts and channels."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from mattermost_load_test.errors import ServerError
from mattermost_load_test.loadtest.actions import texts
from mattermost_load_test.loadtest.user import User

BETWEEN_LETTERS_S = 0.15


async def search_posts(user: User) -> None:
    """Search a team's posts for a few words; raises `NothingToActOn` for a user without a team."""
    team = user.team()
    await user.client.posts.search(team.id, texts.words(user, 1 + user.below(4)))


async def autocomplete_channel(user: User) -> None:
    """Type the beginning of a channel's name where names are completed (after a ``~``)."""
    team, channel = user.place()
    await _type(user, channel.name, lambda typed: user.client.channels.autocomplete(team.id, typed))


async def search_channel(user: User) -> None:
    """Type the beginning of a channel's name where channels are searched."""
    team, channel = user.place()
    await _type(user, channel.name, lambda typed: user.client.channels.search(team.id, typed))


async def _type(user: User, name: str, ask: Callable[[str], Awaitable[object]]) -> None:
    """Type a random part of `name`, at least a letter, and ask after each letter without waiting for the answers.

    Ends when all answers are there; raises the first failure then. A name's length bounds the requests under way.
    """
    failures: list[ServerError] = []

    async def asked(typed: str) -> None:
        try:
            await ask(typed)
        except ServerError as failure:
            failures.append(failure)

    letters = 1 + user.below(max(1, len(name) - 1))
    async with asyncio.TaskGroup() as answers:
        for typed in range(1, letters + 1):
            answers.create_task(asked(name[:typed]))
            if typed < letters:
                await user.pause(BETWEEN_LETTERS_S)
    if failures:
        raise failures[0]
