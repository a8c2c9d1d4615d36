"""Counts in messages."""

from __future__ import annotations

from mattermost_load_test.counts import counted


def test_one_none_and_many() -> None:
    """Only one is singular, and thousands have a comma."""
    assert [counted(count, "agent") for count in (0, 1, 20_000)] == ["0 agents", "1 agent", "20,000 agents"]
