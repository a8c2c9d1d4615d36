"""A line of the structured log, its level, its two forms, and the masking of secrets in it."""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import orjson

MASK = "**********"  # what pydantic's SecretStr shows, too

_SECRET_KEY = re.compile(
    r"password|token|secret|authorization|datasource|data_source|cookie|encryptkey|salt", re.IGNORECASE
)
_SECRET_IN_TEXT = re.compile(r"(?<=://)[^/@\s]*:[^/@\s]+(?=@)|(?<=Bearer )\S+|(?<=hooks/)[a-z0-9]{26}")


class Level(enum.IntEnum):
    """How much a line matters; its name in lower case stands in the line."""

    DEBUG = 10
    INFO = 20
    WARN = 30
    ERROR = 40


def level_named(name: str) -> Level:
    """Return the level of a configuration's word (DEBUG, INFO, WARN or WARNING, ERROR), in any case; else INFO."""
    return {"WARNING": Level.WARN, **Level.__members__}.get(name.strip().upper(), Level.INFO)


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of the log for people; `time_s` is seconds since 1970."""

    level: Level
    time_s: float
    caller: str
    message: str
    fields: Mapping[str, object] = field(default_factory=dict)

    def as_json(self) -> bytes:
        """Return the line as one JSON object, without a line end."""
        head = {"level": self.level.name.lower(), "ts": self.time_s, "caller": self.caller, "msg": self.message}
        return orjson.dumps({**head, **self.fields}, default=str, option=orjson.OPT_NON_STR_KEYS)

    def as_text(self) -> str:
        """Return the line for people: local time, level, message, fields; never with a line break in it."""
        clock = datetime.fromtimestamp(self.time_s).astimezone().strftime("%H:%M:%S")
        fields = "".join(f"  {key}={_plain(value)}" for key, value in self.fields.items())
        return f"{clock} {self.level.name:<5} {_one_line(self.message)}{fields}"


def _plain(value: object) -> str:
    """Return a field's value as text: a word as it is, anything else as JSON."""
    if isinstance(value, str) and value and not any(character.isspace() for character in value):
        return value
    return orjson.dumps(value, default=str, option=orjson.OPT_NON_STR_KEYS).decode()


def _one_line(text: str) -> str:
    """Return `text` with its line breaks shown instead of made."""
    return text.replace("\r", "\\r").replace("\n", "\\n")


def scrubbed(value: object, key: str = "") -> object:
    """Return `value` with every secret masked: by its key (password, token …) and inside texts (URLs, Bearer)."""
    if key and _SECRET_KEY.search(key) and value not in ("", None):
        return MASK if isinstance(value, str | bytes) else _scrubbed_parts(value)
    if isinstance(value, str):
        return _SECRET_IN_TEXT.sub(MASK, value)
    return _scrubbed_parts(value)


def _scrubbed_parts(value: object) -> object:
    """Return a mapping or a list with its parts scrubbed, anything else as it is."""
    if isinstance(value, Mapping):
        return {name: scrubbed(part, str(name)) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [scrubbed(part) for part in value]
    return value
