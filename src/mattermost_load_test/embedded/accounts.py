"""Making and changing accounts, and what is checked about them."""

from __future__ import annotations

import re
from collections.abc import Mapping

from mattermost_load_test.embedded.api_errors import ApiRefusal
from mattermost_load_test.embedded.state import State
from mattermost_load_test.embedded.tables.presence import Preference
from mattermost_load_test.embedded.tables.sessions import SESSION_LENGTH_MS, Session
from mattermost_load_test.embedded.tables.users import Properties, User

OLD_NOTIFY_PROPS: Properties = {
    "channel": "true",
    "comments": "never",
    "desktop": "mention",
    "desktop_sound": "true",
    "email": "true",
    "first_name": "false",
    "mention_keys": "",
    "push": "mention",
    "push_status": "away",
}
NEW_NOTIFY_PROPS: Properties = {
    "channel": "true",
    "comments": "never",
    "desktop": "mention",
    "desktop_sound": "true",
    "desktop_threads": "all",
    "email": "true",
    "email_threads": "all",
    "first_name": "false",
    "mention_keys": "",
    "push": "mention",
    "push_status": "online",
    "push_threads": "all",
}

RESERVED_NAMES = frozenset(("all", "channel", "here", "matterbot", "system"))
_USERNAME = re.compile(r"[a-z0-9._-]{1,64}\Z")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\Z")
PASSWORD_MAX = 72
"""bcrypt's limit, in characters."""


def default_notify_props(state: State) -> Properties:
    """Return the notify props of a new account."""
    return NEW_NOTIFY_PROPS if state.version.modern else OLD_NOTIFY_PROPS


def is_username(name: str) -> bool:
    """Tell whether the server takes `name` for a username."""
    return bool(_USERNAME.match(name)) and name not in RESERVED_NAMES


def is_email(text: str) -> bool:
    """Tell whether the server takes `text` for an e-mail address."""
    return bool(_EMAIL.match(text)) and len(text) <= 128


def check_names(state: State, user_id: str, username: str, email: str) -> None:
    """Refuse names that are no names, or that another account has."""
    if not is_email(email):
        message = "Please enter a valid email." if state.version.modern else "Invalid email."
        raise ApiRefusal(400, "model.user.is_valid.email.app_error", message, f"user_id={user_id}")
    if not is_username(username):
        message = (
            "Username must begin with a letter, and contain between 3 to 22 lowercase characters made up of numbers, "
            'letters, and the symbols ".", "-", and "_".'
        )
        raise ApiRefusal(400, "model.user.is_valid.username.app_error", message, f"user_id={user_id}")
    others = (
        (state.users.by_username.get(username), "username", username),
        (state.users.by_email.get(email), "email", email),
    )
    for other, name, value in others:
        if other is not None and other.id != user_id:
            raise ApiRefusal(
                400,
                f"app.user.save.{name}_exists.app_error",
                f"An account with that {name} already exists.",
                f"invalid input: entity: User field: {name} value: {value}",
            )


LENGTHS = {"nickname": 64, "first_name": 64, "last_name": 64, "position": 128}
"""The longest values of a user's names, in characters."""

NAME_ERRORS = {
    "nickname": "Invalid nickname.",
    "first_name": "Invalid first name.",
    "last_name": "Invalid last name.",
    "position": "Invalid position: must not be longer than 128 characters.",
}


def check_lengths(values: Mapping[str, object], user_id: str) -> None:
    """Refuse names that are too long."""
    for name, length in LENGTHS.items():
        if len(str(values.get(name, ""))) > length:
            raise ApiRefusal(400, f"model.user.is_valid.{name}.app_error", NAME_ERRORS[name], f"user_id={user_id}")


LOCALES = frozenset(
    (
        *("bg", "de", "en", "en-AU", "es", "fa", "fr", "hu", "it", "ja", "ko", "nl", "pl", "pt-BR", "ro", "ru", "sv"),
        *("tr", "uk", "zh-CN", "zh-TW"),
    )
)
"""The languages that the servers know."""


def known_locale(locale: str) -> str:
    """Return a language that the servers know, English for any other."""
    return locale if locale in LOCALES else "en"


def check_password(state: State, password: str) -> None:
    """Refuse a password that is too short, too long, or lacks kinds of characters that the configuration asks for."""
    settings = state.config.sections["PasswordSettings"]
    if state.config.get("ServiceSettings", "EnableDeveloper") and not state.version.modern:
        return  # a server in developer mode takes any password
    good = (
        settings["MinimumLength"] <= len(password) <= PASSWORD_MAX
        and not (settings["Lowercase"] and not re.search(r"[a-z]", password))
        and not (settings["Uppercase"] and not re.search(r"[A-Z]", password))
        and not (settings["Number"] and not re.search(r"[0-9]", password))
        and not (settings["Symbol"] and not re.search(r"[^A-Za-z0-9]", password))
    )
    if not good:
        message = "Login failed because of invalid password."
        raise ApiRefusal(400, "api.user.check_user_password.invalid.app_error", message)


def add(state: State, user: User) -> None:
    """Put an account into the tables, without a word to anybody; the first one becomes system admin."""
    if not len(state.users):
        user.roles = "system_admin system_user"
    state.users.add(user)
    learn_keywords(state, user)
    state.preferences.save(Preference(user.id, "tutorial_step", user.id, "0"))


def learn_keywords(state: State, user: User) -> None:
    """Let the words be mentions of the user that the user's notify props name."""
    for known in state.keywords.values():
        known.discard(user.id)
    words = [word.strip().lower() for word in user.notify_props.get("mention_keys", "").split(",")]
    if user.notify_props.get("first_name") == "true":
        words.append(user.first_name.lower())
    for word in words:
        if word and word not in (user.username, f"@{user.username}"):
            state.keywords.setdefault(word, set()).add(user.id)


def open_session(state: State, user: User, device_id: str = "") -> Session:
    """Give a user a new session."""
    now = state.now_ms()
    session = Session(
        id=state.new_id(),
        token=state.new_id(),
        user_id=user.id,
        roles=user.roles,
        create_at=now,
        expires_at=now + SESSION_LENGTH_MS,
        last_activity_at=now,
        device_id=device_id,
    )
    state.sessions.add(session)
    return session
