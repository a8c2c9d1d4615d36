"""Users who search for posts and channels."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson
import pytest

from mattermost_load_test.embedded.faults import Fixed
from mattermost_load_test.errors import ApiError
from mattermost_load_test.loadtest.actions import search
from mattermost_load_test.loadtest.user import User

SEARCH = "POST /teams/[team id]/channels/search"
AUTOCOMPLETE = "GET /teams/[team id]/channels/autocomplete"


async def test_search_posts_for_a_few_words(ground: Any, version: str) -> None:
    """One request with one to four words, all of which a post must have."""
    async with ground(version) as made:
        await search.search_posts(await made.user())
        assert made.overheard.routes == ["POST /teams/[team id]/posts/search"]
        body = made.overheard.bodies[0]
        assert 1 <= len(body["terms"].split()) <= 4
        assert body["is_or_search"] is False


@pytest.mark.parametrize(
    ("action", "route"), [(search.search_channel, SEARCH), (search.autocomplete_channel, AUTOCOMPLETE)]
)
async def test_typing_a_channels_name_asks_after_each_letter(
    ground: Any, version: str, action: Callable[[User], Any], route: str
) -> None:
    """The terms are the beginnings of one channel's name, a letter more every 150 ms."""
    async with ground(version) as made:
        user, channel = await made.in_one_channel(seed=3)
        await action(user)
        letters = len(made.overheard.requests)
        assert made.overheard.routes == [route] * letters
        typed = [
            orjson.loads(request.body)["term"] if request.body else parse_qs(urlsplit(request.path).query)["name"][0]
            for request in made.overheard.requests
        ]
        assert typed == [channel.name[:count] for count in range(1, letters + 1)]
        assert 3 < letters < len(channel.name)
        assert made.clock.slept_s == [search.BETWEEN_LETTERS_S] * (letters - 1)
        assert user.paused_s == pytest.approx(0.15 * (letters - 1))


async def test_typing_does_not_wait_for_answers(ground: Any) -> None:
    """With a server that takes its time all letters are typed before the first answer comes."""
    async with ground() as made:
        user = await made.user(seed=3)
        await made.server.faults.turn(latency=Fixed(300))
        typing = asyncio.create_task(search.search_channel(user))
        await made.eventually(lambda: len(made.overheard.requests) > 3)
        assert made.overheard.answers == []
        await typing
        assert len(made.overheard.answers) == len(made.overheard.requests)


async def test_typing_goes_on_after_a_failure_and_raises_it_at_the_end(ground: Any) -> None:
    """Every letter is asked for although the server answers 500 to all; the action ends with the first failure."""
    async with ground() as made:
        user = await made.user(seed=3)
        await made.server.faults.turn(error_rate=1.0)
        with pytest.raises(ApiError) as failure:
            await search.search_channel(user)
        assert failure.value.status == 500
        assert len(made.overheard.requests) > 3
