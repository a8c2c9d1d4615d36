"""Importing users with their memberships, and direct and group channels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mattermost_load_test.embedded import accounts, entering
from mattermost_load_test.embedded.import_values import (
    ImportRefusal,
    Line,
    flag_of,
    lines_of,
    number_of,
    object_of,
    require,
    text_of,
    texts_of,
)
from mattermost_load_test.embedded.state import State
from mattermost_load_test.embedded.tables.channels import DEFAULT_CHANNELS, Channel, ChannelMember
from mattermost_load_test.embedded.tables.presence import Preference
from mattermost_load_test.embedded.tables.teams import Team, TeamMember
from mattermost_load_test.embedded.tables.users import Properties, User

NAMES_SHOWN = {"nickname": "nickname", "first_name": "First Name", "last_name": "Last Name", "position": "Position"}

NOTIFY_KEYS: Mapping[str, str] = {
    "desktop": "desktop",
    "desktop_sound": "desktop_sound",
    "email": "email",
    "mobile": "push",
    "mobile_push_status": "push_status",
    "channel": "channel",
    "comments": "comments",
    "mention_keys": "mention_keys",
}
"""Keys of notify props in an import line, and how the server calls them."""

PREFERENCES: Mapping[str, tuple[str, str]] = {
    "theme": ("theme", ""),
    "military_time": ("display_settings", "use_military_time"),
    "collapse_previews": ("display_settings", "collapse_previews"),
    "message_display": ("display_settings", "message_display"),
    "channel_display_mode": ("display_settings", "channel_display_mode"),
    "tutorial_step": ("tutorial_step", "{user_id}"),
    "feature_enabled_markdown_preview": ("advanced_settings", "feature_enabled_markdown_preview"),
    "formatting": ("advanced_settings", "formatting"),
    "show_unread_section": ("sidebar_settings", "show_unread_section"),
}
"""Keys of an import line that become preferences, with category and name."""


def import_user(state: State, line: Line) -> None:
    """Add an account, or change it, and put it into its teams and channels."""
    _check_user(line)
    username, email = text_of(line, "username") or "", (text_of(line, "email") or "").lower()
    user = state.users.by_username.get(username)
    now = state.now_ms()
    _check_email(state, user, email)
    if user is None:
        user = User(
            id=state.new_id(),
            username=username,
            email=email,
            create_at=now,
            roles="system_user",
            notify_props=accounts.default_notify_props(state),
        )
        accounts.add(state, user)
    _change_user(state, user, email, line, now)
    for team_line in lines_of(line, "teams"):
        _enter_team(state, user, team_line)


def _check_user(line: Line) -> None:
    where = "validate_user_import_data"
    username, email, password = text_of(line, "username"), text_of(line, "email"), text_of(line, "password")
    require(username is not None, f"{where}.username_missing", "Missing require user property: username.")
    good: object = username and accounts.is_username(username)
    require(good, f"{where}.username_invalid", "Username is not valid.")
    require(email is not None, f"{where}.email_missing", "Missing required user property: email.")
    good = email and len(email) <= 128
    require(good, f"{where}.email_length", "User email has an invalid length.")
    if password is not None:
        good = 0 < len(password) <= accounts.PASSWORD_MAX
        require(good, f"{where}.password_length", "User Password has invalid length.")
    for key, length in accounts.LENGTHS.items():
        good = len(text_of(line, key) or "") <= length
        require(good, f"{where}.{key}_length", f"User {NAMES_SHOWN[key]} is too long.")
    roles = text_of(line, "roles")
    good = roles is None or _are_roles(roles)
    require(good, f"{where}.roles_invalid", "User roles are not valid.")
    for team_line in lines_of(line, "teams"):
        good = text_of(team_line, "name") is not None
        message = "Team name missing from User's Team Membership."
        require(good, "validate_user_teams_import_data.team_name_missing", message)
        for channel_line in lines_of(team_line, "channels"):
            good = text_of(channel_line, "name") is not None
            message = "Channel name missing from User's Channel Membership."
            require(good, "validate_user_channels_import_data.channel_name_missing", message)


def _are_roles(roles: str) -> bool:
    names = roles.split()
    return not names or all(name.replace("_", "").isalnum() for name in names)


def _check_email(state: State, user: User | None, email: str) -> None:
    other = state.users.by_email.get(email)
    if other is not None and other is not user:
        raise ImportRefusal(
            "app.user.save.email_exists.app_error",
            "An account with that email already exists.",
            f"invalid input: entity: User field: email value: {email}",
        )


def _change_user(state: State, user: User, email: str, line: Line, now: int) -> None:
    before, username = state.users.keys(user), user.username
    user.email = email
    user.email_verified = True
    for key in accounts.LENGTHS:
        value = text_of(line, key)
        if value is not None:
            setattr(user, key, value)
    user.locale = text_of(line, "locale") or "en"
    user.roles = text_of(line, "roles") or user.roles or "system_user"
    user.notify_props = _notify_props(user.notify_props, object_of(line, "notify_props"))
    state.users.reindex(user, before)
    assert user.username == username  # the line is found by it, so it cannot change
    accounts.learn_keywords(state, user)
    user.set_password(text_of(line, "password") or state.new_id())
    user.last_password_update = user.update_at = now
    deleted_at = number_of(line, "delete_at")
    if deleted_at is not None:
        state.users.set_active(user, not deleted_at, now)
        user.delete_at = deleted_at
    _save_preferences(state, user, line)


def _notify_props(props: Properties, line: Line | None) -> Properties:
    if line is None:
        return props
    given = {NOTIFY_KEYS[key]: str(value) for key, value in line.items() if key in NOTIFY_KEYS and value is not None}
    return props | given if given else props


def _save_preferences(state: State, user: User, line: Line) -> None:
    for key, (category, name) in PREFERENCES.items():
        value = text_of(line, key)
        if value is not None:
            state.preferences.save(Preference(user.id, category, name.format(user_id=user.id), value))


def _enter_team(state: State, user: User, line: Line) -> None:
    name = text_of(line, "name") or ""
    team = state.teams.by_name.get(name)
    if team is None:
        raise ImportRefusal("app.import.get_teams_by_names.some_teams_not_found.error", "Some teams not found")
    member = state.teams.member(team.id, user.id)
    if member is None:
        if len(state.teams.members(team.id)) >= state.config.get("TeamSettings", "MaxUsersPerTeam"):
            raise ImportRefusal(
                "app.import.import_user_teams.save_members.max_accounts.app_error",
                "Unable to import team membership because no more members are allowed in that team",
            )
        member = entering.enter_team(state, team, user)
    _give_roles(member, text_of(line, "roles"), "team")
    theme = text_of(line, "theme")
    if theme is not None:
        state.preferences.save(Preference(user.id, "theme", team.id, theme))
    _enter_channels(state, user, team, lines_of(line, "channels"))


def _give_roles(member: TeamMember | ChannelMember, roles: str | None, place: str) -> None:
    names = (roles or "").split()
    own = (f"{place}_guest", f"{place}_user", f"{place}_admin")
    member.scheme_guest = own[0] in names
    member.scheme_user = own[0] not in names or own[1] in names
    member.scheme_admin = own[2] in names
    member.explicit_roles = " ".join(name for name in names if name not in own)


def _enter_channels(state: State, user: User, team: Team, lines: list[Line]) -> None:
    named: set[str] = set()
    if not user.is_guest and not any(line.get("name") == DEFAULT_CHANNELS[0] for line in lines):
        lines = [*lines, {"name": DEFAULT_CHANNELS[0]}]
    for line in lines:
        channel = state.channels.named(team.id, text_of(line, "name") or "")
        if channel is None:
            message = "Error importing user channels. Channel not found."
            raise ImportRefusal("app.import.import_user_channels.channel_not_found.error", message)
        if channel.id in named:
            raise ImportRefusal(
                "app.channel.save_member.exists.app_error",
                "A channel member with that ID already exists.",
                f"resource: ChannelMembersexists channel_id={channel.id} user_id={user.id}",
            )
        named.add(channel.id)
        _enter_channel(state, user, channel, line)


def _enter_channel(state: State, user: User, channel: Channel, line: Line) -> None:
    member = state.channels.member(channel.id, user.id) or entering.enter_channel(state, channel, user)
    _give_roles(member, text_of(line, "roles"), "channel")
    props = object_of(line, "notify_props")
    if props is not None:
        given = {"desktop": props.get("desktop"), "push": props.get("mobile"), "mark_unread": props.get("mark_unread")}
        member.notify_props = member.notify_props | {key: str(value) for key, value in given.items() if value}
    if flag_of(line, "favorite"):
        state.preferences.save(Preference(user.id, "favorite_channel", channel.id, "true"))


def import_direct_channel(state: State, line: Line) -> None:
    """Open a direct or group channel, or change its header."""
    names = texts_of(line, "members")
    where = "validate_direct_channel_import_data"
    require(names is not None, f"{where}.members_required", "Missing required direct channel property: members")
    users = find_members(state, names or [], f"{where}.members", "Direct channel members list")
    header = text_of(line, "header")
    require(len(header or "") <= 1024, f"{where}.header_length", "Direct channel header is too long")
    for name in texts_of(line, "favorited_by") or ():
        message = f'Direct channel can only be favorited by members. "{name}" is not a member.'
        require(name in (names or ()), f"{where}.unknown_favoriter", message)
    channel = open_personal(state, users)
    for name in texts_of(line, "favorited_by") or ():
        user = state.users.by_username[name]
        state.preferences.save(Preference(user.id, "favorite_channel", channel.id, "true"))
    if not state.version.modern:
        for user in users:
            state.preferences.save(Preference(user.id, "direct_channel_show", channel.id, "true"))
    if header is not None:
        channel.header = header
        channel.update_at = max(state.now_ms(), channel.create_at + 1)


def find_members(state: State, names: list[str], where: str, what: str) -> list[User]:
    """Return the users of a direct or group channel, refusing too few, too many and unknown ones."""
    require(len(names) >= 2, f"{where}_too_few", f"{what} contains too few items")
    require(len(names) <= entering.GROUP_MAX, f"{where}_too_many", f"{what} contains too many items")
    users: list[Any] = [state.users.by_username.get(name) for name in names]
    require(all(users), "get_users_by_username.some_users_not_found", "Some users not found")
    return users


def open_personal(state: State, users: list[User]) -> Channel:
    """Return the direct channel of two users or the group channel of more."""
    if len(users) == 2:
        return entering.open_direct(state, users[0], users[1])[0]
    return entering.open_group(state, users)[0]
