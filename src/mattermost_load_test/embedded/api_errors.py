"""The refusals of a Mattermost server: error id, message and status, as its clients get them.

`ApiRefusal` is raised by whatever finds a request wanting; `app` turns it into the answer. It is no error of this
toolkit: it never leaves the embedded server.
"""

from __future__ import annotations

from collections.abc import Iterable


class ApiRefusal(Exception):
    """A request that the server answers with an error.

    `error_id` and `message` are the server's own, `details` its `detailed_error` (shown by old servers only),
    `clears_cookie` tells that the answer takes the session cookie away.
    """

    def __init__(
        self, status: int, error_id: str, message: str, details: str = "", *, clears_cookie: bool = False
    ) -> None:
        super().__init__(f"{status} {error_id}")
        self.status = status
        self.error_id = error_id
        self.message = message
        self.details = details
        self.clears_cookie = clears_cookie


def invalid_body(name: str, details: str = "") -> ApiRefusal:
    """Refuse a body that is not what it should be; `name` is what is wrong in it."""
    message = f"Invalid or missing {name} in request body."
    return ApiRefusal(400, "api.context.invalid_body_param.app_error", message, details)


def invalid_url(name: str) -> ApiRefusal:
    """Refuse a path or query whose parameter `name` is wrong or missing."""
    message = f"Invalid or missing {name} parameter in request URL."
    return ApiRefusal(400, "api.context.invalid_url_param.app_error", message)


def no_permission(user_id: str, permissions: Iterable[str]) -> ApiRefusal:
    """Refuse what the user may not do for want of `permissions`."""
    details = f"userId={user_id}, permission=" + "".join(f"{permission}," for permission in permissions)
    message = "You do not have the appropriate permissions."
    return ApiRefusal(403, "api.context.permissions.app_error", message, details)


def no_session(details: str, *, clears_cookie: bool = False) -> ApiRefusal:
    """Refuse a request that needs a session and brings none, or a dead one."""
    message = "Invalid or expired session, please login again."
    return ApiRefusal(401, "api.context.session_expired.app_error", message, details, clears_cookie=clears_cookie)


def not_found(error_id: str, message: str, kind: str, key: str) -> ApiRefusal:
    """Refuse a request for something that is not there: a `kind` under `key`."""
    return ApiRefusal(404, error_id, message, f"resource: {kind} id: {key}")


def missing_user(key: str) -> ApiRefusal:
    """Refuse a request for a user that is not there."""
    return not_found("app.user.missing_account.const", "Unable to find the user.", "User", key)


def missing_team(key: str) -> ApiRefusal:
    """Refuse a request for a team that is not there."""
    return not_found("app.team.get.find.app_error", "Unable to find the existing team.", "Team", key)


def missing_channel(key: str) -> ApiRefusal:
    """Refuse a request for a channel that is not there."""
    return not_found("app.channel.get.existing.app_error", "Unable to find the existing channel.", "Channel", key)


def missing_post(key: str) -> ApiRefusal:
    """Refuse a request for a post that is not there."""
    return not_found("app.post.get.app_error", "Unable to get the post.", "Post", key)
