"""The configuration as it is written: as it may be shown, without anything secret, or whole."""

from __future__ import annotations

import re
from typing import Any

from pydantic import SecretStr

from mattermost_load_test.config.keys import is_secret
from mattermost_load_test.config.models import Configuration
from mattermost_load_test.config.values import Section

_USER_INFO = re.compile(r"(?<=://)[^/@\s]*@")


def redacted(configuration: Configuration) -> dict[str, Any]:
    """Return the configuration by its keys in the file, as the log's settings line carries it, secrets left out.

    Left out are passwords and data sources; of a URL, a user name and password in it.
    """
    return {
        field.alias or name: _redacted_section(getattr(configuration, name))
        for name, field in Configuration.model_fields.items()
    }


def whole(configuration: Configuration) -> dict[str, Any]:
    """Return the configuration by its keys in the file, secrets in clear: to be written where only its reader reads."""
    return {
        field.alias or name: _whole_section(getattr(configuration, name))
        for name, field in Configuration.model_fields.items()
    }


def without_user_info(text: str) -> str:
    """Return a text with user name and password cut out of each URL in it."""
    return _USER_INFO.sub("", text)


def _whole_section(section: Section) -> dict[str, Any]:
    values = {field.alias or name: getattr(section, name) for name, field in type(section).model_fields.items()}
    return {key: value.get_secret_value() if isinstance(value, SecretStr) else value for key, value in values.items()}


def _redacted_section(section: Section) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    for name, field in type(section).model_fields.items():
        if not is_secret(field):
            value = getattr(section, name)
            shown[field.alias or name] = without_user_info(value) if isinstance(value, str) else value
    return shown
