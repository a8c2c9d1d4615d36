"""Durations as Go writes them: ``20s``, ``1m30s``, ``500ms``."""

from __future__ import annotations

import re

_UNITS_S = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_PART = r"(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)"
_WHOLE = re.compile(f"(?:{_PART})+")


def seconds(text: str) -> float:
    """Return a Go duration in seconds; raises `ValueError` naming `text` if it is none."""
    if text == "0":
        return 0.0
    if not _WHOLE.fullmatch(text):
        raise ValueError(f"{text!r} is no duration such as 20s or 1m30s")
    return sum(float(number) * _UNITS_S[unit] for number, unit in re.findall(_PART, text))
