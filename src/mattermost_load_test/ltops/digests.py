"""Checksums of files."""

from __future__ import annotations

import hashlib
from pathlib import Path

from mattermost_load_test.errors import ArtifactError


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal; raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def digest_of(archive: Path) -> str:
    """Return what tells an archive from another; raises `ArtifactError` when it cannot be read."""
    try:
        return sha256_of(archive)
    except OSError as error:
        raise ArtifactError(f"{archive} cannot be read: {error.strerror}") from error
