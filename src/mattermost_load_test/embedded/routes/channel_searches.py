"""Finding channels by part of their names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

from mattermost_load_test.embedded import bodies
from mattermost_load_test.embedded.answers import Answer, json_answer
from mattermost_load_test.embedded.api_errors import not_found
from mattermost_load_test.embedded.call import Call
from mattermost_load_test.embedded.routes.channels import by_display_name
from mattermost_load_test.embedded.routing import Route
from mattermost_load_test.embedded.tables.channels import DIRECT, GROUP, PRIVATE, Channel

SEARCH = {
    "term": bodies.text,
    "team_ids": bodies.texts,
    "public": bodies.flag,
    "private": bodies.flag,
    "deleted": bodies.flag,
    "include_deleted": bodies.flag,
    "exclude_default_channels": bodies.flag,
    "group_constrained": bodies.flag,
    "exclude_group_constrained": bodies.flag,
    "not_associated_to_group": bodies.text,
    "page": bodies.whole,
    "per_page": bodies.whole,
}

COMPLETION_MAX = 50
SEARCH_MAX = 100
"""How many channels a completion and a search give at most."""


def _matching(channels: Iterable[Channel], term: str) -> Iterator[Channel]:
    """Go through the channels in whose name, display name or purpose the term stands, or all of its words."""
    wanted = term.lower().strip()
    words = wanted.split()
    for channel in channels:
        texts = (channel.name, channel.display_name.lower(), channel.purpose.lower())
        if any(wanted in text for text in texts) or (
            len(words) > 1 and all(any(word in text for text in texts) for word in words)
        ):
            yield channel


def _shows_archived(call: Call) -> bool:
    settings = call.state.config.sections["TeamSettings"]
    return bool(settings.get("ExperimentalViewArchivedChannels", True))


def _public(call: Call, team_id: str) -> Iterator[Channel]:
    archived = _shows_archived(call)
    channels = call.state.channels.of_team(team_id).values()
    return (channel for channel in channels if channel.is_open and (archived or not channel.delete_at))


def autocomplete_channels_for_team(call: Call) -> Answer:
    """Give the public channels that may be meant by part of a name."""
    team_id = call.id_param("team_id")
    call.need_in_team(team_id, "list_team_channels")
    channels: Iterable[Channel] = _public(call, team_id)
    if call.site.version.modern:
        channels = (*channels, *_own_private(call, team_id))
    found = islice(_matching(channels, call.query_text("name")), COMPLETION_MAX)
    found_sorted = sorted(found, key=lambda channel: channel.display_name.lower())
    return json_answer([call.views.channel(channel) for channel in found_sorted])


def _own_private(call: Call, team_id: str) -> Iterator[Channel]:
    """Go through the caller's private channels of a team, which new servers offer as well."""
    by_id = call.state.channels.by_id
    for channel_id in call.state.channels.of_user(call.user_id):
        channel = by_id[channel_id]
        if channel.team_id == team_id and channel.type == PRIVATE:
            yield channel


def autocomplete_channels_for_team_for_search(call: Call) -> Answer:
    """Give the caller's own channels that may be meant by part of a name, direct channels by the other's name."""
    team_id = call.id_param("team_id")
    state = call.state
    name = call.query_text("name")
    own = [state.channels.by_id[channel_id] for channel_id in state.channels.of_user(call.user_id)]
    archived = _shows_archived(call)
    inside = [c for c in own if (c.team_id == team_id or c.type == GROUP) and (archived or not c.delete_at)]
    found = [(channel.display_name, channel) for channel in islice(_matching(inside, name), COMPLETION_MAX)]
    for channel in own:
        if channel.type == DIRECT:
            other = next((part for part in channel.name.split("__") if part != call.user_id), "")
            user = state.users.by_id.get(other)
            if user is not None and name.lower() in user.username:
                found.append((user.username, channel))
    found.sort(key=lambda pair: pair[0].lower())
    rows = [call.views.channel(channel) | {"display_name": shown} for shown, channel in found[:COMPLETION_MAX]]
    return json_answer(rows)


def search_channels_for_team(call: Call) -> Answer:
    """Give the public channels in whose names a term stands; who may not list them finds the own ones."""
    team_id = call.id_param("team_id")
    term = call.json("channel_search", SEARCH).get("term", "")
    if call.may_in_team(team_id, "list_team_channels"):
        channels: Iterable[Channel] = _public(call, team_id)
    else:
        _need_membership(call, team_id)
        by_id = call.state.channels.by_id
        own = (by_id[channel_id] for channel_id in call.state.channels.of_user(call.user_id))
        channels = (channel for channel in own if channel.team_id == team_id and channel.is_open)
    found = by_display_name(_matching(channels, term))[:SEARCH_MAX]
    return json_answer([call.views.channel(channel) for channel in found])


def _need_membership(call: Call, team_id: str) -> None:
    if call.state.teams.member(team_id, call.user_id) is None:
        raise not_found(
            "app.team.get_member.missing.app_error",
            "No team member found for that user ID and team ID.",
            "TeamMember",
            f"teamId={team_id}, userId={call.user_id}",
        )


def search_archived_channels_for_team(call: Call) -> Answer:
    """Give the archived channels, private ones only of the caller's own, in whose names a term stands."""
    team_id = call.id_param("team_id")
    term = call.json("channel_search", SEARCH).get("term", "")
    if not call.may_in_team(team_id, "list_team_channels"):
        _need_membership(call, team_id)
    channels = call.state.channels
    archived = (
        channel
        for channel in channels.of_team(team_id).values()
        if channel.delete_at and (channel.is_open or channels.member(channel.id, call.user_id) is not None)
    )
    found = by_display_name(_matching(archived, term))[:SEARCH_MAX]
    return json_answer([call.views.channel(channel) for channel in found])


def search_all_channels(call: Call) -> Answer:
    """Give the channels of all teams in whose names a term stands, to an admin."""
    given = call.json("channel_search", SEARCH)
    call.need("sysconsole_read_user_management_channels")
    archived = given.get("include_deleted", False) or call.query_flag("include_deleted")
    teams = given.get("team_ids")
    channels = (
        channel
        for channel in call.state.channels.by_id.values()
        if not channel.is_personal
        and (archived or not channel.delete_at)
        and not (given.get("deleted") and not channel.delete_at)
        and (not teams or channel.team_id in teams)
        and not (given.get("exclude_default_channels") and channel.name in ("town-square", "off-topic"))
        and not (given.get("public") and not given.get("private") and not channel.is_open)
        and not (given.get("private") and not given.get("public") and channel.is_open)
    )
    found = by_display_name(_matching(channels, given.get("term", "")))
    if "page" in given and "per_page" in given:
        start = given["page"] * given["per_page"]
        rows = [call.views.channel_with_team(channel) for channel in found[start : start + given["per_page"]]]
        return json_answer({"channels": rows, "total_count": len(found)})
    return json_answer([call.views.channel_with_team(channel) for channel in found[:SEARCH_MAX]])


def search_group_channels(call: Call) -> Answer:
    """Give the caller's group channels with a member whose name a term begins."""
    term = call.json("channel_search", SEARCH).get("term", "").lower()
    state = call.state
    found = []
    for channel_id in state.channels.of_user(call.user_id):
        channel = state.channels.by_id[channel_id]
        names = (state.users.by_id[user_id].username for user_id in state.channels.members(channel_id))
        if channel.type == GROUP and any(term in name for name in names):
            found.append(call.views.channel(channel))
    return json_answer(found)


ROUTES = (
    Route("GET", "/teams/{team_id}/channels/autocomplete", autocomplete_channels_for_team),
    Route("GET", "/teams/{team_id}/channels/search_autocomplete", autocomplete_channels_for_team_for_search),
    Route("POST", "/teams/{team_id}/channels/search", search_channels_for_team),
    Route("POST", "/teams/{team_id}/channels/search_archived", search_archived_channels_for_team),
    Route("POST", "/channels/search", search_all_channels),
    Route("POST", "/channels/group/search", search_group_channels),
)
