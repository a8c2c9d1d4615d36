"""Users who write posts, and integrations that do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from mattermost_load_test.errors import NothingToActOn
from mattermost_load_test.loadtest.actions import channels, hooks, posts, search, statuses, teams
from mattermost_load_test.loadtest.places import ServerPlaces
from mattermost_load_test.loadtest.user import User
from mattermost_load_test.loadtest.world import Abilities


async def test_post_writes_a_message_into_a_channel_of_the_users_own(ground: Any, version: str) -> None:
    """One request, and the message stands in one of the user's channels."""
    async with ground(version) as made:
        user = await made.user()
        await posts.post(user)
        assert made.overheard.routes == ["POST /posts"]
        body = made.overheard.bodies[0]
        assert body["message"]
        written = await user.client.posts.page(body["channel_id"])
        assert written[0].user_id == user.id


async def test_post_links_to_another_channel_and_uploads_images(ground: Any, version: str) -> None:
    """With both chances at 1 the message ends with a channel's name and carries one to three images."""
    async with ground(version) as made:
        user = await made.user(behaviour=made.always(channel_link_chance=1, upload_image_chance=1))
        await posts.post(user)
        files = len(made.overheard.routes) - 1
        assert made.overheard.routes == ["POST /files"] * files + ["POST /posts"]
        assert 1 <= files <= 3
        (body,) = made.overheard.bodies
        assert len(set(body["file_ids"])) == files
        assert body["message"].rpartition(" ~")[2] in {channel.name for channel in made.population.channels()}
        for file_id in body["file_ids"]:
            await user.client.files.thumbnail(file_id)


async def test_a_spammer_posts_to_the_town_square(ground: Any, version: str) -> None:
    """The message goes where everybody in the team reads it."""
    async with ground(version) as made:
        user = await made.user()
        await posts.post_to_town_square(user)
        assert made.overheard.routes == ["POST /posts"]
        assert made.overheard.bodies[0]["channel_id"] == made.places.town_square(user.team()).id


async def test_what_the_server_lacks_is_left_out(ground: Any) -> None:
    """Without files posts carry none; without webhooks that action has nothing to act on."""
    async with ground() as made:
        unable = Abilities(webhooks=False, file_uploads=False)
        user = await made.user(behaviour=made.always(upload_image_chance=1), abilities=unable)
        await posts.post(user)
        assert made.overheard.routes == ["POST /posts"]
        with pytest.raises(NothingToActOn, match="webhook"):
            await hooks.post_by_webhook(user)
        assert made.overheard.routes == ["POST /posts"]


async def test_a_webhook_is_made_once_and_posted_to_ever_after(ground: Any, version: str) -> None:
    """The first time the user makes a webhook in one of its channels; the posts go without a token."""
    async with ground(version) as made:
        await made.allow_webhooks(version)
        user = await made.user()
        for _ in range(3):
            await hooks.post_by_webhook(user)
        assert made.overheard.routes == ["POST /hooks/incoming", *["POST /hooks/[hook id]"] * 3]
        assert "Authorization" not in made.overheard.requests[1].headers
        texts = [body["text"] for body in made.overheard.bodies[1:]]
        assert len(set(texts)) == 3
        assert any("\n\n" in text for text in texts)


@pytest.mark.parametrize(
    "action",
    [
        posts.post,
        posts.post_to_town_square,
        channels.view_channel,
        channels.browse_more_channels,
        search.search_posts,
        search.search_channel,
        search.autocomplete_channel,
        hooks.post_by_webhook,
        teams.leave_and_join_team,
        statuses.poll_statuses,
    ],
)
async def test_a_user_without_any_team_has_nothing_to_act_on(ground: Any, action: Callable[[User], Any]) -> None:
    """The action says so and sends nothing."""
    async with ground() as made:
        user = await made.user(places=ServerPlaces(made.population, {}, {}, {}))
        with pytest.raises(NothingToActOn):
            await action(user)
        assert made.overheard.routes == []
