"""Users, their profiles, statuses and preferences."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

from pydantic import SecretStr

from mattermost_load_test.mattermost.models import Json, User
from mattermost_load_test.mattermost.rest.subject import Subject

PREFERENCES_PATH = "/users/[user id]/preferences"
PREFERENCES = f"PUT {PREFERENCES_PATH}"
MY_PREFERENCES = "GET /users/me/preferences"


class Users(Subject):
    """Users, their profiles, statuses and preferences."""

    __slots__ = ()

    async def create(self, email: str, username: str, password: SecretStr | str) -> User:
        """Create a user. On an empty server this needs no login and makes the system admin.

        An `ApiError` with `error_id` api.user.create_user.user_limits.exceeded: 11.x without a licence stops at 250.
        """
        body = {"email": email, "username": username, "password": _shown(password)}
        return await self._session.one("POST /users", "/users", User.of, body)

    async def me(self) -> User:
        """Return the user of this session."""
        return await self._session.one("GET /users/me", "/users/me", User.of)

    async def page(
        self, page: int = 0, per_page: int = 60, in_team: str = "", in_channel: str = ""
    ) -> tuple[User, ...]:
        """Return one page (at most 200) of all users, or of those in a team or channel."""
        query = f"page={page}&per_page={per_page}"
        query += f"&in_team={in_team}" if in_team else ""
        query += f"&in_channel={in_channel}" if in_channel else ""
        return await self._session.many("GET /users", f"/users?{query}", User.of)

    async def count(self) -> int:
        """Return how many users the server has."""
        return await self._session.one("GET /users/stats", "/users/stats", lambda data: int(data["total_users_count"]))

    async def by_ids(self, user_ids: Sequence[str]) -> tuple[User, ...]:
        """Return the users of these ids, unknown ones left out; an empty list is refused (400)."""
        return await self._session.many("POST /users/ids", "/users/ids", User.of, user_ids)

    async def by_usernames(self, usernames: Sequence[str]) -> tuple[User, ...]:
        """Return the users of these names, unknown ones left out; an empty list is refused (400)."""
        return await self._session.many("POST /users/usernames", "/users/usernames", User.of, usernames)

    async def by_username(self, username: str) -> User:
        """Return the user of this name."""
        path = f"/users/username/{quote(username, safe='')}"
        return await self._session.one("GET /users/username/[username]", path, User.of)

    async def by_email(self, email: str) -> User:
        """Return the user of this e-mail address."""
        return await self._session.one("GET /users/email/[email]", f"/users/email/{quote(email, safe='@+')}", User.of)

    async def search(self, term: str, team_id: str = "") -> tuple[User, ...]:
        """Return the users whose name begins with `term`, everywhere or in a team."""
        body = {"term": term, "team_id": team_id} if team_id else {"term": term}
        return await self._session.many("POST /users/search", "/users/search", User.of, body)

    async def statuses(self, user_ids: Sequence[str]) -> None:
        """Ask for the statuses of users; anything but ids of 26 letters is refused (400)."""
        await self._session.done("POST /users/status/ids", "/users/status/ids", user_ids)

    async def set_active(self, user_id: str, active: bool) -> None:
        """Deactivate a user, which ends its sessions, or activate it again; as system admin.

        An `ApiError` with `error_id` app.user.update_active.user_limit.exceeded: 11.x without a licence is full.
        """
        await self._session.done("PUT /users/[user id]/active", f"/users/{user_id}/active", {"active": active})

    async def set_password(self, user_id: str, current: SecretStr | str, new: SecretStr | str) -> None:
        """Change the password of this session's user; 400 when the current one is wrong or the new one too weak."""
        body = {"current_password": _shown(current), "new_password": _shown(new)}
        await self._session.done("PUT /users/[user id]/password", f"/users/{user_id}/password", body)

    async def set_nickname(self, nickname: str, user_id: str = "me") -> User:
        """Set a user's nickname."""
        route = "PUT /users/me/patch" if user_id == "me" else "PUT /users/[user id]/patch"
        return await self._session.one(route, f"/users/{user_id}/patch", User.of, {"nickname": nickname})

    async def preferences(self) -> tuple[Json, ...]:
        """Return the preferences of this session's user: objects with user_id, category, name and value."""
        return await self._session.many(MY_PREFERENCES, "/users/me/preferences", dict)

    async def set_preferences(self, user_id: str, preferences: list[Json]) -> None:
        """Set preferences of a user."""
        await self._session.done(PREFERENCES, f"/users/{user_id}/preferences", preferences)

    async def delete_preferences(self, user_id: str, preferences: list[Json]) -> None:
        """Remove preferences of a user."""
        await self._session.done(f"POST {PREFERENCES_PATH}/delete", f"/users/{user_id}/preferences/delete", preferences)


def _shown(password: SecretStr | str) -> str:
    """Return a password as it must be sent."""
    return password.get_secret_value() if isinstance(password, SecretStr) else password
