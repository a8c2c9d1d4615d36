"""Accounts: making them, looking at them."""

from __future__ import annotations

from mattermost_load_test.embedded import accounts, bodies
from mattermost_load_test.embedded.answers import Answer, json_answer
from mattermost_load_test.embedded.api_errors import ApiRefusal, invalid_body, invalid_url, missing_user, not_found
from mattermost_load_test.embedded.call import Call
from mattermost_load_test.embedded.routes.user_lists import known_ids
from mattermost_load_test.embedded.routing import Route
from mattermost_load_test.embedded.tables.users import User

USER = {
    "id": bodies.text,
    "username": bodies.text,
    "email": bodies.text,
    "password": bodies.text,
    "nickname": bodies.text,
    "first_name": bodies.text,
    "last_name": bodies.text,
    "position": bodies.text,
    "roles": bodies.text,
    "locale": bodies.text,
    "auth_data": bodies.text,
    "auth_service": bodies.text,
    "props": bodies.text_map,
    "notify_props": bodies.text_map,
    "timezone": bodies.text_map,
    "create_at": bodies.whole,
    "update_at": bodies.whole,
    "delete_at": bodies.whole,
    "last_password_update": bodies.whole,
    "last_picture_update": bodies.whole,
    "email_verified": bodies.flag,
    "allow_marketing": bodies.flag,
    "mfa_active": bodies.flag,
    "disable_welcome_email": bodies.flag,
}
"""What an account in a body may hold."""


def create_user(call: Call) -> Answer:
    """Make an account; on an empty server anybody may, and becomes its admin."""
    given = call.json("user", USER)
    site = call.site
    by_admin = call.session is not None and call.is_admin
    if not by_admin and not site.state.config.get("TeamSettings", "EnableUserCreation"):
        raise ApiRefusal(
            501, "api.user.create_user.signup_email_disabled.app_error", "User sign-up with email is disabled."
        )
    if not by_admin and len(site.state.users) and not site.state.config.get("TeamSettings", "EnableOpenServer"):
        raise ApiRefusal(
            403,
            "api.user.create_user.no_open_server",
            "This server does not allow open signups.  Please speak with your Administrator to receive an invitation.",
        )
    username, email = (given.get("username") or site.new_id()).lower(), given.get("email", "").lower()
    password = given.get("password", "")
    accounts.check_password(site.state, password)
    accounts.check_lengths(given, "")
    accounts.check_names(site.state, "", username, email)
    check_user_limit(
        call,
        "api.user.create_user.user_limits.exceeded",
        "Can't create user. Server exceeds safe user limit. Contact administrator with: ERROR_SAFETY_LIMITS_EXCEEDED.",
    )
    now = site.state.now_ms()
    user = User(
        id=site.state.new_id(),
        username=username,
        email=email,
        create_at=now,
        update_at=now,
        last_password_update=now,
        roles="system_user",
        notify_props=accounts.default_notify_props(site.state),
        nickname=given.get("nickname", ""),
        first_name=given.get("first_name", ""),
        last_name=given.get("last_name", ""),
        position=given.get("position", ""),
        locale=accounts.known_locale(given.get("locale", "")),
    )
    user.set_password(password)
    accounts.add(site.state, user)
    site.publish(site.events.new_user(user.id))
    return json_answer(call.views.created_user(user), 201)


def check_user_limit(call: Call, error_id: str, message: str) -> None:
    """Refuse one more active user where no licence allows it."""
    limit = call.site.version.user_limit
    if limit and not call.state.licensed and call.state.users.active_count >= limit:
        raise ApiRefusal(400, error_id, message)


def get_user(call: Call) -> Answer:
    """Give one account."""
    return _show(call, call.target_user())


def get_user_by_username(call: Call) -> Answer:
    """Give the account of this name."""
    username = call.params["username"]
    if not accounts.is_username(username):
        raise invalid_body("username")
    user = call.state.users.by_username.get(username)
    if user is None:
        message = "Unable to find an existing account matching your username for this team. "
        message += "This team may require an invite from the team owner to join."
        raise not_found("app.user.get_by_username.app_error", message, "User", f"username={username}")
    return _show(call, user)


def get_user_by_email(call: Call) -> Answer:
    """Give the account with this e-mail address."""
    email = call.params["email"].lower()
    if not accounts.is_email(email):
        raise invalid_url("email")
    user = call.state.users.by_email.get(email)
    if user is None:
        raise missing_user(f"email={email}")
    return _show(call, user)


def _show(call: Call, user: User) -> Answer:
    own = user.id == call.user_id
    if not own and not call.may("view_members") and user.id not in known_ids(call):
        raise call.refuse("view_members")
    shown = call.views.own_user(user) if own else call.views.user(user, to_admin=call.is_admin)
    etag = f"{call.site.version.number}.{user.id}.{user.update_at}..0.true.true.0"
    return call.unless_known(shown, etag)


ROUTES = (
    Route("POST", "/users", create_user, session=False),
    Route("GET", "/users/{user_id}", get_user),
    Route("GET", "/users/username/{username}", get_user_by_username),
    Route("GET", "/users/email/{email}", get_user_by_email),
)
