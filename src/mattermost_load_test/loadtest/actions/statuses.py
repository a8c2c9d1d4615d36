"""Following who is online."""

from __future__ import annotations

from mattermost_load_test.loadtest.user import User

MEMBERS_POLLED = 60


async def poll_statuses(user: User) -> None:
    """Ask for the status of up to 60 members of one of the user's channels, always the same one.

    The channel is picked and its members are asked for the first time only. Raises `NothingToActOn` for a user
    without a channel.
    """
    if not user.present:
        return  # deactivated just now: its session is dead, and its client would not ask
    with user.beside_actions():
        if not user.polled_ids:
            user.polled_ids = await _members_to_follow(user)
        if user.polled_ids:
            await user.client.users.statuses(user.polled_ids)


async def _members_to_follow(user: User) -> tuple[str, ...]:
    """Ask for the members of one of the user's channels; users of one channel share one list, to save memory."""
    _, channel = user.place()
    members = await user.client.channels.members_page(channel.id, page=0, per_page=MEMBERS_POLLED)
    ids = tuple(member.user_id for member in members)
    shared = user.world.polled
    if shared.get(channel.id) != ids:
        shared[channel.id] = ids
    return shared[channel.id]
