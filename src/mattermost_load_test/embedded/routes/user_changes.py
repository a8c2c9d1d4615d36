"""Changing accounts: names, password, roles, picture, activation."""

from __future__ import annotations

from typing import Any

from mattermost_load_test.embedded import accounts, bodies
from mattermost_load_test.embedded.answers import Answer, json_answer, ok
from mattermost_load_test.embedded.api_errors import ApiRefusal, invalid_body
from mattermost_load_test.embedded.call import Call
from mattermost_load_test.embedded.routes.users import USER, check_user_limit
from mattermost_load_test.embedded.routing import Route
from mattermost_load_test.embedded.tables.users import User

PATCHABLE = ("username", "nickname", "first_name", "last_name", "position", "email", "locale")
MAPS = ("props", "notify_props", "timezone")
"""What a patch may change: texts, and maps."""

PATCH = {name: USER[name] for name in (*PATCHABLE, *MAPS, "password")} | {"remote_id": bodies.text}

NEW_SYSTEM_ROLES = ("system_user_manager", "system_read_only_admin", "system_manager")
"""Roles that need a licence."""


def update_user(call: Call) -> Answer:
    """Change an account to what the body says."""
    user_id = call.id_param("user_id")
    given = call.json("user", USER)
    if given.get("id") != user_id:
        raise invalid_body("user_id")
    user = _changeable(call, user_id)
    if not given.get("create_at") and not call.site.version.modern:  # the body takes the place of the whole row
        message = "Create at must be a valid time."
        raise ApiRefusal(400, "model.user.is_valid.create_at.app_error", message, f"user_id={user_id}")
    email = given.get("email", "").lower()
    if email and email != user.email and user_id == call.user_id and not user.has_password(given.get("password", "")):
        raise invalid_body("password")
    values = {name: given[name] for name in (*PATCHABLE, *MAPS) if name in given}
    for name in ("nickname", "first_name", "last_name", "position"):
        values.setdefault(name, "")
    return _change(call, user, values)


def patch_user(call: Call) -> Answer:
    """Change what the body names of an account."""
    user_id = call.id_param("user_id")
    given = call.json("user", PATCH)
    user = _changeable(call, user_id)
    email = given.get("email")
    if email is not None and email.lower() != user.email and user_id == call.user_id:
        if "password" not in given:
            raise invalid_body("password")
        if not user.has_password(given["password"]):
            message = "Login failed because of invalid password."
            raise ApiRefusal(401, "api.user.check_user_password.invalid.app_error", message, f"user_id={user_id}")
    return _change(call, user, given)


def _changeable(call: Call, user_id: str) -> User:
    """Return an account if the caller may change it."""
    call.need_self_or(user_id)
    user = call.state.users.by_id.get(user_id)
    if user is None:
        raise invalid_body("user_id")
    if user.is_admin:
        call.need("manage_system")
    return user


def _change(call: Call, user: User, values: dict[str, Any]) -> Answer:
    state = call.state
    username = values.get("username", user.username).lower()
    email = values.get("email", user.email).lower()
    accounts.check_names(state, user.id, username, email)
    accounts.check_lengths(values, user.id)
    before, old_name = state.users.keys(user), user.username
    user.username, user.email = username, email
    for name in ("nickname", "first_name", "last_name", "position", "locale"):
        if name in values:
            setattr(user, name, values[name])
    for name in MAPS:
        if name in values:
            setattr(user, name, {key: text or "" for key, text in values[name].items()})
    if username != old_name and not user.last_picture_update:
        user.last_picture_update = state.now_ms()
    state.users.reindex(user, before)
    if username != old_name:
        state.teams.renamed(user, old_name)
        state.channels.renamed(user, old_name)
    accounts.learn_keywords(state, user)
    user.update_at = state.now_ms()
    _tell_updated(call, user)
    return json_answer(call.views.own_user(user))


def _tell_updated(call: Call, user: User) -> None:
    views = call.views
    call.site.publish(
        call.site.events.user_updated(views.user(user), views.user(user, to_admin=True), views.own_user(user))
    )


def update_user_active(call: Call) -> Answer:
    """Activate or deactivate an account; deactivating ends its sessions."""
    user_id = call.id_param("user_id")
    active = bodies.decode_any_map(call.body).get("active")
    if not isinstance(active, bool):
        raise invalid_body("active")
    own = user_id == call.user_id and not active
    if not own and not call.may("sysconsole_write_user_management_users"):
        message = "You do not have the appropriate permissions."
        raise ApiRefusal(403, "api.user.update_active.permissions.app_error", message, f"userId={user_id}")
    if own:
        _check_may_leave(call, user_id)
    user = call.target_user()
    if user.is_admin:
        call.need("manage_system")
    _set_active(call, user, active)
    call.site.publish(call.site.events.user_activation_status_change())
    return ok()


def _check_may_leave(call: Call, user_id: str) -> None:
    if not call.state.config.get("TeamSettings", "EnableUserDeactivation"):
        message = (
            "You cannot deactivate yourself because this feature is not enabled. "
            "Please contact your System Administrator."
        )
        raise ApiRefusal(401, "api.user.update_active.not_enable.app_error", message, f"userId={user_id}")


def _set_active(call: Call, user: User, active: bool) -> None:
    if active and user.delete_at:
        message = "Can't activate user. Server exceeds safe user limit. "
        message += "Contact administrator with: ERROR_SAFETY_LIMITS_EXCEEDED."
        check_user_limit(call, "app.user.update_active.user_limit.exceeded", message)
    call.state.users.set_active(user, active, call.state.now_ms())
    user.update_at = call.state.now_ms()
    if not active:
        call.site.set_offline(user.id)  # the last that its own sockets hear
        call.state.sessions.revoke_all(user.id)
    _tell_updated(call, user)


def delete_user(call: Call) -> Answer:
    """Deactivate an account."""
    user = call.target_user()
    call.need_self_or(user.id)
    if user.id == call.user_id and not call.is_admin:
        _check_may_leave(call, user.id)
    if user.is_admin:
        call.need("manage_system")
    if call.query_flag("permanent") and not call.state.config.get("ServiceSettings", "EnableAPIUserDeletion"):
        message = "Permanent user deletion feature is not enabled. Please contact your System Administrator."
        raise ApiRefusal(401, "api.user.delete_user.not_enabled.app_error", message, f"userId={user.id}")
    _set_active(call, user, False)
    return ok()


def update_user_roles(call: Call) -> Answer:
    """Give an account other system roles."""
    call.id_param("user_id")
    roles = bodies.decode_text_map(call.body).get("roles", "")
    names = roles.split()
    if not all(name.replace("_", "").isalnum() for name in names) or names == ["system_admin"]:
        raise invalid_body("roles")
    if any(name in NEW_SYSTEM_ROLES for name in names) and not call.state.licensed:
        message = "Custom permission schemes not supported by current license"
        raise ApiRefusal(400, "api.user.update_user_roles.license.app_error", message)
    call.need("manage_roles")
    user = call.target_user()
    for name in names:
        if name not in call.state.roles.by_name:
            message = "The provided role does not exist"
            raise ApiRefusal(400, "app.role.check_roles_exist.role_not_found", message, f"role={name}")
    user.roles = roles
    user.update_at = call.state.now_ms()
    for session in call.state.sessions.of_user.get(user.id, {}).values():
        session.roles = roles
    call.site.publish(call.site.events.user_role_updated(user.id, roles))
    return ok()


def verify_user_email_without_token(call: Call) -> Answer:
    """Take an account's address for verified."""
    user = call.target_user()
    call.need("manage_system")
    row = call.views.own_user(user)
    user.email_verified = True
    user.update_at = call.state.now_ms()
    return json_answer(row)


def update_password(call: Call) -> Answer:
    """Give an account another password."""
    user_id = call.id_param("user_id")
    given = bodies.decode_text_map(call.body)
    user = call.state.users.by_id.get(user_id)
    needed = "manage_system" if user is not None and user.is_admin else "sysconsole_write_user_management_users"
    if user_id == call.user_id:
        current = given.get("current_password", "")
        if not current:
            raise invalid_body("current_password")
        if not call.user.has_password(current):
            call.user.failed_attempts += 1
            message = 'The "Current Password" you entered is incorrect. '
            message += "Please check that Caps Lock is off and try again."
            raise ApiRefusal(400, "api.user.update_password.incorrect.app_error", message)
    elif not call.may(needed) or user is None:
        message = "Update password failed because context user_id did not match props user_id."
        raise ApiRefusal(403, "api.user.update_password.context.app_error", message)
    user = call.target_user()
    accounts.check_password(call.state, given.get("new_password", ""))
    user.set_password(given.get("new_password", ""))
    user.last_password_update = user.update_at = call.state.now_ms()
    return ok()


ROUTES = (
    Route("PUT", "/users/{user_id}", update_user),
    Route("PUT", "/users/{user_id}/patch", patch_user),
    Route("PUT", "/users/{user_id}/active", update_user_active),
    Route("DELETE", "/users/{user_id}", delete_user),
    Route("PUT", "/users/{user_id}/roles", update_user_roles),
    Route("PUT", "/users/{user_id}/password", update_password),
    Route("POST", "/users/{user_id}/email/verify/member", verify_user_email_without_token),
)
