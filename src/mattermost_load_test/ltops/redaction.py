"""Configurations without their secrets, as `collect` takes them along."""

from __future__ import annotations

import json
import re

from mattermost_load_test.logs import scrubbed

_SECRET_IN_TEXT = re.compile(r"(?<=://)[^/@\s]*:[^/@\s]+(?=@)")


def without_secrets(text: str) -> str:
    """Return a configuration with its secrets masked: by their keys where it is JSON, else inside of addresses."""
    try:
        return json.dumps(scrubbed(json.loads(text)), indent=4) + "\n"
    except ValueError:
        return _SECRET_IN_TEXT.sub("**********", text)
