"""How a key of the configuration is declared, and what there is to know of it: its unit and its range."""

from __future__ import annotations

from typing import Any, get_args
from urllib.parse import urlsplit

from pydantic import Field, SecretStr
from pydantic.fields import FieldInfo

CHANCE: dict[str, Any] = {"ge": 0, "le": 1}
"""The range of chances, and of the keys called percent, which are parts of 1."""


MAX_PORT = 65535


def key(alias: str, default: Any, description: str, *, unit: str = "", **constraints: Any) -> Any:
    """Declare the key `alias`; `constraints` are pydantic's."""
    return Field(default, alias=alias, description=description, json_schema_extra={"unit": unit}, **constraints)


def unit_of(field: FieldInfo) -> str:
    """Return a key's unit, empty if it has none."""
    extra: Any = field.json_schema_extra or {}
    return str(extra.get("unit", ""))


def is_secret(field: FieldInfo) -> bool:
    """Say whether a key's value must never be shown."""
    return field.annotation is SecretStr


def bounds(field: FieldInfo) -> str:
    """Return a key's range in words, empty if it has none: ``0 to 1``, ``more than 0``, ``not empty``."""
    limits = {name: getattr(item, name) for item in field.metadata for name in _LIMITS if hasattr(item, name)}
    if "min_length" in limits:
        return "not empty"
    if "gt" in limits:
        return f"more than {limits['gt']}" + (f", at most {limits['le']}" if "le" in limits else "")
    return f"{limits['ge']} to {limits['le']}" if limits else ""


def type_words(field: FieldInfo) -> str:
    """Return a key's type in words."""
    if field.annotation in _TYPES:
        return _TYPES[field.annotation]
    return "one of " + ", ".join(get_args(field.annotation))


_LIMITS = ("min_length", "ge", "gt", "le")
_TYPES: dict[Any, str] = {
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    str: "a text",
    SecretStr: "a text",
}


def checked_url(*schemes: str, empty: bool = False) -> Any:
    """Return a check that a text is a URL of one of the schemes, with a host (or empty, if that is allowed).

    A user name and password in it would be sent by nobody, and shown in every message with the URL: they are refused.
    """

    def check(value: str) -> str:
        if not value and empty:
            return value
        if not _is_url(value, schemes):
            begin = " or ".join(f"{scheme}://" for scheme in schemes)
            raise ValueError(f"must be a URL that begins with {begin} and a host, any port of it 1 to {MAX_PORT}")
        if "@" in urlsplit(value).netloc:
            raise ValueError("must be a URL without user name and password (cut out here), which would not be sent")
        return value

    return check


def _is_url(value: str, schemes: tuple[str, ...]) -> bool:
    """Say whether a text is a URL of one of the schemes, with a host and, if there is one, a port that can be."""
    try:
        parts = urlsplit(value)
        return parts.scheme.lower() in schemes and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def checked_address(value: str) -> str:
    """Check that a text is an address to listen on, ``host:port``, or empty."""
    host, _, port = value.rpartition(":")
    if value and not (host and port.isdecimal() and int(port) <= MAX_PORT):
        raise ValueError("must be an address such as 127.0.0.1:9108, or empty")
    return value
