"""Importing schemes, teams, channels and emoji."""

from __future__ import annotations

import re

from mattermost_load_test.embedded import entering
from mattermost_load_test.embedded.import_values import (
    ImportRefusal,
    Line,
    flag_of,
    object_of,
    require,
    text_of,
    texts_of,
)
from mattermost_load_test.embedded.schemes import make_scheme
from mattermost_load_test.embedded.state import State
from mattermost_load_test.embedded.tables.attachments import Emoji
from mattermost_load_test.embedded.tables.channels import PRIVATE, PUBLIC
from mattermost_load_test.embedded.tables.roles import Role
from mattermost_load_test.embedded.tables.teams import Team

SCHEME_NAME = re.compile(r"[a-z0-9_]{2,64}\Z")
TEAM_NAME = re.compile(r"[a-z0-9][a-z0-9-]*[a-z0-9]\Z")
CHANNEL_NAME = re.compile(r"[a-z0-9]([a-z0-9_-]*[a-z0-9])?\Z")
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
"""What names of teams must not begin with."""

TEAM_ROLES = ("default_team_admin_role", "default_team_user_role", "default_team_guest_role")
CHANNEL_ROLES = ("default_channel_admin_role", "default_channel_user_role", "default_channel_guest_role")


def import_scheme(state: State, line: Line) -> None:
    """Add a scheme with its roles, or change it."""
    scope = text_of(line, "scope")
    _check_scheme(line, scope)
    name, display_name = text_of(line, "name") or "", text_of(line, "display_name") or ""
    scheme = state.roles.scheme_by_name.get(name)
    if scheme is None:
        scheme = make_scheme(state, name, display_name, scope or "")
    require(
        scheme.scope == scope,
        "import_scheme.scope_change",
        "The bulk importer cannot change the scope of an already-existing scheme.",
    )
    scheme.display_name = display_name
    scheme.description = text_of(line, "description") or scheme.description
    scheme.update_at = state.now_ms()
    keys = (*TEAM_ROLES, *CHANNEL_ROLES) if scope == "team" else CHANNEL_ROLES
    for key in keys:
        _change_role(state, state.roles.by_name[getattr(scheme, key.removeprefix("default_"))], object_of(line, key))


def _check_scheme(line: Line, scope: str | None) -> None:
    where = "validate_scheme_import_data"
    require(scope is not None, f"{where}.null_scope", "Scheme scope is required.")
    require(scope in ("team", "channel"), f"{where}.unknown_scheme", "Unknown scheme scope.")
    team = [object_of(line, key) is not None for key in TEAM_ROLES[:2]]
    channel = [object_of(line, key) is not None for key in CHANNEL_ROLES[:2]]
    require(
        all(channel) and (all(team) if scope == "team" else not any(team)),
        f"{where}.wrong_roles_for_scope",
        "The wrong roles were provided for a scheme with this scope.",
    )
    name, display_name = text_of(line, "name"), text_of(line, "display_name")
    require(name and SCHEME_NAME.match(name), f"{where}.name_invalid", "Invalid scheme name.")
    good = display_name and len(display_name) <= 128
    require(good, f"{where}.display_name_invalid", "Invalid scheme display name.")
    good = len(text_of(line, "description") or "") <= 1024
    require(good, f"{where}.description_invalid", "Invalid scheme description.")


def _change_role(state: State, role: Role, line: Line | None) -> None:
    if line is None:
        return
    role.display_name = text_of(line, "display_name") or role.display_name
    role.description = text_of(line, "description") or role.description
    permissions = texts_of(line, "permissions")
    if permissions is not None:
        role.permit(permissions)
    role.update_at = state.now_ms()


def _scheme_id(state: State, name: str | None, scope: str) -> str | None:
    if name is None:
        return None
    scheme = state.roles.scheme_by_name.get(name)
    if scheme is None:
        raise ImportRefusal(
            "app.scheme.get.app_error", "Unable to get the scheme.", f"resource: Scheme id: schemeName={name}"
        )
    message = f"{scope.capitalize()} must be assigned to a {scope.capitalize()}-scoped scheme."
    require(scheme.scope == scope, f"import_{scope}.scheme_wrong_scope", message)
    return scheme.id


def import_team(state: State, line: Line) -> None:
    """Add a team, or change it."""
    _check_team(line)
    name, display_name = text_of(line, "name") or "", text_of(line, "display_name") or ""
    scheme_id = _scheme_id(state, text_of(line, "scheme"), "team")
    team = state.teams.by_name.get(name)
    now = state.now_ms()
    if team is None:
        team = Team(
            id=state.new_id(),
            name=name,
            display_name=display_name,
            type="",
            create_at=now,
            update_at=now,
            invite_id=state.new_id(),
        )
        entering.found_team(state, team)
    else:
        state.teams.rename(team, display_name)
        team.update_at = now
    team.type = text_of(line, "type") or ""
    team.description = text_of(line, "description") or team.description
    allow_open_invite = flag_of(line, "allow_open_invite")
    if allow_open_invite is not None:
        team.allow_open_invite = allow_open_invite
    team.scheme_id = scheme_id or team.scheme_id


def _check_team(line: Line) -> None:
    where = "validate_team_import_data"
    name, display_name, kind = text_of(line, "name"), text_of(line, "display_name"), text_of(line, "type")
    require(name is not None, f"{where}.name_missing", "Missing required team property: name.")
    require(name is not None and len(name) <= 64, f"{where}.name_length", "Team name is too long.")
    require(name and not name.startswith(RESERVED), f"{where}.name_reserved", "Team name contains reserved words.")
    good: object = name and TEAM_NAME.match(name)
    require(good, f"{where}.name_characters", "Team name contains invalid characters.")
    require(display_name is not None, f"{where}.display_name_missing", "Missing required team property: display_name.")
    good = display_name and len(display_name) <= 64
    require(good, f"{where}.display_name_length", "Team display_name is not within permitted length constraints.")
    require(kind is not None, f"{where}.type_missing", "Missing required team property: type.")
    require(kind in ("O", "I"), f"{where}.type_invalid", "Team type is not valid.")
    good = len(text_of(line, "description") or "") <= 255
    require(good, f"{where}.description_length", "Team description is too long.")


def import_channel(state: State, line: Line) -> None:
    """Add a channel, or change it."""
    _check_channel(line)
    team_name, name = text_of(line, "team") or "", text_of(line, "name") or ""
    team = state.teams.by_name.get(team_name)
    if team is None:
        message = f'Error importing channel. Team with name "{team_name}" could not be found.'
        raise ImportRefusal("app.import.import_channel.team_not_found.error", message)
    scheme_id = _scheme_id(state, text_of(line, "scheme"), "channel")
    display_name, kind = text_of(line, "display_name") or "", text_of(line, "type") or ""
    channel = state.channels.named(team.id, name) or entering.add_channel(state, team.id, kind, name, display_name)
    channel.display_name, channel.type = display_name, kind
    channel.header = text_of(line, "header") or channel.header
    channel.purpose = text_of(line, "purpose") or channel.purpose
    channel.scheme_id = scheme_id or channel.scheme_id


def _check_channel(line: Line) -> None:
    where = "validate_channel_import_data"
    name, display_name, kind = text_of(line, "name"), text_of(line, "display_name"), text_of(line, "type")
    good: object = text_of(line, "team") is not None
    require(good, f"{where}.team_missing", "Missing required channel property: team")
    require(name is not None, f"{where}.name_missing", "Missing required channel property: name")
    require(name is not None and len(name) <= 64, f"{where}.name_length", "Channel name is too long.")
    good = name and CHANNEL_NAME.match(name)
    require(good, f"{where}.name_characters", "Channel name contains invalid characters.")
    good = display_name is not None
    require(good, f"{where}.display_name_missing", "Missing required channel property: display_name")
    good = display_name and len(display_name) <= 64
    require(good, f"{where}.display_name_length", "Channel display_name is not within permitted length constraints.")
    require(kind is not None, f"{where}.type_missing", "Missing required channel property: type.")
    require(kind in (PUBLIC, PRIVATE), f"{where}.type_invalid", "Channel type is invalid.")
    require(len(text_of(line, "header") or "") <= 1024, f"{where}.header_length", "Channel header is too long.")
    require(len(text_of(line, "purpose") or "") <= 250, f"{where}.purpose_length", "Channel purpose is too long.")


def import_emoji(state: State, line: Line, image: bytes | None) -> None:
    """Add a custom emoji; one of this name that is there already stays. Without an image there is none to be had."""
    name = text_of(line, "name")
    require(name, "validate_emoji_import_data.name_missing", "Import emoji name field missing or blank.")
    good = text_of(line, "image")
    require(good, "validate_emoji_import_data.image_missing", "Import emoji image field missing or blank.")
    message = f'Error reading import emoji image file. Emoji with name: "{name}"'
    require(image is not None, "emoji.bad_file", message)
    if name is None or image is None or name in state.attachments.emoji_by_name:
        return
    now = state.now_ms()
    emoji = Emoji(
        id=state.new_id(),
        creator_id="",
        name=name,
        create_at=now,
        update_at=now,
        mime_type="image/png",
        image=image,
    )
    state.attachments.add_emoji(emoji)
