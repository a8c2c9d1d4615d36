"""Who is in a team, and what they have not read of it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from mattermost_load_test.embedded import bodies, member_roles, membership, reading
from mattermost_load_test.embedded.answers import Answer, json_answer, ok
from mattermost_load_test.embedded.api_errors import ApiRefusal, invalid_body, missing_team, missing_user, not_found
from mattermost_load_test.embedded.call import Call
from mattermost_load_test.embedded.ids import is_id
from mattermost_load_test.embedded.routes.user_lists import known_ids
from mattermost_load_test.embedded.routing import Route
from mattermost_load_test.embedded.tables.teams import Team, TeamMember
from mattermost_load_test.embedded.tables.users import User

MEMBER = {
    "team_id": bodies.text,
    "user_id": bodies.text,
    "roles": bodies.text,
    "delete_at": bodies.whole,
    "scheme_guest": bodies.flag,
    "scheme_user": bodies.flag,
    "scheme_admin": bodies.flag,
    "explicit_roles": bodies.text,
}
SCHEME_ROLES = {"scheme_guest": bodies.flag, "scheme_user": bodies.flag, "scheme_admin": bodies.flag}

BATCH_MAX = 256
"""How many users are put into a team at once, at most."""


def _visible(call: Call, members: Iterable[TeamMember]) -> list[TeamMember]:
    if call.may("view_members"):
        return list(members)
    known = known_ids(call) | {call.user_id}
    return [member for member in members if member.user_id in known]


def get_team_members(call: Call) -> Answer:
    """Give a page of a team's members."""
    team_id = call.id_param("team_id")
    call.need_in_team(team_id, "view_team")
    members = call.state.teams.members(team_id)
    if call.query_text("sort") == "Username" and members:
        found: Iterable[TeamMember] = (members[user_id] for user_id in call.state.teams.roster(team_id).ids())
    else:
        found = (members[user_id] for user_id in sorted(members))
    if call.query_flag("exclude_deleted_users"):
        by_id = call.state.users.by_id
        found = (member for member in found if not by_id[member.user_id].delete_at)
    page = _visible(call, found)[call.offset : call.offset + call.per_page]
    return json_answer([call.views.team_member(member) for member in page])


def get_team_members_by_ids(call: Call) -> Answer:
    """Give the members with these user ids."""
    team_id = call.id_param("team_id")
    ids = call.texts("user_ids")
    call.need_in_team(team_id, "view_team")
    members = call.state.teams.members(team_id)
    found = _visible(call, (members[user_id] for user_id in dict.fromkeys(ids) if user_id in members))
    return json_answer([call.views.team_member(member) for member in found])


def get_team_member(call: Call) -> Answer:
    """Give one member of a team."""
    team_id, user_id = call.id_param("team_id"), call.id_param("user_id")
    call.need_in_team(team_id, "view_team")
    member = call.state.teams.member(team_id, user_id) or call.state.teams.former_member(team_id, user_id)
    if member is None:
        raise _no_member(team_id, user_id)
    return json_answer(call.views.team_member(member))


def _no_member(team_id: str, user_id: str) -> ApiRefusal:
    message = "No team member found for that user ID and team ID."
    key = f"teamId={team_id}, userId={user_id}"
    return not_found("app.team.get_member.missing.app_error", message, "TeamMember", key)


def get_team_members_for_user(call: Call) -> Answer:
    """Give a user's memberships in all teams."""
    user_id = call.id_param("user_id")
    if user_id != call.user_id and not call.may("edit_other_users"):
        call.need("read_other_users_teams")
    members = call.state.teams.of_user(user_id).values()
    return json_answer([call.views.team_member(member) for member in members])


def add_team_member(call: Call) -> Answer:
    """Put a user into a team; anybody may join an open team."""
    team_id = call.id_param("team_id")
    try:
        given = bodies.decode_object(call.body, MEMBER)
    except bodies.InvalidBodyError:
        message = "Unable to parse the request body."
        details = "Error in model.TeamMemberFromJson()"
        raise ApiRefusal(400, "api.team.add_team_member.invalid_body.app_error", message, details) from None
    if given.get("team_id") != team_id:
        raise invalid_body("team_id")
    user_id = given.get("user_id", "")
    if not is_id(user_id):
        raise invalid_body("user_id")
    team = _joinable_team(call, team_id, user_id)
    user = call.state.users.by_id.get(user_id)
    if user is None:
        raise missing_user(user_id)
    return json_answer(call.views.team_member(_add(call, team, user)), 201)


def _joinable_team(call: Call, team_id: str, user_id: str) -> Team:
    """Return a team if the caller may put the user into it."""
    if user_id != call.user_id:
        call.need_in_team(team_id, "add_user_to_team")
    team = call.state.teams.by_id.get(team_id)
    if team is None:
        raise missing_team(team_id)
    if user_id == call.user_id:
        call.need("join_public_teams" if team.allow_open_invite else "join_private_teams")
    return team


def _add(call: Call, team: Team, user: User, *, inviter: User | None = None) -> TeamMember:
    """Put a user into a team; as from real servers, the user hears of it once more than of joining by invitation."""
    member = membership.join_team(call.site, team, user, inviter=inviter)
    call.site.publish(call.site.events.added_to_team(user.id, team.id))
    return member


def add_user_to_team_from_invite(call: Call) -> Answer:
    """Let the caller join the team of an invitation."""
    invite_id = call.query_text("invite_id")
    if call.query_text("token"):
        message = "The signup link does not appear to be valid."
        raise ApiRefusal(400, "api.user.create_user.signup_link_invalid.app_error", message)
    if not invite_id:
        message = "Parameter required to add user to team."
        raise ApiRefusal(400, "api.team.add_user_to_team.missing_parameter.app_error", message)
    if call.user.is_guest:
        message = "Guests are restricted from joining a team via an invite link. "
        message += "Please request a guest email invitation to the team."
        raise ApiRefusal(403, "api.team.add_user_to_team_from_invite.guest.app_error", message)
    team = call.state.teams.by_invite.get(invite_id)
    if team is None:
        message = "Unable to find the existing team."
        raise not_found("app.team.get_by_invite_id.finding.app_error", message, "Team", f"inviteId={invite_id}")
    return json_answer(call.views.team_member(membership.join_team(call.site, team, call.user)), 201)


def add_team_members(call: Call) -> Answer:
    """Put several users into a team."""
    team_id = call.id_param("team_id")
    members = _batch(call)
    team = call.target_team()
    for member in members:
        if member.get("team_id") != team_id:
            raise invalid_body(f"team_id for member with user_id={member.get('user_id', '')}")
        if not is_id(member.get("user_id")):
            raise invalid_body("user_id")
    call.need_in_team(team_id, "add_user_to_team")
    graceful = bool(call.query_text("graceful"))
    rows: list[dict[str, Any]] = []
    for member in members:
        user = call.state.users.by_id.get(member["user_id"])
        if user is None:
            refusal = missing_user(member["user_id"])
            if not graceful:
                raise refusal
            rows.append({"user_id": member["user_id"], "member": None, "error": _row(refusal)})
        else:
            shown = call.views.team_member(_add(call, team, user, inviter=call.user))
            rows.append({"user_id": user.id, "member": shown, "error": None} if graceful else shown)
    return json_answer(rows, 201)


def _batch(call: Call) -> list[bodies.Json]:
    try:
        values = bodies.decode(call.body)
        members = [bodies.checked(value, MEMBER) for value in values] if isinstance(values, list) else []
    except bodies.InvalidBodyError:
        members = []
    if len(members) > BATCH_MAX:
        raise invalid_body("too many members in batch")
    if not members:
        raise invalid_body("no members in batch")
    return members


def _row(refusal: ApiRefusal) -> dict[str, Any]:
    return {
        "id": refusal.error_id,
        "message": refusal.message,
        "detailed_error": refusal.details,
        "status_code": refusal.status,
    }


def remove_team_member(call: Call) -> Answer:
    """Take a user out of a team."""
    team_id, user_id = call.id_param("team_id"), call.id_param("user_id")
    if user_id != call.user_id:
        call.need_in_team(team_id, "remove_user_from_team")
    team, user = call.target_team(), call.target_user()
    if call.state.teams.member(team_id, user_id) is None:
        if call.state.teams.former_member(team_id, user_id) is not None:
            return ok()
        message = "The user does not appear to be part of this team."
        raise ApiRefusal(400, "api.team.remove_user_from_team.missing.app_error", message)
    membership.leave_team(call.site, team, user, remover=call.user)
    return ok()


def update_team_member_roles(call: Call) -> Answer:
    """Give a member of a team other roles."""
    team_id, user_id = call.id_param("team_id"), call.id_param("user_id")
    names = member_roles.asked_for(call, "team_member_roles")
    call.need_in_team(team_id, "manage_team_roles")
    member = call.state.teams.member(team_id, user_id)
    if member is None:
        raise _no_member(team_id, user_id)
    by_kind = call.site.permissions.scheme_roles_of_team(team_id)
    member_roles.give(call, member, names, by_kind, "api.channel.update_team_member_roles")
    return _updated(call, member)


def update_team_member_scheme_roles(call: Call) -> Answer:
    """Make a member of a team its admin, or an ordinary one."""
    team_id, user_id = call.id_param("team_id"), call.id_param("user_id")
    given = call.json("scheme_roles", SCHEME_ROLES)
    call.need_in_team(team_id, "manage_team_roles")
    member = call.state.teams.member(team_id, user_id)
    if member is None:
        raise _no_member(team_id, user_id)
    if given.get("scheme_user") and given.get("scheme_guest"):
        message = "Invalid team member update: A user must be a guest or a user but not both."
        raise ApiRefusal(400, "api.team.update_team_member_roles.guest_and_user.app_error", message)
    member.scheme_admin = given.get("scheme_admin", False)
    member.scheme_user = given.get("scheme_user", False)
    member.scheme_guest = given.get("scheme_guest", False)
    return _updated(call, member)


def _updated(call: Call, member: TeamMember) -> Answer:
    call.site.publish(call.site.events.memberrole_updated(call.views.team_member(member)))
    return ok()


def get_teams_unread_for_user(call: Call) -> Answer:
    """Say for each of a user's teams how much is unread there."""
    user_id = call.id_param("user_id")
    call.need_self_or(user_id, "manage_system")
    with_threads = call.query_flag("include_collapsed_threads")
    return json_answer(
        reading.teams_unread(call.site, user_id, call.query_text("exclude_team"), with_threads=with_threads)
    )


def get_team_unread(call: Call) -> Answer:
    """Say how much a user has not read in one team."""
    team_id, user_id = call.id_param("team_id"), call.id_param("user_id")
    call.need_self_or(user_id)
    call.need_in_team(team_id, "view_team")
    return json_answer(reading.team_unread(call.site, user_id, team_id))


ROUTES = (
    Route("GET", "/teams/{team_id}/members", get_team_members),
    Route("POST", "/teams/{team_id}/members/ids", get_team_members_by_ids),
    Route("GET", "/teams/{team_id}/members/{user_id}", get_team_member),
    Route("GET", "/users/{user_id}/teams/members", get_team_members_for_user),
    Route("POST", "/teams/{team_id}/members", add_team_member),
    Route("POST", "/teams/{team_id}/members/batch", add_team_members),
    Route("POST", "/teams/members/invite", add_user_to_team_from_invite),
    Route("DELETE", "/teams/{team_id}/members/{user_id}", remove_team_member),
    Route("PUT", "/teams/{team_id}/members/{user_id}/roles", update_team_member_roles),
    Route("PUT", "/teams/{team_id}/members/{user_id}/schemeRoles", update_team_member_scheme_roles),
    Route("GET", "/users/{user_id}/teams/unread", get_teams_unread_for_user),
    Route("GET", "/users/{user_id}/teams/{team_id}/unread", get_team_unread),
)
