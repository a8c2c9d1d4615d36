"""Teams: making, finding, changing and archiving them."""

from __future__ import annotations

from typing import Any

from mattermost_load_test.embedded import bodies, entering, membership
from mattermost_load_test.embedded.answers import Answer, json_answer, ok
from mattermost_load_test.embedded.api_errors import ApiRefusal, invalid_body, invalid_url, not_found
from mattermost_load_test.embedded.call import Call
from mattermost_load_test.embedded.import_places import RESERVED, TEAM_NAME
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

PATCHABLE = (
    "display_name",
    "description",
    "company_name",
    "allowed_domains",
    "allow_open_invite",
    "group_constrained",
)
PATCH = {name: TEAM[name] for name in PATCHABLE}

SEARCH = {
    "term": bodies.text,
    "page": bodies.whole,
    "per_page": bodies.whole,
    "allow_open_invite": bodies.flag,
    "group_constrained": bodies.flag,
}


def create_team(call: Call) -> Answer:
    """Make a team; its maker is its admin."""
    given = call.json("team", TEAM)
    call.need("create_team")
    now = call.state.now_ms()
    team = Team(
        id=call.state.new_id(),
        name=given.get("name", ""),
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
    _check_team(team)
    if team.name in call.state.teams.by_name:
        modern = call.site.version.modern
        message = "A team with that name already exists" if modern else "Must call update for existing team."
        raise ApiRefusal(400, "app.team.save.existing.app_error", message)
    entering.found_team(call.state, team)
    membership.join_team(call.site, team, call.user)
    return json_answer(call.views.team(team), 201)


def _check_team(team: Team) -> None:
    """Refuse a team that is not as a team must be."""
    rules = (
        (team.display_name and len(team.display_name) <= 64, "name", "Invalid name."),
        (len(team.name) <= 64, "url", "Invalid URL Identifier."),
        (len(team.description) <= 255, "description", "Invalid description."),
        (not team.name.startswith(RESERVED), "reserved", "This URL is unavailable. Please try another."),
        (TEAM_NAME.match(team.name), "characters", "Name must be 2 or more lowercase alphanumeric characters."),
        (team.type in ("O", "I"), "type", "Invalid type."),
        (len(team.company_name) <= 64, "company", "Invalid company name."),
        (len(team.allowed_domains) <= 500, "domains", "Invalid allowed domains."),
    )
    for good, name, message in rules:
        if not good:
            raise ApiRefusal(400, f"model.team.is_valid.{name}.app_error", message, f"id={team.id}")


def get_team(call: Call) -> Answer:
    """Give one team."""
    return _show_if_visible(call, call.target_team())


def named_team(call: Call) -> Team:
    """Return the team whose name stands in the path."""
    name = call.params["team_name"].lower()
    team = call.state.teams.by_name.get(name)
    if team is None:
        message = "Unable to find the existing team."
        raise not_found("app.team.get_by_name.missing.app_error", message, "Team", f"name={name}")
    return team


def get_team_by_name(call: Call) -> Answer:
    """Give the team of this name."""
    if len(call.params["team_name"]) < 2:
        raise invalid_url("team_name")
    return _show_if_visible(call, named_team(call))


def _show_if_visible(call: Call, team: Team) -> Answer:
    if not (team.allow_open_invite and team.type == "O"):
        call.need_in_team(team.id, "view_team")
    return json_answer(call.views.team(team, call.user_id))


def team_exists(call: Call) -> Answer:
    """Say whether there is a team of this name, as far as the caller may know."""
    team = call.state.teams.by_name.get(call.params["team_name"].lower())
    exists = False
    if team is not None:
        needed = "list_public_teams" if team.allow_open_invite else "list_private_teams"
        exists = call.state.teams.member(team.id, call.user_id) is not None or call.may(needed)
    return json_answer({"exists": exists})


def get_all_teams(call: Call) -> Answer:
    """Give a page of the teams that the caller may list, by display name."""
    teams = _listable(call)
    page = teams[call.offset : call.offset + call.per_page]
    rows = [call.views.team(team, call.user_id) for team in page]
    if call.query_flag("include_total_count"):
        return json_answer({"teams": rows, "total_count": len(teams)})
    return json_answer(rows)


def _listable(call: Call) -> list[Team]:
    private, public = call.may("list_private_teams"), call.may("list_public_teams")
    if not private and not public:
        message = "You don't have the appropriate permissions to list all teams"
        raise ApiRefusal(403, "api.team.get_all_teams.insufficient_permissions", message)
    by_id = call.state.teams.by_id
    teams = [by_id[team_id] for team_id in call.state.teams.display_names.ids()]
    if private and public:
        return teams
    return [team for team in teams if team.allow_open_invite == public and not team.delete_at]


def search_teams(call: Call) -> Answer:
    """Give the teams in whose names a term stands."""
    given = call.json("team_search", SEARCH, strict=True)
    private, public = call.may("list_private_teams"), call.may("list_public_teams")
    paged = "page" in given and "per_page" in given
    if not (private and public) and ("page" in given or "per_page" in given):
        kind = "private" if private else "public"
        message = f"Pagination not implemented for {kind}-only team search."
        raise ApiRefusal(501, f"api.team.search_teams.pagination_not_implemented.{kind}_team_search", message)
    term = given.get("term", "").lower()
    teams = _listable(call) if private or public else []
    found = [team for team in teams if term in team.name or term in team.display_name.lower()]
    if not paged:
        return json_answer([call.views.team(team, call.user_id) for team in found])
    start = given["page"] * given["per_page"]
    rows = [call.views.team(team, call.user_id) for team in found[start : start + given["per_page"]]]
    return json_answer({"teams": rows, "total_count": len(found)})


def get_teams_for_user(call: Call) -> Answer:
    """Give the teams that a user is in."""
    user_id = call.id_param("user_id")
    call.need_self_or(user_id, "sysconsole_read_user_management_users")
    by_id = call.state.teams.by_id
    teams = [by_id[team_id] for team_id in call.state.teams.of_user(user_id)]
    return json_answer([call.views.team(team, call.user_id) for team in teams if not team.delete_at])


def update_team(call: Call) -> Answer:
    """Change a team to what the body says."""
    team_id = call.id_param("team_id")
    given = call.json("team", TEAM)
    if given.get("id") != team_id:
        raise invalid_body("id")
    values = {"display_name": "", "description": "", "allow_open_invite": False} | given
    return _change(call, team_id, {name: values[name] for name in PATCHABLE if name in values})


def patch_team(call: Call) -> Answer:
    """Change what the body names of a team."""
    return _change(call, call.id_param("team_id"), call.json("team", PATCH, strict=True))


def _change(call: Call, team_id: str, values: dict[str, Any]) -> Answer:
    call.need_in_team(team_id, "manage_team")
    team = call.target_team()
    display_name = values.pop("display_name", team.display_name)
    if not display_name or len(display_name) > 64:
        raise ApiRefusal(400, "model.team.is_valid.name.app_error", "Invalid name.", f"id={team.id}")
    call.state.teams.rename(team, display_name)
    for name, value in values.items():
        setattr(team, name, value)
    return _changed(call, team)


def _changed(call: Call, team: Team) -> Answer:
    team.update_at = call.state.now_ms()
    row = call.views.team(team, call.user_id)
    call.site.publish(call.site.events.update_team(row | {"email": "", "invite_id": ""}))
    return json_answer(row)


def update_team_privacy(call: Call) -> Answer:
    """Make a team open, or one that people are invited to."""
    team_id = call.id_param("team_id")
    privacy = bodies.decode_any_map(call.body).get("privacy")
    if privacy not in ("O", "I"):
        raise invalid_body("privacy")
    call.need_in_team(team_id, "manage_team")
    team = call.target_team()
    team.type, team.allow_open_invite = privacy, privacy == "O"
    return _changed(call, team)


def regenerate_team_invite_id(call: Call) -> Answer:
    """Give a team another invitation."""
    call.need_in_team(call.id_param("team_id"), "manage_team")
    team = call.target_team()
    call.state.teams.set_invite_id(team, call.state.new_id())
    return _changed(call, team)


def delete_team(call: Call) -> Answer:
    """Archive a team, or forget it for good."""
    team_id = call.id_param("team_id")
    call.need_in_team(team_id, "manage_team")
    team = call.target_team()
    if call.query_flag("permanent"):
        if not call.state.config.get("ServiceSettings", "EnableAPITeamDeletion"):
            message = "Permanent team deletion feature is not enabled. Please contact your System Administrator."
            raise ApiRefusal(401, "api.user.delete_team.not_enabled.app_error", message, f"teamId={team_id}")
        for channel in list(call.state.channels.of_team(team_id).values()):
            call.state.posts.drop_channel(channel.id)
            call.state.channels.drop(channel)
        call.state.teams.drop(team)
    else:
        team.delete_at = team.update_at = call.state.now_ms()
    call.site.publish(call.site.events.delete_team(call.views.team(team) | {"email": "", "invite_id": ""}))
    return ok()


def restore_team(call: Call) -> Answer:
    """Take a team out of the archive."""
    call.need_in_team(call.id_param("team_id"), "manage_team")
    team = call.target_team()
    team.delete_at = 0
    team.update_at = call.state.now_ms()
    call.site.publish(call.site.events.restore_team(call.views.team(team) | {"email": "", "invite_id": ""}))
    return json_answer(call.views.team(team))


def get_team_stats(call: Call) -> Answer:
    """Count a team's members."""
    team_id = call.id_param("team_id")
    call.need_in_team(team_id, "view_team")
    by_id = call.state.users.by_id
    members = call.state.teams.members(team_id)
    row = {
        "team_id": team_id,
        "total_member_count": len(members),
        "active_member_count": sum(not by_id[user_id].delete_at for user_id in members),
    }
    return json_answer(row)


def get_invite_info(call: Call) -> Answer:
    """Say which open team an invitation is for."""
    team = call.state.teams.by_invite.get(call.params["invite_id"])
    if team is None:
        message = "Unable to find the existing team."
        raise not_found("app.team.get_by_invite_id.finding.app_error", message, "Team", call.params["invite_id"])
    if team.type != "O":
        message = "Invite is invalid because this is not an open team."
        raise ApiRefusal(403, "api.team.get_invite_info.not_open_team", message, f"id={call.params['invite_id']}")
    names = ("display_name", "description", "name", "id")
    return json_answer({name: getattr(team, name) for name in names})


def update_team_scheme(call: Call) -> Answer:
    """Give a team a scheme, which takes a licence."""
    call.id_param("team_id")
    if not call.state.licensed:
        message = "Your license does not support updating a team's scheme"
        status = 403 if call.site.version.modern else 501
        raise ApiRefusal(status, "api.team.update_team_scheme.license.error", message)
    call.need("sysconsole_write_user_management_permissions")
    team = call.target_team()
    scheme_id = bodies.decode_any_map(call.body).get("scheme_id")
    if scheme_id is not None and scheme_id not in call.state.roles.schemes:
        raise invalid_body("scheme_id")
    team.scheme_id = scheme_id
    return ok()


ROUTES = (
    Route("POST", "/teams", create_team),
    Route("GET", "/teams", get_all_teams),
    Route("POST", "/teams/search", search_teams),
    Route("GET", "/teams/{team_id}", get_team),
    Route("PUT", "/teams/{team_id}", update_team),
    Route("PUT", "/teams/{team_id}/patch", patch_team),
    Route("DELETE", "/teams/{team_id}", delete_team),
    Route("POST", "/teams/{team_id}/restore", restore_team),
    Route("PUT", "/teams/{team_id}/privacy", update_team_privacy),
    Route("PUT", "/teams/{team_id}/scheme", update_team_scheme),
    Route("POST", "/teams/{team_id}/regenerate_invite_id", regenerate_team_invite_id),
    Route("GET", "/teams/{team_id}/stats", get_team_stats),
    Route("GET", "/teams/name/{team_name}", get_team_by_name),
    Route("GET", "/teams/name/{team_name}/exists", team_exists),
    Route("GET", "/teams/invite/{invite_id}", get_invite_info, session=False),
    Route("GET", "/users/{user_id}/teams", get_teams_for_user),
)
