"""Roles and schemes: which role may do what."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass(slots=True)
class Role:
    """A role: a name and the permissions that go with it."""

    id: str
    name: str
    display_name: str
    description: str
    create_at: int
    permissions: list[str]
    update_at: int = 0
    delete_at: int = 0
    scheme_managed: bool = False
    built_in: bool = False
    allowed: frozenset[str] = field(default_factory=frozenset)

    def __post_init__(self) -> None:
        self.allowed = frozenset(self.permissions)

    def permit(self, permissions: Iterable[str]) -> None:
        """Let the role have these permissions and no others."""
        self.permissions = list(permissions)
        self.allowed = frozenset(self.permissions)


@dataclass(slots=True)
class Scheme:
    """A scheme: roles of its own for the admins, users and guests of teams or channels. `scope`: team or channel."""

    id: str
    name: str
    display_name: str
    description: str
    scope: str
    create_at: int
    update_at: int = 0
    delete_at: int = 0
    team_admin_role: str = ""
    team_user_role: str = ""
    team_guest_role: str = ""
    channel_admin_role: str = ""
    channel_user_role: str = ""
    channel_guest_role: str = ""


class RoleTable:
    """All roles by id and name, all schemes by id and name."""

    def __init__(self) -> None:
        self.by_id: dict[str, Role] = {}
        self.by_name: dict[str, Role] = {}
        self.schemes: dict[str, Scheme] = {}
        self.scheme_by_name: dict[str, Scheme] = {}

    def add(self, role: Role) -> None:
        """Add a new role."""
        self.by_id[role.id] = role
        self.by_name[role.name] = role

    def add_scheme(self, scheme: Scheme) -> None:
        """Add a new scheme; its roles are there already."""
        self.schemes[scheme.id] = scheme
        self.scheme_by_name[scheme.name] = scheme

    def rename_scheme(self, scheme: Scheme, name: str) -> None:
        """Give a scheme another name."""
        del self.scheme_by_name[scheme.name]
        scheme.name = name
        self.scheme_by_name[name] = scheme

    def drop_scheme(self, scheme: Scheme) -> None:
        """Forget a scheme and its roles."""
        del self.schemes[scheme.id], self.scheme_by_name[scheme.name]
        for place in ("team", "channel"):
            for kind in ("admin", "user", "guest"):
                role = self.by_name.pop(getattr(scheme, f"{place}_{kind}_role"), None)
                if role is not None:
                    del self.by_id[role.id]

    def allows(self, role_names: Iterable[str], permission: str) -> bool:
        """Tell whether one of the roles has the permission; names of no role allow nothing."""
        by_name = self.by_name
        for name in role_names:
            role = by_name.get(name)
            if role is not None and permission in role.allowed:
                return True
        return False
