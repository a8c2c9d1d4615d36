"""Sessions: the tokens that users hold."""

from __future__ import annotations

from dataclasses import dataclass, field

SESSION_LENGTH_MS = 180 * 24 * 3600 * 1000
"""How long a session lives unless it is ended: `SessionLengthWebInDays` of both recorded servers."""


@dataclass(slots=True)
class Session:
    """One login of a user; it is alive until `expires_at` (milliseconds since 1970) or until it is revoked."""

    id: str
    token: str = field(repr=False)
    user_id: str
    roles: str
    create_at: int
    expires_at: int
    last_activity_at: int
    device_id: str = ""


class SessionTable:
    """All living sessions by token, and each user's."""

    def __init__(self) -> None:
        self.by_token: dict[str, Session] = {}
        self.of_user: dict[str, dict[str, Session]] = {}

    def add(self, session: Session) -> None:
        """Add a new session."""
        self.by_token[session.token] = session
        self.of_user.setdefault(session.user_id, {})[session.id] = session

    def revoke(self, session: Session) -> None:
        """End a session: its token is worth nothing from now on."""
        self.by_token.pop(session.token, None)
        of_user = self.of_user.get(session.user_id)
        if of_user is not None:
            of_user.pop(session.id, None)
            if not of_user:
                del self.of_user[session.user_id]

    def revoke_all(self, user_id: str) -> None:
        """End all sessions of a user."""
        for session in list(self.of_user.get(user_id, {}).values()):
            self.revoke(session)
