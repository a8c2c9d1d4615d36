"""The values of a cluster's release: what the user's file says, and what `ltops` knows better; pure but for reading."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from mattermost_load_test.errors import UsageError

Values = Mapping[str, Any]


def read_values(path: Path) -> dict[str, Any]:
    """Return a values file; raises `UsageError` with its place for what is no YAML, or no mapping."""
    try:
        found = yaml.safe_load(path.read_bytes())
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f":{mark.line + 1}:{mark.column + 1}" if mark else ""
        raise UsageError(f"{path}{place} is no YAML: {getattr(error, 'problem', None) or error}") from None
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from None
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise UsageError(f"{path} must hold keys and values, as in the chart's values.yaml")
    return found


def merged(base: Values, over: Values) -> dict[str, Any]:
    """Return values with others laid over them, key by key, as Helm does."""
    result = copy.deepcopy(dict(base))
    for key, value in over.items():
        there = result.get(key)
        both = isinstance(there, Mapping) and isinstance(value, Mapping)
        result[key] = merged(there, value) if both else copy.deepcopy(value)  # type: ignore[arg-type]  # both are
    return result


def digest_of(chart: Path) -> str:
    """Return what tells a chart from any other: a hash of its files."""
    digest = hashlib.sha256()
    for path in sorted(chart.rglob("*")):
        if path.is_file():
            digest.update(f"\n{path.relative_to(chart)}\n".encode() + path.read_bytes())
    return digest.hexdigest()[:16]
