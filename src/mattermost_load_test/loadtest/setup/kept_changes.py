"""What set-up changed on a server, kept there: so that any agent, on any machine, can put it back.

Each change is a preference of the admin's account: it survives the agent, several agents share it, and the first value
that a setting had is the one that counts. It is kept before it is made, so that nothing changed is ever unknown.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from mattermost_load_test.loadtest.setup.server_settings import Change
from mattermost_load_test.mattermost.models import Json
from mattermost_load_test.mattermost.rest import Client

CATEGORY = "loadtest_changes"
NAME_LENGTH = 32  # the longest name of a preference


@dataclass(frozen=True, slots=True)
class Permission:
    """A permission that was given to a role; both by name."""

    role: str
    permission: str


@dataclass(frozen=True, slots=True)
class Kept:
    """What was changed: settings old → new, and permissions given."""

    settings: tuple[Change, ...] = ()
    permissions: tuple[Permission, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.settings or self.permissions)


class KeptChanges:
    """The changes kept on the server that `admin`, whose id is `admin_id`, is logged in to."""

    def __init__(self, admin: Client, admin_id: str) -> None:
        self._admin = admin
        self._admin_id = admin_id

    async def read(self) -> Kept:
        """Return all that is kept."""
        found = [orjson.loads(each["value"]) for each in await self._admin.users.preferences() if _is_ours(each)]
        return Kept(
            tuple(Change(**_without_kind(entry)) for entry in found if entry["kind"] == "setting"),
            tuple(Permission(**_without_kind(entry)) for entry in found if entry["kind"] == "permission"),
        )

    async def keep(self, changes: Sequence[Change]) -> None:
        """Keep settings that are about to be changed; of one that is kept already the first value stays."""
        first = {change.name: change.old for change in (await self.read()).settings}
        entries = {change.name: _setting(change, first.get(change.name, change.old)) for change in changes}
        await self._write(entries)

    async def keep_permission(self, given: Permission) -> None:
        """Keep a permission that is about to be given."""
        entry = {"kind": "permission", "role": given.role, "permission": given.permission}
        await self._write({f"{given.role} {given.permission}": entry})

    async def forget(self, kept: Kept) -> None:
        """Forget changes: they are put back, or were never made."""
        names = [change.name for change in kept.settings]
        names += [f"{given.role} {given.permission}" for given in kept.permissions]
        if names:
            await self._admin.users.delete_preferences(self._admin_id, [self._preference(name, "") for name in names])

    async def _write(self, entries: dict[str, Json]) -> None:
        """Write entries by the name of what they change."""
        rows = [self._preference(name, orjson.dumps(entry).decode()) for name, entry in entries.items()]
        if rows:
            await self._admin.users.set_preferences(self._admin_id, rows)

    def _preference(self, name: str, value: str) -> Json:
        """Return a preference; names of settings are too long for its own."""
        short = hashlib.sha256(name.encode()).hexdigest()[:NAME_LENGTH]
        return {"user_id": self._admin_id, "category": CATEGORY, "name": short, "value": value}


def _is_ours(preference: Json) -> bool:
    """Say whether a preference keeps a change."""
    return bool(preference["category"] == CATEGORY)


def _setting(change: Change, old: object) -> Json:
    """Return the entry of a setting."""
    return {"kind": "setting", "section": change.section, "key": change.key, "old": old, "new": change.new}


def _without_kind(entry: Json) -> dict[str, Any]:
    """Return an entry's own fields."""
    return {name: value for name, value in entry.items() if name != "kind"}
