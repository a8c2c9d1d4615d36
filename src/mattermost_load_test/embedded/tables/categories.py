"""Categories of the channel sidebar: each user's own in each team, in order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

FAVORITES, CHANNELS, DIRECT_MESSAGES, CUSTOM = "favorites", "channels", "direct_messages", "custom"
"""The types of categories; a user has one of each of the first three in a team."""

BUILT_IN = ((FAVORITES, "Favorites", ""), (CHANNELS, "Channels", ""), (DIRECT_MESSAGES, "Direct Messages", "recent"))
"""Type, name and sorting of the categories that everybody has, in their first order."""


@dataclass(slots=True)
class Category:
    """One category. `channel_ids` are those put into it; the others of a user show up by their kind."""

    id: str
    user_id: str
    team_id: str
    type: str
    display_name: str
    sorting: str = ""
    muted: bool = False
    collapsed: bool = False
    channel_ids: list[str] = field(default_factory=list)


class CategoryTable:
    """The categories by id, and those of each user and team in order."""

    def __init__(self) -> None:
        self.by_id: dict[str, Category] = {}
        self._of: dict[str, dict[str, list[Category]]] = {}

    def of(self, user_id: str, team_id: str) -> list[Category]:
        """Return a user's categories in a team in order, empty before the first are made; to be read only."""
        return self._of.get(user_id, {}).get(team_id, [])

    def of_user(self, user_id: str) -> Iterator[Category]:
        """Go through a user's categories in all teams."""
        for categories in self._of.get(user_id, {}).values():
            yield from categories

    def make_built_in(self, user_id: str, team_id: str) -> list[Category]:
        """Make the categories that everybody has, unless they are there; return all of this user and team."""
        categories = self._of.setdefault(user_id, {}).setdefault(team_id, [])
        if not categories:
            for kind, name, sorting in BUILT_IN:
                row = Category(f"{kind}_{user_id}_{team_id}", user_id, team_id, kind, name, sorting)
                categories.append(row)
                self.by_id[row.id] = row
        return categories

    def add(self, category: Category, place: int) -> None:
        """Add a category at a place in its user's and team's order."""
        self.by_id[category.id] = category
        self._of[category.user_id][category.team_id].insert(place, category)

    def remove(self, category: Category) -> None:
        """Remove a category."""
        del self.by_id[category.id]
        self._of[category.user_id][category.team_id].remove(category)

    def reorder(self, user_id: str, team_id: str, ids: list[str]) -> None:
        """Put a user's categories in a team into another order; `ids` are those of all of them."""
        self.of(user_id, team_id).sort(key=lambda category: ids.index(category.id))

    def forget_channel(self, user_id: str, channel_id: str) -> None:
        """Take a channel that a user left out of that user's categories."""
        for category in self.of_user(user_id):
            if channel_id in category.channel_ids:
                category.channel_ids.remove(channel_id)

    def leave(self, user_id: str, team_id: str) -> None:
        """Forget the categories of a user who left a team."""
        for category in self._of.get(user_id, {}).pop(team_id, []):
            del self.by_id[category.id]
