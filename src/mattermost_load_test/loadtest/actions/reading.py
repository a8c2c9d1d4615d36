"""What a client asks for in order to show a post."""

from __future__ import annotations

from collections.abc import Sequence

from mattermost_load_test.loadtest.actions.attempts import Attempts
from mattermost_load_test.loadtest.user import User
from mattermost_load_test.mattermost.models import FileInfo, Post


async def read_post(user: User, post: Post, attempts: Attempts) -> None:
    """Ask for what `post` shows and did not bring along.

    A post with metadata (5.10 and later) brings everything but the thumbnails of its images. For one without, clients
    asked for its reactions and file infos if it has any, and now and then for the preview of a link and for a custom
    emoji.
    """
    if post.files is not None:
        await _thumbnails(user, post.files, attempts)
        return
    if post.has_reactions:
        await attempts.of(user.client.posts.reactions(post.id))
    if post.file_ids:
        await _thumbnails(user, await attempts.of(user.client.posts.file_infos(post.id)) or (), attempts)
    await _preview_and_emoji(user, attempts)


async def _thumbnails(user: User, files: Sequence[FileInfo], attempts: Attempts) -> None:
    """Ask for the thumbnail of each image."""
    for file in files:
        if file.is_image:
            await attempts.of(user.client.files.thumbnail(file.id))


async def _preview_and_emoji(user: User, attempts: Attempts) -> None:
    """Now and then ask for the preview of a link, and for a custom emoji by its name."""
    world = user.world
    if user.happens(world.behaviour.link_preview_chance) and world.abilities.link_previews:
        await attempts.of(user.client.links.opengraph(world.link_preview_url))
    if user.happens(world.behaviour.custom_emoji_chance) and world.num_emoji and world.abilities.custom_emoji:
        await attempts.of(user.client.emojis.by_name(world.places.emoji_name(user.below(world.num_emoji))))
