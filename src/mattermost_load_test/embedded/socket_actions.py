"""What a websocket client may ask for by an action, and how it is answered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from mattermost_load_test.embedded.events import Row
from mattermost_load_test.embedded.hub import Hub

Data = Mapping[str, Any]


class ActionHost(Protocol):
    """What actions ask of the server around them."""

    def may_post(self, user_id: str, channel_id: str) -> bool:
        """Tell whether a user may post to a channel."""

    def set_online(self, user_id: str, *, manual: bool = False) -> None:
        """Set a user's status to online and publish a change; a status set by hand stays unless `manual`."""

    def set_away_if_idle(self, user_id: str, *, manual: bool = False) -> None:
        """Set a user's status to away if the user did nothing lately (or `manual`), and publish it."""

    def statuses(self) -> Mapping[str, str]:
        """Give the status of every user who has one."""

    def statuses_of(self, user_ids: list[str]) -> Mapping[str, str]:
        """Give the status of users, offline for those without one."""

    def server_number(self) -> str:
        """Give the server's version number, three parts."""

    def now_ms(self) -> int:
        """Give the time in ms since 1970."""


class ActionRefusal(Exception):
    """An action that the server refuses, with the server's own error id, message and status."""

    def __init__(self, status: int, error_id: str, message: str) -> None:
        super().__init__(f"{status} {error_id}")
        self.error = {"id": error_id, "message": message, "detailed_error": "", "status_code": status}


NOT_AUTHENTICATED = ActionRefusal(
    401,
    "api.web_socket_router.not_authenticated.app_error",
    "WebSocket connection is not authenticated. Please log in and try again.",
)


def answer(host: ActionHost, hub: Hub, user_id: str, request: Row) -> Row:
    """Carry out what a client asks for and give the reply, a refusal included.

    `request` is a JSON object with `seq` (a whole number), `action` and, where the action needs it, `data`.
    """
    seq = request.get("seq") or 0
    try:
        reply: dict[str, Any] = {"status": "OK", "seq_reply": seq, "data": _perform(host, hub, user_id, request, seq)}
    except ActionRefusal as refusal:
        reply = refused(seq, refusal)
    return {key: value for key, value in reply.items() if value}


def refused(seq: int, refusal: ActionRefusal) -> dict[str, Any]:
    """Give the reply to a refused action."""
    return {"status": "FAIL", "seq_reply": seq, "error": refusal.error}


def _perform(host: ActionHost, hub: Hub, user_id: str, request: Row, seq: int) -> Data:
    action = request.get("action") or ""
    if not action:
        raise ActionRefusal(400, "api.web_socket_router.no_action.app_error", "No websocket action.")
    if seq <= 0:
        raise ActionRefusal(400, "api.web_socket_router.bad_seq.app_error", "Invalid sequence for WebSocket message.")
    perform = ACTIONS.get(action) or (MODERN_ACTIONS.get(action) if hub.events.modern else None)
    if perform is None:
        raise ActionRefusal(500, "api.web_socket_router.bad_action.app_error", "Unknown WebSocket action.")
    return perform(host, hub, user_id, request.get("data") or {})


def _invalid(name: str) -> ActionRefusal:
    return ActionRefusal(400, "api.websocket_handler.invalid_param.app_error", f"Invalid {name} parameter.")


def _ping(host: ActionHost, hub: Hub, user_id: str, data: Data) -> Data:
    return {"node_id": "", "server_time": host.now_ms(), "text": "pong", "version": host.server_number()}


def _get_statuses(host: ActionHost, hub: Hub, user_id: str, data: Data) -> Data:
    return host.statuses()


def _get_statuses_by_ids(host: ActionHost, hub: Hub, user_id: str, data: Data) -> Data:
    user_ids = data.get("user_ids")
    wanted = [item for item in user_ids if isinstance(item, str)] if isinstance(user_ids, list) else []
    if not wanted:
        raise _invalid("user_ids")
    return host.statuses_of(wanted)


def _user_typing(host: ActionHost, hub: Hub, user_id: str, data: Data) -> Data:
    channel_id = data.get("channel_id")
    if not isinstance(channel_id, str) or not host.may_post(user_id, channel_id):
        raise _invalid("channel_id")
    parent_id = data.get("parent_id")
    hub.publish(*hub.events.typing(user_id, channel_id, parent_id if isinstance(parent_id, str) else ""))
    return {}


def _user_update_active_status(host: ActionHost, hub: Hub, user_id: str, data: Data) -> Data:
    is_active = data.get("user_is_active")
    if not isinstance(is_active, bool):
        raise _invalid("user_is_active")
    manual = data.get("manual") is True
    if is_active:
        host.set_online(user_id, manual=manual)
    else:
        host.set_away_if_idle(user_id, manual=manual)
    return {}


def _presence(host: ActionHost, hub: Hub, user_id: str, data: Data) -> Data:
    return {}  # up to 11.9 what a client looks at changes nothing in what it is sent


ACTIONS: dict[str, Callable[[ActionHost, Hub, str, Data], Data]] = {
    "get_statuses": _get_statuses,
    "get_statuses_by_ids": _get_statuses_by_ids,
    "ping": _ping,
    "user_typing": _user_typing,
    "user_update_active_status": _user_update_active_status,
}
MODERN_ACTIONS = {"presence": _presence}
