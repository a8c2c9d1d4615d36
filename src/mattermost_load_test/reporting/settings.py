"""The configuration of a run as rows: each key with its value as text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import orjson


def flat_settings(settings: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield every key of nested settings, ``Section.Key``, with its value: texts as they are, the rest as JSON."""
    for key, value in settings.items():
        if isinstance(value, Mapping):
            yield from flat_settings(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value if isinstance(value, str) else orjson.dumps(value, default=str).decode()
