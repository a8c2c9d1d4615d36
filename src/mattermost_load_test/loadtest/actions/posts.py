"""What users do to write posts."""

from __future__ import annotations

from mattermost_load_test.errors import NothingToActOn
from mattermost_load_test.loadtest.actions import images, texts
from mattermost_load_test.loadtest.user import User
from mattermost_load_test.loadtest.world import Channel, Team

MOST_IMAGES = 3


async def post(user: User) -> None:
    """Write a message into one of the user's channels; raises `NothingToActOn` for a user without one."""
    team, channel = user.place()
    await _write(user, team, channel)


async def post_to_town_square(user: User) -> None:
    """Write a message where everybody in the team reads it; raises `NothingToActOn` for a user without a team."""
    team = user.team()
    channel = user.world.places.town_square(team)
    if channel is None:
        raise NothingToActOn("town square")
    await _write(user, team, channel)


async def _write(user: User, team: Team, channel: Channel) -> None:
    """Write a few sentences, now and then with a link to another of the user's channels or with images."""
    behaviour = user.world.behaviour
    message = texts.sentences(user)
    if user.happens(behaviour.channel_link_chance):
        message += _channel_link(user, team)
    file_ids: list[str] = []
    if user.happens(behaviour.upload_image_chance) and user.world.abilities.file_uploads:
        for _ in range(1 + user.below(MOST_IMAGES)):
            name, content = images.image(user.random.random)
            file_ids.append((await user.client.files.upload(channel.id, name, content)).id)
    await user.client.posts.create(channel.id, message, file_ids=file_ids)


def _channel_link(user: User, team: Team) -> str:
    """Return a link to another of the user's channels to put after a message, or nothing if it has none."""
    try:
        return f" ~{user.channel_in(team).name}"
    except NothingToActOn:
        return ""
