"""What the subjects of the API have in common: the session they speak through."""

from __future__ import annotations

from mattermost_load_test.mattermost.rest.session import Session


class Subject:
    """A group of methods on one subject, a view on a session that holds nothing itself."""

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        self._session = session
