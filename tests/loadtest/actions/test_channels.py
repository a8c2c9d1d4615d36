"""Users who open channels and look for more."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from mattermost_load_test.errors import ApiError, RequestTimeoutError
from mattermost_load_test.loadtest.actions import channels
from mattermost_load_test.loadtest.population.population import username
from mattermost_load_test.loadtest.world import Abilities

VIEW = [
    "POST /channels/members/me/view",
    "GET /channels/[channel id]/members/me",
    "GET /channels/[channel id]/members",
    "GET /channels/[channel id]/stats",
    "POST /channels/members/me/view",
    "GET /channels/[channel id]/posts",
]
THUMBNAIL = "GET /files/[post id]/thumbnail"


async def test_view_channel_asks_for_thumbnails_only_where_posts_bring_metadata(ground: Any, version: str) -> None:
    """Reactions, file infos, previews and emoji come with the posts; the first view names no previous channel."""
    async with ground(version) as made:
        user, channel = await made.in_one_channel(made.always(link_preview_chance=1, custom_emoji_chance=1))
        await made.post_with_images(user, channel)
        await channels.view_channel(user)
        assert made.overheard.routes == [*VIEW, THUMBNAIL, THUMBNAIL]
        first, second = made.overheard.bodies
        assert first == {"channel_id": channel.id}
        assert second == {"channel_id": channel.id, "prev_channel_id": channel.id}
        assert made.overheard.requests[2].path.endswith("/members?page=0&per_page=60")
        assert made.overheard.requests[5].path.endswith("/posts?page=0&per_page=60")


async def test_view_channel_asks_for_everything_where_posts_bring_no_metadata(ground: Any, version: str) -> None:
    """Before 5.10 each post is followed by its reactions and files and, by chance, a link preview and an emoji."""
    async with ground(version, post_metadata=False) as made:
        previews = version == "5.37"  # gone on 11, as set-up finds out
        behaviour = made.always(link_preview_chance=1, custom_emoji_chance=1)
        user, channel = await made.in_one_channel(behaviour, abilities=Abilities(link_previews=previews))
        await made.allow_emoji_and_previews()
        await made.post_with_images(user, channel)
        others = len(await made.admin.posts.page(channel.id)) - 1
        await channels.view_channel(user)
        by_chance = ["POST /opengraph"] * previews + ["GET /emoji/name/[emoji name]"]
        assert made.overheard.routes == [
            *VIEW,
            "GET /posts/[post id]/reactions",
            "GET /posts/[post id]/files/info",
            THUMBNAIL,
            THUMBNAIL,
            *by_chance,
            *by_chance * others,
        ]
        assert {answer.status for answer in made.overheard.answers} == {200}


async def test_view_channel_asks_for_people_by_real_ids_and_half_unknown_names(ground: Any, version: str) -> None:
    """Profiles by id, by name and statuses by id follow, in this order; no id is a made-up one."""
    async with ground(version) as made:
        behaviour = made.always(
            needs_profiles_by_id_chance=1, needs_profiles_by_username_chance=1, needs_profile_status_chance=1
        )
        user, _ = await made.in_one_channel(behaviour)
        await channels.view_channel(user)
        assert made.overheard.routes == [*VIEW, "POST /users/ids", "POST /users/usernames", "POST /users/status/ids"]
        by_id, by_name, status = made.overheard.bodies[2:]
        names = {username(number) for number in range(4)}
        real = {found.id for found in await made.admin.users.by_usernames(sorted(names | {"ltadmin"}))}
        assert set(by_id) == set(status) == real
        assert 25 < sum(name in names for name in by_name) < 75
        assert {answer.status for answer in made.overheard.answers} == {200}


async def test_lists_of_people_grow_as_long_as_chance_has_it(ground: Any) -> None:
    """With a chance of 0.8 four in five views ask for statuses, and all views for four users on average."""
    async with ground() as made:
        user, _ = await made.in_one_channel(made.always(needs_profile_status_chance=0.8))
        for _ in range(150):
            await channels.view_channel(user)
        lists = [body for body in made.overheard.bodies if isinstance(body, list)]
        assert 100 <= len(lists) <= 135
        assert 450 <= sum(map(len, lists)) <= 750


async def test_view_channel_goes_on_after_a_refusal_and_raises_it_at_the_end(ground: Any) -> None:
    """A user who was taken out of a private channel is refused it, but asks for all that a client asks for."""
    async with ground() as made:
        user = await made.user(places=made.only(made.private_channel))
        await made.admin.channels.remove_member(made.private_channel.id, user.id)
        with pytest.raises(ApiError):
            await channels.view_channel(user)
        assert made.overheard.routes == VIEW


async def test_view_channel_ends_at_once_when_the_server_does_not_answer(ground: Any) -> None:
    """A server that hangs is not asked for the rest: that would fare no better."""
    async with ground(timeout_s=0.2) as made:
        user = await made.user()
        await made.server.faults.turn(hang_rate=1.0)
        with pytest.raises(RequestTimeoutError):
            await channels.view_channel(user)
        assert made.overheard.routes == VIEW[:1]


async def test_browsing_more_channels_turns_pages_one_by_one(ground: Any, version: str) -> None:
    """Of 250 channels there are three pages at most, from 0 on; three users in ten turn a page, after a second."""
    async with ground(version) as made:
        user = await made.user(places=made.with_public_channels(250))
        turned = []
        for _ in range(150):
            made.overheard.forget()
            await channels.browse_more_channels(user)
            assert set(made.overheard.routes) == {"GET /teams/[team id]/channels"}
            pages = [parse_qs(urlsplit(request.path).query) for request in made.overheard.requests]
            assert pages == [{"page": [str(page)], "per_page": ["100"]} for page in range(len(pages))]
            turned.append(len(pages))
        assert max(turned) == 3
        assert 25 <= sum(pages > 1 for pages in turned) <= 65
        assert made.clock.slept_s == [channels.BETWEEN_PAGES_S] * (sum(turned) - len(turned))


async def test_one_page_of_channels_is_all_there_is_of_few(ground: Any) -> None:
    """Where all channels fit on a page no user turns to another one."""
    async with ground() as made:
        user = await made.user()
        for _ in range(20):
            await channels.browse_more_channels(user)
        assert len(made.overheard.requests) == 20
