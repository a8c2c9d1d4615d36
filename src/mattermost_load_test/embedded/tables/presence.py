"""Statuses (online, away, dnd, offline) and preferences of users."""

from __future__ import annotations

from dataclasses import dataclass

ONLINE, AWAY, DND, OFFLINE = "online", "away", "dnd", "offline"
"""The statuses a user can have."""


@dataclass(slots=True)
class Status:
    """A user's status; `manual` when the user chose it. Times are milliseconds since 1970 (`dnd_end_time`: seconds)."""

    user_id: str
    status: str = OFFLINE
    manual: bool = False
    last_activity_at: int = 0
    dnd_end_time: int = 0


@dataclass(frozen=True, slots=True)
class Preference:
    """One setting of one user."""

    user_id: str
    category: str
    name: str
    value: str


class PreferenceTable:
    """Each user's preferences by category and name."""

    def __init__(self) -> None:
        self._of_user: dict[str, dict[tuple[str, str], Preference]] = {}

    def save(self, preference: Preference) -> None:
        """Add a preference or replace it."""
        self._of_user.setdefault(preference.user_id, {})[preference.category, preference.name] = preference

    def delete(self, user_id: str, category: str, name: str) -> None:
        """Remove a preference; nothing happens when there is none."""
        self._of_user.get(user_id, {}).pop((category, name), None)

    def delete_of_all(self, category: str, name: str) -> None:
        """Remove a preference of every user who has it."""
        for found in self._of_user.values():
            found.pop((category, name), None)

    def get(self, user_id: str, category: str, name: str) -> Preference | None:
        """Return one preference."""
        return self._of_user.get(user_id, {}).get((category, name))

    def of_user(self, user_id: str, category: str = "") -> list[Preference]:
        """Return a user's preferences, of one category if it is given, sorted by category and name."""
        found = self._of_user.get(user_id, {})
        return [found[key] for key in sorted(found) if category in ("", key[0])]
