"""The accounts of the embedded Mattermost."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from mattermost_load_test.embedded.tables.ordering import Ordered

Properties = dict[str, str]
"""A user's notify props, timezone or own props: a flat map of texts, replaced as a whole, never changed in place."""

NO_TIMEZONE: Properties = {"automaticTimezone": "", "manualTimezone": "", "useAutomaticTimezone": "true"}


@dataclass(slots=True)
class User:
    """One account; times are milliseconds since 1970, `delete_at` is 0 while it is active."""

    id: str
    username: str
    email: str
    create_at: int
    roles: str
    notify_props: Properties
    password_digest: bytes = field(default=b"", repr=False)
    update_at: int = 0
    delete_at: int = 0
    email_verified: bool = False
    auth_service: str = ""
    nickname: str = ""
    first_name: str = ""
    last_name: str = ""
    position: str = ""
    props: Properties = field(default_factory=dict)
    last_password_update: int = 0
    last_picture_update: int = 0
    failed_attempts: int = 0
    locale: str = "en"
    timezone: Properties = field(default_factory=lambda: NO_TIMEZONE)

    def set_password(self, password: str) -> None:
        """Keep a digest of the password: fast, since nobody is to be protected here, and not the password itself."""
        self.password_digest = self._digest(password)

    def has_password(self, password: str) -> bool:
        """Tell whether this is the user's password."""
        return hmac.compare_digest(self.password_digest, self._digest(password))

    def _digest(self, password: str) -> bytes:
        return hashlib.blake2b(password.encode(), digest_size=16, salt=self.id[:16].encode()).digest()

    def has_role(self, role: str) -> bool:
        """Tell whether the user has this system role."""
        return role in self.roles.split()

    @property
    def is_guest(self) -> bool:
        """Whether the account is a guest's."""
        return self.has_role("system_guest")

    @property
    def is_admin(self) -> bool:
        """Whether the account is a system admin's."""
        return self.has_role("system_admin")


class UserTable:
    """All accounts by id, name and e-mail address, sorted by name, and searchable by the beginnings of their names."""

    def __init__(self) -> None:
        self.by_id: dict[str, User] = {}
        self.by_username: dict[str, User] = {}
        self.by_email: dict[str, User] = {}
        self.names = Ordered()
        self.words = Ordered()
        self.active_count = 0

    def __len__(self) -> int:
        return len(self.by_id)

    def add(self, user: User) -> None:
        """Add a new account; its name and address are free, the caller has looked."""
        self.by_id[user.id] = user
        self.active_count += not user.delete_at
        self._index(user)

    def reindex(self, user: User, before: tuple[str, str, set[str]]) -> None:
        """Find a changed account under its new names; `before` is what `keys` said before the change."""
        username, email, words = before
        self.by_username.pop(username, None)
        self.by_email.pop(email, None)
        self.names.remove(username, user.id)
        for word in words:
            self.words.remove(word, user.id)
        self._index(user)

    def keys(self, user: User) -> tuple[str, str, set[str]]:
        """Return what the account is found by: name, address and the words of its names."""
        return user.username, user.email, set(_words(user))

    def set_active(self, user: User, active: bool, now_ms: int) -> None:
        """Activate or deactivate an account."""
        if active == (not user.delete_at):
            return
        self.active_count += 1 if active else -1
        user.delete_at = 0 if active else now_ms
        user.update_at = now_ms

    def by_login(self, login_id: str) -> User | None:
        """Return the account with this name or e-mail address."""
        return self.by_username.get(login_id) or self.by_email.get(login_id)

    def find(self, term: str, among: Ordered, *, full_names: bool, emails: bool) -> Iterator[User]:
        """Go through those `among` accounts sorted by username of which a name begins with each word of `term`."""
        words = [word.lstrip("@").lower() for word in term.split()]
        candidates: Iterable[str] = among.ids()
        if words and self.words.count_prefix(words[0]) < len(among):
            present = set(candidates)
            found = {user_id for user_id in self.words.with_prefix(words[0]) if user_id in present}
            candidates = sorted(found, key=lambda user_id: self.by_id[user_id].username)
        for user_id in candidates:
            user = self.by_id[user_id]
            names = _searched(user, full_names=full_names, emails=emails)
            if all(any(name.startswith(word) for name in names) for word in words):
                yield user

    def _index(self, user: User) -> None:
        self.by_username[user.username] = user
        self.by_email[user.email] = user
        self.names.add(user.username, user.id)
        for word in set(_words(user)):
            self.words.add(word, user.id)


def _searched(user: User, *, full_names: bool, emails: bool) -> list[str]:
    names = [user.username, user.nickname.lower()]
    if full_names:
        names += [user.first_name.lower(), user.last_name.lower()]
    if emails:
        names.append(user.email)
    return names


def _words(user: User) -> Iterator[str]:
    for text in (user.username, user.first_name, user.last_name, user.nickname, user.email):
        if text:
            yield text.lower()
