"""Licences for tests: of the form that Mattermost's have, signed by nobody."""

from __future__ import annotations

import base64
import json


def licence(name: str) -> bytes:
    """Return a licence as they are sent: Base64 of an object in JSON and a signature of 256 bytes."""
    return base64.b64encode(json.dumps({"id": name}).encode() + b"s" * 256) + b"\n"
