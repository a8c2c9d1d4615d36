"""What users do with their teams."""

from __future__ import annotations

from mattermost_load_test.loadtest.user import User

BETWEEN_HALVES_S = 1.0


async def team_unreads(user: User) -> None:
    """Ask how much is unread in the user's teams."""
    await user.client.teams.my_unreads()


async def leave_and_join_team(user: User) -> None:
    """Leave a team and join it again by its invitation a second later.

    Leaving a team means leaving all its channels; joining brings back the default ones only, and the user knows it.
    Raises `NothingToActOn` for a user without a team.
    """
    team = user.team()
    me = await user.client.users.me()
    invite_id = (await user.client.teams.get(team.id)).invite_id
    if team.name not in user.left_teams:
        user.left_teams = (*user.left_teams, team.name)  # said before, lest a status poll asks for a channel meanwhile
    await user.client.teams.leave(team.id, me.id)
    await user.pause(BETWEEN_HALVES_S)
    if invite_id:
        await user.client.teams.join_by_invite(invite_id)
    else:  # the server shows invitations to those who may invite; an open team can be joined without
        await user.client.teams.join(team.id, me.id)
