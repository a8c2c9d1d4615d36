"""JSON text with the place of each of its keys, so that a message can name line and column.

The standard library reads the JSON and says where it is broken; it keeps no positions of what is right. As the text is
known to be good by then, finding the keys needs no second parser, only a walk over strings, braces and brackets.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from mattermost_load_test.errors import ConfigurationError

_STRING = r'"(?:[^"\\]|\\.)*"'
_TOKEN = re.compile(rf"(?P<key>{_STRING})\s*:|{_STRING}|[{{}}\[\]]")


@dataclass(frozen=True, slots=True)
class Key:
    """A key of a JSON text: the keys it stands under and its own, and its place, both counted from 1."""

    path: tuple[str, ...]
    line: int
    column: int


def read_json(path: Path, name: str) -> tuple[Any, list[Key]]:
    """Read a JSON file into its value and its keys in the order in which they stand there, repeated ones included.

    `name` is what messages call the file.

    Raises `ConfigurationError` for a file that cannot be read or is not JSON, with the place where it is broken.
    """
    text = _read_text(path, name)
    if not text.strip():
        raise ConfigurationError(f"{name}: the configuration file is empty")
    try:
        value = json.loads(text, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise ConfigurationError(
            f"{name}, line {error.lineno}, column {error.colno}: not JSON: {error.msg}. "
            "Mend the file there or just before; every key but a section's last is followed by a comma."
        ) from None  # the decoder's error holds the text, and the text may hold passwords
    except (ValueError, RecursionError) as error:
        raise ConfigurationError(f"{name}: not usable as JSON: {error}") from None
    return value, list(_keys(text))


def _read_text(path: Path, name: str) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise ConfigurationError(f"{name}: there is no such configuration file") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{name}: not UTF-8 text at byte {error.start}; save it as UTF-8") from None
    except OSError as error:
        raise ConfigurationError(f"{name}: the configuration file cannot be read: {error.strerror}") from error


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number that JSON knows")


def _keys(text: str) -> Iterator[Key]:
    """Yield the keys of a text known to be JSON."""
    path: list[str] = []  # one entry for each object or array that is open: the key being read in it
    line, line_start = 1, 0
    for token in _TOKEN.finditer(text):
        if token["key"]:
            line += text.count("\n", line_start, token.start())
            line_start = text.rfind("\n", 0, token.start()) + 1
            path[-1] = json.loads(token["key"])
            yield Key(tuple(path), line, token.start() - line_start + 1)
        elif token[0] in "{[":
            path.append("")
        elif token[0] in "}]":
            path.pop()
