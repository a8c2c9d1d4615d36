"""A Mattermost licence, looked at before it is put anywhere."""

from __future__ import annotations

import base64
import json
from pathlib import Path

from mattermost_load_test.errors import UsageError

BYTES_MAX = 100_000
_SIGNATURE_BYTES = 256


def read_license(path: Path) -> bytes:
    """Return a licence; raises `UsageError` for a file that holds none.

    It is Base64 of a JSON object and the signature behind it (Mattermost's `utils.LicenseValidator`).
    """
    try:
        data = path.read_bytes() if path.stat().st_size <= BYTES_MAX else b""
        decoded = base64.b64decode(data.strip(), validate=True).rstrip(b"\0")
        is_one = isinstance(json.loads(decoded[:-_SIGNATURE_BYTES]), dict)
    except ValueError:  # neither Base64 nor JSON
        is_one = False
    except OSError as error:
        raise UsageError(f"the licence {path} cannot be read: {error.strerror}") from error
    if not is_one:
        raise UsageError(f"{path} is no Mattermost licence: it must be the .mattermost-license file as it was sent")
    return data
