"""Who is in a team."""

from __future__ import annotations

from mattermost_load_test.embedded import bodies, membership
from mattermost_load_test.embedded.answers import Answer, json_answer, ok
from mattermost_load_test.embedded.api_errors import invalid_body, missing_user
from mattermost_load_test.embedded.call import Call
from mattermost_load_test.embedded.routing import Route

MEMBER = {"team_id": bodies.text, "user_id": bodies.text}


def add_team_member(call: Call) -> Answer:
    """Put a user into a team; anybody may join an open team."""
    given = call.json("team_member", MEMBER)
    team = call.target_team()
    if given.get("team_id") != team.id:
        raise invalid_body("team_id")
    user_id = given.get("user_id", "")
    user = call.state.users.by_id.get(user_id)
    if user is None:
        raise missing_user(user_id)
    if user_id == call.user_id:
        if not team.allow_open_invite:
            call.need("join_private_teams")
        else:
            call.need("join_public_teams")
    else:
        call.need_in_team(team.id, "add_user_to_team")
    inviter = None if user_id == call.user_id else call.user
    member = membership.join_team(call.site, team, user, inviter=inviter)
    return json_answer(call.views.team_member(member), 201)


def remove_team_member(call: Call) -> Answer:
    """Take a user out of a team."""
    team = call.target_team()
    user = call.target_user()
    if user.id != call.user_id:
        call.need_in_team(team.id, "remove_user_from_team")
    membership.leave_team(call.site, team, user, remover=call.user)
    return ok()


ROUTES = (
    Route("POST", "/teams/{team_id}/members", add_team_member),
    Route("DELETE", "/teams/{team_id}/members/{user_id}", remove_team_member),
)
