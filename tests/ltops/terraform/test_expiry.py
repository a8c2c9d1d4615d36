"""Clusters that may only become so old: shown, warned of, removed when they are due."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mattermost_load_test.ltops.expiry import age_of, as_rfc3339

Ops = Any
"""An `Ops` of the conftest above."""

CREATE = ("create", "-t", "terraform", "--allow-cidr", "203.0.113.7", "-c")


def make_due(ops: Ops, name: str) -> None:
    """Let a cluster's time have come an hour ago."""
    path = ops.home / name / "clusterinfo.json"
    state = json.loads(path.read_text())
    state["expires_at"] = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    path.write_text(json.dumps(state))


def test_what_is_due_is_removed(aside: Ops) -> None:
    """That alone, and without a question; `status` has warned of it; a second time nothing is due."""
    aside.good(*CREATE, "old", "--max-age", "8h")
    aside.good(*CREATE, "young", "--max-age", "8h")
    aside.good(*CREATE, "ageless")
    assert "No cluster is due" in aside.good("delete", "--expired").stderr
    assert "due since" not in aside.good("status").stdout
    make_due(aside, "old")
    assert aside.good("status").stdout.count("WARNING: it is due since") == 1
    assert aside.status("old")["due"] is True
    assert "would remove what it made (terraform)" in aside.good("delete", "--expired", "--dry-run").stdout
    aside.good("delete", "--expired")
    assert sorted(path.name for path in aside.home.iterdir() if path.name[0] != ".") == ["ageless", "young"]
    assert "No cluster is due" in aside.good("delete", "--expired").stderr


def test_one_that_cannot_be_removed_holds_up_no_other(aside: Ops) -> None:
    """It is named at the end; one whose state cannot be read is told, since it may be due."""
    for name in ("first", "second"):
        aside.good(*CREATE, name, "--max-age", "8h")
        make_due(aside, name)
    (aside.home / "first" / "terraform" / "main.tf").write_text("nonsense")
    (aside.home / "broken").mkdir()
    ended = aside.run("delete", "--expired")
    assert ended.code == 1
    assert "whether broken is due is not known" in ended.stderr
    assert "first: terraform: remove what it made" in ended.stderr
    assert not (aside.home / "second").exists()
    (aside.home / "first" / "terraform" / "main.tf").unlink()


def test_names_and_expired_exclude_each_other(ops: Ops) -> None:
    """Wrong use."""
    assert ops.run("delete", "--expired", "-c", "demo").code == 2


def test_ages() -> None:
    """Minutes, hours and days, and nothing else; the tag's form is UTC."""
    assert [age_of(text) for text in ("90m", "8h", "2d")] == [
        timedelta(minutes=90),
        timedelta(hours=8),
        timedelta(days=2),
    ]
    for text in ("", "8", "h", "0h", "-1h", "8 h", "1w", "8h30m"):
        with pytest.raises(ValueError, match="must be an age"):
            age_of(text)
    assert as_rfc3339(datetime.fromisoformat("2026-11-26T19:00:00+01:00")) == "2026-11-26T18:00:00Z"
