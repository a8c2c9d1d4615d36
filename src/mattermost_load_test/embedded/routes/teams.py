"""Teams: making them, looking at them."""

from __future__ import annotations

import re

from mattermost_load_test.embedded import bodies, entering, membership
from mattermost_load_test.embedded.answers import Answer, json_answer
from mattermost_load_test.embedded.api_errors import ApiRefusal, not_found
from mattermost_load_test.embedded.call import Call
from mattermost_load_test.embedded.routing import Route
from mattermost_load_test.embedded.tables.teams import Team

TEAM = {
    "id": bodies.text,
    "name": bodies.text,
    "display_name": bodies.text,
    "type": bodies.text,
    "description": bodies.text,
    "email": bodies.text,
    "company_name": bodies.text,
    "allowed_domains": bodies.text,
    "invite_id": bodies.text,
    "allow_open_invite": bodies.flag,
    "scheme_id": bodies.text,
    "group_constrained": bodies.flag,
    "create_at": bodies.whole,
    "update_at": bodies.whole,
    "delete_at": bodies.whole,
}
"""What a team in a body may hold."""

TEAM_NAME = re.compile(r"[a-z0-9][a-z0-9-]*[a-z0-9]\Z")
RESERVED = (
    "admin",
    "api",
    "channel",
    "claim",
    "error",
    "files",
    "help",
    "landing",
    "login",
    "mfa",
    "oauth",
    "plug",
    "plugins",
    "post",
    "signup",
    "boards",
    "playbooks",
)


def create_team(call: Call) -> Answer:
    """Make a team; its maker is its admin."""
    given = call.json("team", TEAM)
    call.need("create_team")
    now = call.state.now_ms()
    team = Team(
        id=call.state.new_id(),
        name=given.get("name", "").lower(),
        display_name=given.get("display_name", ""),
        type=given.get("type", ""),
        create_at=now,
        update_at=now,
        invite_id=call.state.new_id(),
        description=given.get("description", ""),
        email=call.user.email,
        company_name=given.get("company_name", ""),
        allowed_domains=given.get("allowed_domains", ""),
        allow_open_invite=given.get("allow_open_invite", False),
    )
    check_team(call, team)
    entering.found_team(call.state, team)
    membership.join_team(call.site, team, call.user)
    return json_answer(call.views.team(team, call.user_id), 201)


def check_team(call: Call, team: Team) -> None:
    """Refuse a team that is not as a team must be."""
    details = f"id={team.id}"
    if not team.display_name or len(team.display_name) > 64:
        raise ApiRefusal(400, "model.team.is_valid.name.app_error", "Invalid name.", details)
    if not 2 <= len(team.name) <= 64:
        raise ApiRefusal(
            400,
            "model.team.is_valid.characters.app_error",
            "Name must be 2 or more lowercase alphanumeric characters.",
            details,
        )
    if team.name.startswith(RESERVED):
        raise ApiRefusal(
            400, "model.team.is_valid.reserved.app_error", "This URL is unavailable. Please try another.", details
        )
    if not TEAM_NAME.match(team.name):
        raise ApiRefusal(
            400,
            "model.team.is_valid.characters.app_error",
            "Name must be 2 or more lowercase alphanumeric characters.",
            details,
        )
    if team.type not in ("O", "I"):
        raise ApiRefusal(400, "model.team.is_valid.type.app_error", "Invalid type.", details)
    if team.name in call.state.teams.by_name:
        raise ApiRefusal(400, "app.team.save.existing.app_error", "Must call update for existing team.", details)


def get_team(call: Call) -> Answer:
    """Give one team."""
    team = call.target_team()
    return _show(call, team)


def get_team_by_name(call: Call) -> Answer:
    """Give the team of this name."""
    name = call.params["team_name"].lower()
    team = call.state.teams.by_name.get(name)
    if team is None:
        raise not_found(
            "app.team.get_by_name.missing.app_error", "Unable to find the existing team.", "Team", f"name={name}"
        )
    return _show(call, team)


def _show(call: Call, team: Team) -> Answer:
    if not (team.allow_open_invite and team.type == "O") and not call.may_in_team(team.id, "view_team"):
        raise call.refuse("view_team")
    return json_answer(call.views.team(team, call.user_id))


def get_teams_for_user(call: Call) -> Answer:
    """Give the teams that a user is in."""
    user_id = call.id_param("user_id")
    call.need_self_or(user_id, "sysconsole_read_user_management_users")
    by_id = call.state.teams.by_id
    teams = [by_id[team_id] for team_id in call.state.teams.of_user(user_id)]
    return json_answer([call.views.team(team, call.user_id) for team in teams if not team.delete_at])


ROUTES = (
    Route("POST", "/teams", create_team),
    Route("GET", "/teams/{team_id}", get_team),
    Route("GET", "/teams/name/{team_name}", get_team_by_name),
    Route("GET", "/users/{user_id}/teams", get_teams_for_user),
)
