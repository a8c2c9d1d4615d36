"""When a cluster is due for deletion: from how old it may become, in the form of ``8h``."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from mattermost_load_test.ltops.cluster import ClusterState

_AGE = re.compile(r"([1-9][0-9]{0,4})([mhd])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


def age_of(text: str) -> timedelta:
    """Return an age such as ``90m``, ``8h`` or ``2d``; raises `ValueError` for anything else."""
    found = _AGE.fullmatch(text)
    if found is None:
        raise ValueError("must be an age such as 90m, 8h or 2d")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def is_due(state: ClusterState, now: datetime | None = None) -> bool:
    """Say whether a cluster has become as old as it may."""
    return state.expires_at is not None and state.expires_at <= (now or datetime.now(UTC))


def as_rfc3339(moment: datetime) -> str:
    """Return a moment as a tag has it, ``2026-11-26T18:00:00Z``."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
