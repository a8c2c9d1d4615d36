"""A Mattermost licence, looked at before it is put anywhere."""

from __future__ import annotations

import base64
import binascii
from pathlib import Path

from mattermost_load_test.errors import UsageError

BYTES_MAX = 100_000
_SIGNATURE_BYTES = 256


def read_license(path: Path) -> bytes:
    """Return a licence; raises `UsageError` for a file that holds none: they are Base64 of some hundred bytes."""
    try:
        data = path.read_bytes() if path.stat().st_size <= BYTES_MAX else b""
        decoded = base64.b64decode(data.strip(), validate=True)
    except binascii.Error:
        decoded = b""
    except OSError as error:
        raise UsageError(f"the licence {path} cannot be read: {error.strerror}") from error
    if len(decoded) < _SIGNATURE_BYTES:  # the signature alone
        raise UsageError(f"{path} is no Mattermost licence: it must be the .mattermost-license file as it was sent")
    return data
