"""The server settings that a load test needs, and what of them a server's configuration still lacks. Pure.

Which settings and why: `original-behaviour` of the tool we succeed, and what the REST import asks for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

LEAST_MAX_PER_TEAM = 50_000


@dataclass(frozen=True, slots=True)
class Change:
    """A setting that must change from `old` to `new`."""

    section: str
    key: str
    old: object
    new: object

    @property
    def name(self) -> str:
        """The setting's name as the system console's documentation writes it."""
        return f"{self.section}.{self.key}"

    def made_in(self, server: Mapping[str, Any]) -> bool:
        """Say whether a server's configuration has the new value."""
        return bool(server.get(self.section, {}).get(self.key) == self.new)


@dataclass(frozen=True, slots=True)
class _Exactly:
    """A setting that must have one value; a server without the setting has no need of it."""

    section: str
    key: str
    value: object

    def new_value(self, old: object) -> object:
        """Return the value it must have."""
        return self.value


@dataclass(frozen=True, slots=True)
class _AtLeast:
    """A number that must not be less than `least`."""

    section: str
    key: str
    least: int

    def new_value(self, old: object) -> object:
        """Return the value it must have."""
        return old if isinstance(old, int) and old >= self.least else self.least


def _wanted(emoji: bool) -> Sequence[_Exactly | _AtLeast]:
    """Return all rules: those of every load test, and that of custom emoji."""
    rules: list[_Exactly | _AtLeast] = [
        _Exactly("TeamSettings", "EnableOpenServer", True),
        _AtLeast("TeamSettings", "MaxUsersPerTeam", LEAST_MAX_PER_TEAM),
        _AtLeast("TeamSettings", "MaxChannelsPerTeam", LEAST_MAX_PER_TEAM),
        _Exactly("ServiceSettings", "EnableIncomingWebhooks", True),
        _Exactly("ServiceSettings", "EnableOnlyAdminIntegrations", False),
        _Exactly("PluginSettings", "Enable", True),
        _Exactly("FileSettings", "EnableFileAttachments", True),
    ]
    if emoji:
        rules.append(_Exactly("ServiceSettings", "EnableCustomEmoji", True))
    return rules


def changes_needed(server: Mapping[str, Any], *, emoji: bool = False) -> tuple[Change, ...]:
    """Return what must change in a server's configuration; a setting that this server does not have is left out."""
    found = []
    for rule in _wanted(emoji):
        section = server.get(rule.section)
        if not isinstance(section, Mapping) or rule.key not in section:
            continue
        old = section[rule.key]
        new = rule.new_value(old)
        if old != new:
            found.append(Change(rule.section, rule.key, old, new))
    return tuple(found)


def changes_of(server: Mapping[str, Any], settings: Mapping[str, Mapping[str, object]]) -> tuple[Change, ...]:
    """Return what must change in a server's configuration for it to have `settings`, given by section."""
    return tuple(
        Change(section, key, server.get(section, {}).get(key), value)
        for section, values in settings.items()
        for key, value in values.items()
    )


def patch_of(changes: Sequence[Change]) -> dict[str, dict[str, object]]:
    """Return the body of ``PUT /config/patch`` that makes `changes`."""
    patch: dict[str, dict[str, object]] = {}
    for change in changes:
        patch.setdefault(change.section, {})[change.key] = change.new
    return patch


def rate_limited(server: Mapping[str, Any]) -> bool:
    """Say whether the server itself limits the rate of requests, which a load test runs into."""
    section = server.get("RateLimitSettings")
    return isinstance(section, Mapping) and bool(section.get("Enable"))
