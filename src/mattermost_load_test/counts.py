"""Counts in messages."""

from __future__ import annotations


def counted(count: int, noun: str) -> str:
    """Return a count and what it counts, for a message: ``1 agent``, ``20,000 agents``; the plural takes an s."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
