"""What users do with channels: opening one, looking for more."""

from __future__ import annotations

from mattermost_load_test.loadtest.actions.attempts import Attempts
from mattermost_load_test.loadtest.actions.people import ask_for_people
from mattermost_load_test.loadtest.actions.reading import read_post
from mattermost_load_test.loadtest.user import User

MEMBERS_PER_PAGE = 60
POSTS_PER_PAGE = 60
BROWSED_PER_PAGE = 100
GOES_ON_CHANCE = 0.3
BETWEEN_PAGES_S = 1.0


async def view_channel(user: User) -> None:
    """Open a channel: mark it viewed, ask for its members and posts, then for what the posts show and who wrote them.

    The requests do not hang on one another: one that the server refuses leaves the others to be sent, as in a client.
    Raises `NothingToActOn` for a user without a channel, else the first failure, at the end.
    """
    team, channel = user.place()
    attempts = Attempts()
    await attempts.of(user.client.channels.view(channel.id))
    await attempts.of(user.client.channels.my_membership(channel.id))
    members = await attempts.of(user.client.channels.members_page(channel.id, page=0, per_page=MEMBERS_PER_PAGE))
    await attempts.of(user.client.channels.stats(channel.id))
    previous = user.channel_in(team)  # the web client views a second time, telling where the user comes from
    await attempts.of(user.client.channels.view(channel.id, previous.id))
    posts = await attempts.of(user.client.posts.page(channel.id, page=0, per_page=POSTS_PER_PAGE))
    for post in posts or ():
        await read_post(user, post, attempts)
    known = {member.user_id for member in members or ()} | {post.user_id for post in posts or ()}
    await ask_for_people(user, sorted(known), attempts)
    attempts.raise_first()


async def browse_more_channels(user: User) -> None:
    """Page through a team's public channels, with a chance to go on after each page and a second in between.

    Raises `NothingToActOn` for a user without a team.
    """
    team = user.team()
    pages = max(1, -(-user.world.places.public_channel_count(team) // BROWSED_PER_PAGE))
    for page in range(pages):
        if page:
            await user.pause(BETWEEN_PAGES_S)
        await user.client.channels.public_page(team.id, page=page, per_page=BROWSED_PER_PAGE)
        if not user.happens(GOES_ON_CHANCE):
            return
