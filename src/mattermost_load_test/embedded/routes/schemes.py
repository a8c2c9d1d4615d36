"""Schemes: sets of roles for teams or channels; reading them, and with a licence making and changing them."""

from __future__ import annotations

import re

from mattermost_load_test.embedded import api_errors, bodies
from mattermost_load_test.embedded.answers import Answer, json_answer, ok
from mattermost_load_test.embedded.api_errors import ApiRefusal
from mattermost_load_test.embedded.call import Call, page_of
from mattermost_load_test.embedded.routing import Route
from mattermost_load_test.embedded.schemes import make_scheme
from mattermost_load_test.embedded.tables.roles import Scheme

SCHEME = {"name": bodies.text, "display_name": bodies.text, "description": bodies.text, "scope": bodies.text}
"""What a new scheme is made of, and what may be changed of one."""

NAME = re.compile(r"[a-z0-9_]{2,64}\Z")
DISPLAY_NAME_MAX = 128
DESCRIPTION_MAX = 1024


def create_scheme(call: Call) -> Answer:
    """Make a scheme."""
    given = call.json("scheme", SCHEME)
    _need_license(call, "create_scheme", "Your license does not support creating permissions schemes.")
    call.need("sysconsole_write_user_management_permissions")
    name = given.get("name") or call.state.new_id()
    display_name, description = given.get("display_name", ""), given.get("description", "")
    scope = given.get("scope", "")
    _check(name, display_name, description, scope)
    if name in call.state.roles.scheme_by_name:
        raise ApiRefusal(500, "app.scheme.save.app_error", "Unable to create the scheme.")
    scheme = make_scheme(call.state, name, display_name, scope)
    scheme.description = description
    return json_answer(call.views.scheme(scheme), 201)


def _check(name: str, display_name: str, description: str, scope: str) -> None:
    named = NAME.match(name) and 0 < len(display_name) <= DISPLAY_NAME_MAX
    if not named or len(description) > DESCRIPTION_MAX or scope not in ("team", "channel"):
        raise ApiRefusal(400, "app.scheme.save.invalid_scheme.app_error", "The provided scheme is invalid.")


def get_schemes(call: Call) -> Answer:
    """List schemes, of one scope if it is given."""
    call.need("sysconsole_read_user_management_permissions")
    scope = call.query_text("scope")
    if scope not in ("", "team", "channel"):
        raise api_errors.invalid_body("scope")
    schemes = [scheme for scheme in call.state.roles.schemes.values() if scope in ("", scheme.scope)]
    schemes.sort(key=lambda scheme: -scheme.create_at)
    return json_answer([call.views.scheme(scheme) for scheme in page_of(schemes, call)])


def get_scheme(call: Call) -> Answer:
    """Give one scheme."""
    scheme_id = call.id_param("scheme_id")
    call.need("sysconsole_read_user_management_permissions")
    return json_answer(call.views.scheme(_known(call, scheme_id)))


def get_teams_for_scheme(call: Call) -> Answer:
    """List the teams that have a scheme."""
    scheme = _of_scope(call, "team", "sysconsole_read_user_management_teams")
    teams = [team for team in call.state.teams.by_id.values() if team.scheme_id == scheme.id]
    teams.sort(key=lambda team: team.display_name)
    return json_answer([call.views.team(team) for team in page_of(teams, call)])


def get_channels_for_scheme(call: Call) -> Answer:
    """List the channels that have a scheme."""
    scheme = _of_scope(call, "channel", "sysconsole_read_user_management_channels")
    channels = [channel for channel in call.state.channels.by_id.values() if channel.scheme_id == scheme.id]
    channels.sort(key=lambda channel: channel.display_name)
    return json_answer([call.views.channel(channel) for channel in page_of(channels, call)])


def _of_scope(call: Call, scope: str, permission: str) -> Scheme:
    scheme_id = call.id_param("scheme_id")
    call.need(permission)
    scheme = _known(call, scheme_id)
    if scheme.scope != scope:
        message = f"Unable to get the {scope}s for scheme because the supplied scheme is not a {scope} scheme."
        raise ApiRefusal(400, f"api.scheme.get_{scope}s_for_scheme.scope.error", message)
    return scheme


def patch_scheme(call: Call) -> Answer:
    """Change names and description of a scheme."""
    scheme_id = call.id_param("scheme_id")
    given = call.json("scheme", SCHEME)
    _need_license(call, "patch_scheme", "Your license does not support update permissions schemes")
    scheme = _known(call, scheme_id)
    call.need("sysconsole_write_user_management_permissions")
    name, display_name = given.get("name", scheme.name), given.get("display_name", scheme.display_name)
    description = given.get("description", scheme.description)
    _check(name, display_name, description, scheme.scope)
    call.state.roles.rename_scheme(scheme, name)
    scheme.display_name, scheme.description, scheme.update_at = display_name, description, call.state.now_ms()
    return json_answer(call.views.scheme(scheme))


def delete_scheme(call: Call) -> Answer:
    """Remove a scheme; what had it goes back to the built-in roles."""
    scheme_id = call.id_param("scheme_id")
    _need_license(call, "delete_scheme", "Your license not support delete permissions schemes")
    call.need("sysconsole_write_user_management_permissions")
    scheme = _known(call, scheme_id)
    for team in call.state.teams.by_id.values():
        if team.scheme_id == scheme.id:
            team.scheme_id = ""
    for channel in call.state.channels.by_id.values():
        if channel.scheme_id == scheme.id:
            channel.scheme_id = ""
    call.state.roles.drop_scheme(scheme)
    return ok()


def _need_license(call: Call, action: str, message: str) -> None:
    if not call.state.licensed:
        raise ApiRefusal(501, f"api.scheme.{action}.license.error", message)


def _known(call: Call, scheme_id: str) -> Scheme:
    scheme = call.state.roles.schemes.get(scheme_id)
    if scheme is None:
        raise api_errors.not_found("app.scheme.get.app_error", "Unable to get the scheme.", "Scheme", scheme_id)
    return scheme


ROUTES = (
    Route("POST", "/schemes", create_scheme),
    Route("GET", "/schemes", get_schemes),
    Route("GET", "/schemes/{scheme_id}", get_scheme),
    Route("GET", "/schemes/{scheme_id}/teams", get_teams_for_scheme),
    Route("GET", "/schemes/{scheme_id}/channels", get_channels_for_scheme),
    Route("PUT", "/schemes/{scheme_id}/patch", patch_scheme),
    Route("DELETE", "/schemes/{scheme_id}", delete_scheme),
)
