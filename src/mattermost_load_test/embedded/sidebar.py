"""The channel sidebar: which channels a category shows, and what follows for favourites and muted channels."""

from __future__ import annotations

from mattermost_load_test.embedded.plain_views import Row
from mattermost_load_test.embedded.site import Site
from mattermost_load_test.embedded.tables.categories import CHANNELS, CUSTOM, DIRECT_MESSAGES, FAVORITES, Category
from mattermost_load_test.embedded.tables.presence import Preference

FAVORITE = "favorite_channel"
"""The category of preferences that tell which channels are favourites."""


def of_team(site: Site, user_id: str, team_id: str) -> list[Category]:
    """Return a user's categories in a team in order; the first time they are made."""
    categories = site.state.categories.of(user_id, team_id)
    if not categories:
        categories = site.state.categories.make_built_in(user_id, team_id)
        categories[0].channel_ids = _favourites(site, user_id, team_id)
    return categories


def _favourites(site: Site, user_id: str, team_id: str) -> list[str]:
    chosen = [row.name for row in site.state.preferences.of_user(user_id, FAVORITE) if row.value == "true"]
    channels = [channel for name in chosen if (channel := site.state.channels.by_id.get(name)) is not None]
    inside = [channel for channel in channels if channel.team_id in ("", team_id)]
    return [channel.id for channel in sorted(inside, key=lambda channel: (channel.display_name, channel.name))]


def shown(site: Site, category: Category) -> Row:
    """Show a category with its channels."""
    row: Row = {"id": category.id, "user_id": category.user_id, "team_id": category.team_id}
    if site.version.modern:
        row["sort_order"] = 10 * site.state.categories.of(category.user_id, category.team_id).index(category)
    return row | {
        "sorting": category.sorting,
        "type": category.type,
        "display_name": category.display_name,
        "muted": category.muted,
        "collapsed": category.collapsed,
        "channel_ids": channel_ids(site, category),
    }


def channel_ids(site: Site, category: Category) -> list[str]:
    """Return the ids of the channels in a category: those of its kind that are in no other, then those put into it."""
    own = site.state.channels.of_user(category.user_id)
    put = [channel_id for channel_id in category.channel_ids if channel_id in own]
    if category.type not in (CHANNELS, DIRECT_MESSAGES):
        return put
    siblings = site.state.categories.of(category.user_id, category.team_id)
    taken = {channel_id for sibling in siblings for channel_id in sibling.channel_ids}
    wanted_team = category.team_id if category.type == CHANNELS else ""
    by_id = site.state.channels.by_id
    free = [by_id[channel_id] for channel_id in own if channel_id not in taken]
    kind = [channel for channel in free if channel.team_id == wanted_team and not channel.delete_at]
    return [channel.id for channel in sorted(kind, key=lambda channel: channel.display_name)] + put


def create(site: Site, category: Category) -> None:
    """Add a category of the user's own, after the favourites if these come first; its channels leave the others."""
    siblings = of_team(site, category.user_id, category.team_id)
    for sibling in siblings:
        sibling.channel_ids = [taken for taken in sibling.channel_ids if taken not in category.channel_ids]
    site.state.categories.add(category, 1 if siblings[0].type == FAVORITES else 0)
    site.publish(site.events.sidebar_category_created(category.user_id, category.team_id, category.id))


def update(site: Site, changes: list[tuple[Category, Row]]) -> list[Row]:
    """Change categories as the rows beside them say; return how they are then."""
    mute: dict[str, bool] = {}
    for category, given in changes:
        _change(site, category, given, mute)
    rows = [shown(site, category) for category, _ in changes]
    if changes:
        first = changes[0][0]
        site.publish(site.events.sidebar_category_updated(first.user_id, first.team_id, rows))
        for channel_id, muted in mute.items():
            _set_muted(site, channel_id, first.user_id, muted)
    return rows


def _change(site: Site, category: Category, given: Row, mute: dict[str, bool]) -> None:
    if category.type == CUSTOM:
        category.display_name = given.get("display_name", "")
    category.sorting = given.get("sorting", "")
    category.collapsed = given.get("collapsed", False)
    if category.type == DIRECT_MESSAGES:
        return
    earlier, wanted = channel_ids(site, category), list(given.get("channel_ids", ()))
    muted = given.get("muted", False)
    category.channel_ids = wanted
    moved = [channel_id for channel_id in wanted if channel_id not in earlier]
    for channel_id in wanted if muted != category.muted else moved if muted else ():
        mute[channel_id] = muted
    category.muted = muted
    _keep_preferences(site, category, earlier, is_favorites=given.get("type") == FAVORITES)


def _keep_preferences(site: Site, category: Category, earlier: list[str], *, is_favorites: bool) -> None:
    """Let the preferences of favourite channels follow from the category."""
    for channel_id in earlier if is_favorites else category.channel_ids:
        site.state.preferences.delete(category.user_id, FAVORITE, channel_id)
    if is_favorites:
        for channel_id in category.channel_ids:
            site.state.preferences.save(Preference(category.user_id, FAVORITE, channel_id, "true"))


def _set_muted(site: Site, channel_id: str, user_id: str, muted: bool) -> None:
    member = site.state.channels.member(channel_id, user_id)
    wanted = "mention" if muted else "all"
    if member is not None and (member.notify_props.get("mark_unread") == "mention") != muted:
        member.notify_props = {**member.notify_props, "mark_unread": wanted}
        site.publish(site.events.channel_member_updated(site.views.channel_member(member)))


def favour(site: Site, preference: Preference, *, favourite: bool) -> None:
    """Put a channel first among the favourites, or take it from there, when a preference says so."""
    channel = site.state.channels.by_id.get(preference.name)
    for category in site.state.categories.of_user(preference.user_id):
        if category.type != FAVORITES or channel is None or channel.team_id not in ("", category.team_id):
            continue
        if not favourite:
            category.channel_ids = [known for known in category.channel_ids if known != channel.id]
        elif channel.id not in category.channel_ids:
            category.channel_ids.insert(0, channel.id)
