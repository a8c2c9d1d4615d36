"""What the import lines share: the refusal, and reading values out of a line."""

from __future__ import annotations

from typing import Any

Line = dict[str, Any]
"""The object of one import line, such as what stands under ``user``."""


class ImportRefusal(Exception):
    """A line that the importer does not take; `has_line` is false when it is not the line's own fault."""

    def __init__(self, error_id: str, message: str, details: str = "", *, has_line: bool = True) -> None:
        super().__init__(f"{error_id}: {message}")
        self.error_id = error_id
        self.message = message
        self.details = details
        self.has_line = has_line


def require(good: object, error_id: str, message: str) -> None:
    """Refuse the line unless `good`; `error_id` is given without its beginning and end."""
    if not good:
        raise ImportRefusal(f"app.import.{error_id}.error", message)


def text_of(line: Line, key: str) -> str | None:
    """Return a text of a line, None when it is not given.

    Raises `ImportRefusal` when it is something else than a text.
    """
    value = line.get(key)
    return value if value is None or isinstance(value, str) else _wrong_type(key)


def texts_of(line: Line, key: str) -> list[str] | None:
    """Return a list of texts of a line, None when it is not given."""
    value = line.get(key)
    if value is None:
        return None
    good = isinstance(value, list) and all(isinstance(item, str) for item in value)
    return list(value) if good else _wrong_type(key)


def lines_of(line: Line, key: str) -> list[Line]:
    """Return a list of objects of a line, an empty one when it is not given."""
    value = line.get(key)
    if value is None:
        return []
    good = isinstance(value, list) and all(isinstance(item, dict) for item in value)
    return list(value) if good else _wrong_type(key)


def number_of(line: Line, key: str) -> int | None:
    """Return a whole number of a line, None when it is not given."""
    value = line.get(key)
    good = value is None or (isinstance(value, int) and not isinstance(value, bool))
    return value if good else _wrong_type(key)


def flag_of(line: Line, key: str) -> bool | None:
    """Return true or false of a line, None when it is not given."""
    value = line.get(key)
    return value if value is None or isinstance(value, bool) else _wrong_type(key)


def object_of(line: Line, key: str) -> Line | None:
    """Return an object of a line, None when it is not given."""
    value = line.get(key)
    return value if value is None or isinstance(value, dict) else _wrong_type(key)


def _wrong_type(key: str) -> Any:
    raise ImportRefusal(
        "app.import.bulk_import.json_decode.error", "JSON decode of line failed.", f"{key} is of the wrong type"
    )
