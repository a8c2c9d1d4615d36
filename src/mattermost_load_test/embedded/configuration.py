"""The configuration of the embedded server: what admins get and change, and the part that clients see."""

from __future__ import annotations

import copy
import hashlib
from typing import Any

import orjson

from mattermost_load_test.embedded.defaults import read_data

MASKED = "*" * 32
"""What the server shows instead of a secret."""

Section = dict[str, Any]


class ServerConfiguration:
    """A whole configuration, by section and key, as `GET /config` shows it.

    `telemetry_id` is what a server draws when its database is made, `installed_at` (ms since 1970) when that was;
    clients are told both.
    """

    def __init__(self, version: str, telemetry_id: str = "", installed_at: int = 0) -> None:
        data = read_data(f"config-{version}.json")
        self.sections: dict[str, Section] = data["config"]
        self._client: dict[str, str] = data["client"] | {"DiagnosticId": telemetry_id, "TelemetryId": telemetry_id}
        self._client["InstallationDate"] = str(installed_at)
        self._before_login: list[str] = data["client_before_login"]
        self._algorithm = hashlib.md5 if version == "5.37" else hashlib.sha256
        self._shared = self._find_shared()
        self._hash = ""

    def _find_shared(self) -> dict[str, tuple[str, str]]:
        """Find the client's keys that are the server's keys of the same name, with the same value."""
        return {
            key: (section, key)
            for section, values in self.sections.items()
            for key, value in values.items()
            if key in self._client and self._client[key] == _as_text(value)
        }

    def get(self, section: str, key: str) -> Any:
        """Return one setting."""
        return self.sections[section][key]

    def client(self) -> dict[str, str]:
        """Return what clients see, all values texts."""
        changed = {key: _as_text(self.sections[section][name]) for key, (section, name) in self._shared.items()}
        return self._client | changed

    def client_before_login(self) -> dict[str, str]:
        """Return the part of it that clients without a session see."""
        client = self.client()
        return {key: client[key] for key in self._before_login}

    def client_hash(self) -> str:
        """Return the hash over the clients' part that stands in ``X-Version-Id``."""
        if not self._hash:
            self._hash = self._algorithm(orjson.dumps(self.client()), usedforsecurity=False).hexdigest()
        return self._hash

    def with_patch(self, patch: dict[str, Any]) -> dict[str, Section]:
        """Return the configuration with a patch applied; keys that are unknown or null are left out.

        Raises `TypeError` with the place of a value that has another type than the one it would replace.
        """
        merged = copy.deepcopy(self.sections)
        _merge(merged, patch, "")
        return merged

    def replace(self, sections: dict[str, Section]) -> None:
        """Take a whole new configuration."""
        self.sections = sections
        self._hash = ""


def _merge(into: dict[str, Any], patch: dict[str, Any], place: str) -> None:
    names = {name.lower(): name for name in into}
    for given, value in patch.items():
        key = given if given in into else names.get(given.lower(), "")
        if not key or value is None:
            continue
        old, here = into[key], f"{place}.{key}" if place else key
        if isinstance(old, dict) and isinstance(value, dict) and old and key not in ("Plugins", "PluginStates"):
            _merge(old, value, here)
        elif _same_type(old, value):
            into[key] = old if value == MASKED else value
        else:
            raise TypeError(here)


def _same_type(old: Any, new: Any) -> bool:
    if isinstance(old, bool) or isinstance(new, bool):
        return isinstance(old, bool) and isinstance(new, bool)
    if isinstance(old, int):
        return isinstance(new, int)
    return isinstance(new, type(old))


def _as_text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
