"""What `collect` takes of an instance's folder: its logs, its configurations without secrets."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from mattermost_load_test.ltops.redaction import without_secrets

_LOGS = ("*.log", "*.log.[0-9]", "*.txt")
_CONFIGURATIONS = ("*.json", "*.conf", "*.yml")
_SKIPPED = {"i18n", "client", "templates", "plugins", "data", "prepackaged_plugins"}
DEPTH_MAX = 3
CONFIGURATION_BYTES_MAX = 1_000_000


def collect_instance(directory: Path, into: Path) -> None:
    """Copy what tells of an instance into a folder that is there."""
    for path in _files(directory, _LOGS, DEPTH_MAX):
        _copy(path, into / path.relative_to(directory))
    for path in _files(directory, _CONFIGURATIONS, DEPTH_MAX):
        if path.stat().st_size <= CONFIGURATION_BYTES_MAX:
            target = into / path.relative_to(directory)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(without_secrets(path.read_text(errors="replace")))


def _files(directory: Path, patterns: tuple[str, ...], depth: int) -> Iterator[Path]:
    """Yield the files of a folder that match, those below it to some depth; data and pages are left out."""
    if not directory.is_dir():
        return
    for path in sorted(directory.iterdir()):
        if path.is_dir() and not path.is_symlink() and depth and path.name not in _SKIPPED:
            yield from _files(path, patterns, depth - 1)
        elif path.is_file() and any(path.match(pattern) for pattern in patterns):
            yield path


def _copy(path: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(path, target)
