"""Integrations that post by incoming webhook."""

from __future__ import annotations

from mattermost_load_test.errors import NothingToActOn
from mattermost_load_test.loadtest.actions import texts
from mattermost_load_test.loadtest.user import User

SHOWN_AS = "ltwhuser"  # the server shows it where integrations may choose their name


async def post_by_webhook(user: User) -> None:
    """Post paragraphs through the user's own webhook, which it makes in one of its channels the first time.

    Raises `NothingToActOn` for a user without a channel, and on a server where users may have no webhooks.
    """
    if not user.world.abilities.webhooks:
        raise NothingToActOn("webhook that the server would let it have")
    if not user.hook_id:
        _, channel = user.place()
        hook = await user.client.hooks.create(channel.id, texts.words(user, 3), texts.sentence(user))
        user.hook_id = hook.id
    await user.client.hooks.post(user.hook_id, texts.paragraphs(user), username=SHOWN_AS)
