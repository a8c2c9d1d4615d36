"""Making schemes: sets of roles for teams or channels that are to differ from the others."""

from __future__ import annotations

from mattermost_load_test.embedded.state import State
from mattermost_load_test.embedded.tables.roles import Role, Scheme


def make_scheme(state: State, name: str, display_name: str, scope: str) -> Scheme:
    """Add a scheme with new roles, which may what the built-in ones may."""
    now = state.now_ms()
    scheme = Scheme(
        id=state.new_id(),
        name=name,
        display_name=display_name,
        description="",
        scope=scope,
        create_at=now,
        update_at=now,
    )
    places = ("team", "channel") if scope == "team" else ("channel",)
    for place in places:
        for kind in ("admin", "user", "guest"):
            model = state.roles.by_name[f"{place}_{kind}"]
            role = Role(
                id=state.new_id(),
                name=state.new_id(),
                display_name=f"{place.capitalize()} {kind.capitalize()} Role for Scheme {name}",
                description="",
                create_at=now,
                update_at=now,
                permissions=list(model.permissions),
                scheme_managed=True,
            )
            state.roles.add(role)
            setattr(scheme, f"{place}_{kind}_role", role.name)
    state.roles.add_scheme(scheme)
    return scheme
