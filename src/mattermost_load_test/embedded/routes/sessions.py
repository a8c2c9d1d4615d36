"""Logging in and out, and the sessions that come of it."""

from __future__ import annotations

from typing import Any

from mattermost_load_test.embedded import accounts, bodies
from mattermost_load_test.embedded.answers import CLEARED_COOKIE, Answer, json_answer, ok
from mattermost_load_test.embedded.api_errors import ApiRefusal, invalid_body
from mattermost_load_test.embedded.call import Call
from mattermost_load_test.embedded.routing import Route
from mattermost_load_test.embedded.tables.sessions import Session
from mattermost_load_test.embedded.tables.users import User


def login(call: Call) -> Answer:
    """Open a session for who knows a password; the token stands in the header ``Token``."""
    given = bodies.decode_text_map(call.body)
    user, failed_attempts = _authenticate(call, given)
    session = accounts.open_session(call.state, user, given.get("device_id", ""))
    call.state.counts["logins"] += 1
    show = call.views.created_user if call.site.version.modern and not user.email_verified else call.views.own_user
    row = show(user) | ({"failed_attempts": failed_attempts} if failed_attempts else {})
    return json_answer(row, headers={"Token": session.token})


def _authenticate(call: Call, given: dict[str, str]) -> tuple[User, int]:
    """Return whose password it is, and how often it was mistaken before."""
    login_id = given.get("id") or given.get("login_id", "")
    state = call.state
    user = state.users.by_id.get(login_id) if given.get("id") else state.users.by_login(login_id.lower())
    password = given.get("password", "")
    if not password:
        _count_failure(call)
        raise ApiRefusal(400, "api.user.login.blank_pwd.app_error", "Password field must not be blank")
    if user is None:
        raise _failed(call)
    if user.delete_at:
        _count_failure(call)
        raise ApiRefusal(
            401,
            "api.user.login.inactive.app_error",
            "Login failed because your account has been deactivated.  Please contact an administrator.",
            f"user_id={user.id}",
        )
    if user.failed_attempts >= state.config.get("ServiceSettings", "MaximumLoginAttempts"):
        _count_failure(call)
        raise ApiRefusal(
            401,
            "api.user.check_user_login_attempts.too_many.app_error",
            "Your account is locked because of too many failed password attempts. Please reset your password.",
            f"user_id={user.id}",
        )
    if not user.has_password(password):
        user.failed_attempts += 1
        raise _failed(call)
    failed_attempts, user.failed_attempts = user.failed_attempts, 0
    return user, failed_attempts


def _failed(call: Call) -> ApiRefusal:
    _count_failure(call)
    message = "Enter a valid email or username and/or password."
    return ApiRefusal(401, "api.user.login.invalid_credentials_email_username", message)


def _count_failure(call: Call) -> None:
    call.state.counts["failed_logins"] += 1


def logout(call: Call) -> Answer:
    """End the session that the request brings."""
    if call.session is not None:
        call.state.sessions.revoke(call.session)
    return Answer(200, ok().body, headers={"Set-Cookie": CLEARED_COOKIE})


def get_sessions(call: Call) -> Answer:
    """Give a user's sessions."""
    user_id = call.id_param("user_id")
    call.need_self_or(user_id)
    sessions = call.state.sessions.of_user.get(user_id, {}).values()
    return json_answer([_row(session) for session in sessions])


def _row(session: Session) -> dict[str, Any]:
    return {
        "id": session.id,
        "token": "",
        "create_at": session.create_at,
        "expires_at": session.expires_at,
        "last_activity_at": session.last_activity_at,
        "user_id": session.user_id,
        "device_id": session.device_id,
        "roles": session.roles,
        "is_oauth": False,
        "expired_notify": False,
        "props": {
            "browser": "unknown/",
            "csrf": "",
            "isMobile": "false",
            "isOAuthUser": "false",
            "isSaml": "false",
            "is_guest": "false",
            "os": "",
            "platform": "",
        },
        "team_members": [],
        "local": False,
    }


def revoke_session(call: Call) -> Answer:
    """End one session of a user."""
    user_id = call.id_param("user_id")
    call.need_self_or(user_id)
    session_id = bodies.decode_any_map(call.body).get("session_id")
    if not isinstance(session_id, str) or not session_id:
        raise invalid_body("session_id")
    session = call.state.sessions.of_user.get(user_id, {}).get(session_id)
    if session is None:
        raise ApiRefusal(400, "app.session.get.app_error", "We encountered an error finding the session.")
    call.state.sessions.revoke(session)
    return ok()


def revoke_all_sessions_for_user(call: Call) -> Answer:
    """End all sessions of a user."""
    user_id = call.id_param("user_id")
    call.need_self_or(user_id)
    call.state.sessions.revoke_all(user_id)
    return ok()


def attach_device_id(call: Call) -> Answer:
    """Note the device that a session is used on."""
    device_id = bodies.decode_text_map(call.body).get("device_id", "")
    if not device_id:
        raise invalid_body("device_id")
    assert call.session is not None  # the route needs one
    call.session.device_id = device_id
    return ok()


ROUTES = (
    Route("POST", "/users/login", login, session=False),
    Route("POST", "/users/logout", logout, session=False),
    Route("GET", "/users/{user_id}/sessions", get_sessions),
    Route("PUT", "/users/sessions/device", attach_device_id),
    Route("POST", "/users/{user_id}/sessions/revoke", revoke_session),
    Route("POST", "/users/{user_id}/sessions/revoke/all", revoke_all_sessions_for_user),
)
