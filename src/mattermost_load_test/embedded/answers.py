"""Answers of the embedded server: bodies and the headers that Mattermost sends with them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import orjson

JSON = "application/json"
NEVER_CACHED = {"Cache-Control": "no-cache, no-store, must-revalidate"}
"""What goes with answers that no client may keep."""


CLEARED_COOKIE = "MMAUTHTOKEN=; Path=/; Max-Age=0; HttpOnly"
"""Takes the session cookie from a browser."""


@dataclass(slots=True)
class Answer:
    """One answer: status, body, content type and the headers beyond those that every answer has."""

    status: int = 200
    body: bytes = b""
    content_type: str = JSON
    headers: dict[str, str] = field(default_factory=dict)


def json_answer(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Answer:
    """Answer with a JSON value."""
    return Answer(status, orjson.dumps(value), JSON, headers or {})


def ok() -> Answer:
    """Answer that it is done."""
    return Answer(200, b'{"status":"OK"}')
