"""Lists of accounts: pages, by ids and names, searches and completions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from mattermost_load_test.embedded import bodies
from mattermost_load_test.embedded.answers import Answer, json_answer
from mattermost_load_test.embedded.api_errors import ApiRefusal, invalid_body, invalid_url
from mattermost_load_test.embedded.call import Call
from mattermost_load_test.embedded.routing import Route
from mattermost_load_test.embedded.tables.channels import GROUP
from mattermost_load_test.embedded.tables.ordering import Ordered
from mattermost_load_test.embedded.tables.users import User

SEARCH_DEFAULT = 100
SEARCH_MAX = 1000
"""How many accounts a search gives, and at most."""

SORTS = ("", "last_activity_at", "create_at", "status", "admin", "display_name")

SEARCH = {
    "term": bodies.text,
    "team_id": bodies.text,
    "not_in_team_id": bodies.text,
    "in_channel_id": bodies.text,
    "not_in_channel_id": bodies.text,
    "in_group_id": bodies.text,
    "group_constrained": bodies.flag,
    "allow_inactive": bodies.flag,
    "without_team": bodies.flag,
    "limit": bodies.whole,
    "role": bodies.text,
    "roles": bodies.texts,
    "channel_roles": bodies.texts,
    "team_roles": bodies.texts,
}


def shown(call: Call, users: Iterable[User]) -> list[dict[str, Any]]:
    """Show accounts to the caller."""
    to_admin = call.is_admin
    return [call.views.user(user, to_admin=to_admin) for user in users]


def visible(call: Call, users: Iterable[User]) -> Iterator[User]:
    """Leave out those that the caller must not see: a guest sees who shares a channel."""
    if call.may("view_members"):
        yield from users
        return
    known = known_ids(call) | {call.user_id}
    yield from (user for user in users if user.id in known)


def known_ids(call: Call) -> set[str]:
    """Return the ids of all who share a channel with the caller."""
    channels = call.state.channels
    found: set[str] = set()
    for channel_id in channels.of_user(call.user_id):
        found.update(channels.members(channel_id))
    found.discard(call.user_id)
    return found


def get_users(call: Call) -> Answer:
    """Give a page of accounts by username: all, or those in or not in a team or a channel."""
    in_team, in_channel = call.query_text("in_team"), call.query_text("in_channel")
    not_in_channel, not_in_team = call.query_text("not_in_channel"), call.query_text("not_in_team")
    sort = call.query_text("sort")
    if not_in_channel and not in_team:
        raise invalid_url("team_id")
    by_time = sort in ("last_activity_at", "create_at")
    elsewhere = not_in_team or in_channel or not_in_channel
    if sort not in SORTS or (by_time and (not in_team or elsewhere)) or (sort == "status" and not in_channel):
        raise invalid_url("sort")
    if call.query_text("in_group"):
        _refuse_groups(call)
    among, without = _choice(call, in_team, not_in_team, in_channel, not_in_channel)
    users = _page(call, among, without, sort)
    headers = {}
    if in_team and not elsewhere and not by_time:
        changed = max((user.update_at for user in users), default=0)
        headers["Etag"] = f"{call.site.version.number}.{changed}.0x0.0x0."
    rows = shown(call, users)
    if sort == "last_activity_at":
        rows = [row | {"last_activity_at": call.site.status(row["id"]).last_activity_at} for row in rows]
    return json_answer(rows, headers=headers)


def _refuse_groups(call: Call) -> None:
    if call.site.version.modern:
        raise ApiRefusal(501, "api.license_error", "api endpoint requires a license")
    raise ApiRefusal(501, "api.ldap_groups.license_error", "your license does not support ldap groups")


def _choice(
    call: Call, in_team: str, not_in_team: str, in_channel: str, not_in_channel: str
) -> tuple[Ordered, Iterable[str]]:
    """Return which accounts to take and which of them to leave out."""
    state = call.state
    nobody = Ordered()
    if call.query_flag("without_team"):
        call.need("list_users_without_team")
        return state.users.names, {user_id for user_id in state.users.by_id if state.teams.of_user(user_id)}
    if not_in_channel:
        call.need_in_channel(not_in_channel, "read_channel")
        among = state.teams.roster(in_team) if in_team in state.teams.by_id else nobody
        return among, state.channels.members(not_in_channel).keys()
    if not_in_team:
        call.need_in_team(not_in_team, "view_team")
        return state.users.names, state.teams.members(not_in_team).keys()
    if in_team:
        call.need_in_team(in_team, "view_team")
        return (state.teams.roster(in_team) if in_team in state.teams.by_id else nobody), ()
    if in_channel:
        call.need_in_channel(in_channel, "read_channel")
        return state.channels.roster(in_channel, state.users.by_id), ()
    return state.users.names, ()


def _page(call: Call, among: Ordered, without: Iterable[str], sort: str) -> list[User]:
    by_id = call.state.users.by_id
    filters = any(call.query_text(name) for name in ("active", "inactive", "role", "roles"))
    sorted_anew = sort in ("last_activity_at", "create_at", "status")
    if not filters and not sorted_anew and not without and call.may("view_members"):
        return [by_id[user_id] for user_id in among.page(call.offset, call.per_page)]
    left_out = without if hasattr(without, "__contains__") else set(without)
    users: Iterable[User] = (by_id[user_id] for user_id in among.ids() if user_id not in left_out)
    users = visible(call, _filtered(call, users))
    if sort == "last_activity_at":
        users = (user for user in users if user.id in call.state.statuses)
    if sorted_anew:
        users = sorted(users, key=lambda user: _sort_key(call, user, sort))
    return list(islice(users, call.offset, call.offset + call.per_page))


def _filtered(call: Call, users: Iterable[User]) -> Iterator[User]:
    active, inactive = call.query_flag("active"), call.query_flag("inactive")
    if active and inactive:
        raise invalid_url("inactive")
    roles = [role for role in (call.query_text("role"), *call.query_text("roles").split(",")) if role]
    for user in users:
        wanted_state = not (active and user.delete_at) and not (inactive and not user.delete_at)
        if wanted_state and (not roles or any(user.has_role(role) for role in roles)):
            yield user


def _sort_key(call: Call, user: User, sort: str) -> tuple[Any, str]:
    status = call.site.status(user.id)
    if sort == "status":
        return ("online", "away", "dnd", "offline").index(status.status), user.username
    return -(status.last_activity_at if sort == "last_activity_at" else user.create_at), user.username


def get_users_by_ids(call: Call) -> Answer:
    """Give the accounts of these ids; unknown ones are left out."""
    ids = call.texts("user_ids")
    since_text = call.query_text("since")
    if since_text and not since_text.lstrip("-").isdigit():
        raise invalid_body("since")
    since = int(since_text or 0)
    by_id = call.state.users.by_id
    users = [by_id[user_id] for user_id in dict.fromkeys(ids) if user_id in by_id]
    return json_answer(shown(call, visible(call, [user for user in users if user.update_at > since])))


def get_users_by_names(call: Call) -> Answer:
    """Give the accounts of these names; unknown ones are left out."""
    names = call.texts("usernames")
    by_name = call.state.users.by_username
    users = [by_name[name] for name in sorted(set(names)) if name in by_name]
    return json_answer(shown(call, visible(call, users)))


def get_users_by_group_channel_ids(call: Call) -> Answer:
    """Give the others in each of the group channels that the caller is in."""
    state = call.state
    found: dict[str, list[dict[str, Any]]] = {}
    for channel_id in call.texts("channel_ids"):
        channel = state.channels.by_id.get(channel_id)
        members = state.channels.members(channel_id)
        if channel is not None and channel.type == GROUP and call.user_id in members:
            found[channel_id] = shown(call, (state.users.by_id[id_] for id_ in members if id_ != call.user_id))
    return json_answer(found)


def get_known_users(call: Call) -> Answer:
    """Give the ids of all who share a channel with the caller."""
    return json_answer(sorted(known_ids(call)))


def get_total_users_stats(call: Call) -> Answer:
    """Count the accounts."""
    return json_answer({"total_users_count": call.state.users.active_count})


def search_users(call: Call) -> Answer:
    """Give the accounts of which a name begins with a term."""
    given = call.json("term" if not call.site.version.modern else "", SEARCH)
    term = given.get("term", "")
    if not term:
        raise invalid_body("term")
    if given.get("not_in_channel_id") and not given.get("team_id"):
        raise invalid_body("team_id")
    if given.get("in_group_id"):
        _refuse_groups(call)
    for name, needed in (("in_channel_id", "read_channel"), ("not_in_channel_id", "read_channel")):
        if given.get(name):
            call.need_in_channel(given[name], needed)
    for name in ("team_id", "not_in_team_id"):
        if given.get(name):
            call.need_in_team(given[name], "view_team")
    limit = given.get("limit") or SEARCH_DEFAULT
    if not 0 < limit <= SEARCH_MAX:
        raise invalid_body("limit")
    among, left_out = _searched(call, given)
    emails = call.is_admin or call.state.config.get("PrivacySettings", "ShowEmailAddress")
    users = _matches(call, term, among, emails=emails, inactive=given.get("allow_inactive", False))
    return json_answer(shown(call, islice((user for user in users if user.id not in left_out), limit)))


def _searched(call: Call, given: bodies.Json) -> tuple[Ordered, Any]:
    state = call.state
    team_id = given.get("team_id", "")
    roster = state.teams.roster(team_id) if team_id in state.teams.by_id else state.users.names
    if given.get("without_team"):
        return state.users.names, {user_id for user_id in state.users.by_id if state.teams.of_user(user_id)}
    if given.get("in_channel_id"):
        return state.channels.roster(given["in_channel_id"], state.users.by_id), ()
    if given.get("not_in_channel_id"):
        return roster, state.channels.members(given["not_in_channel_id"])
    if given.get("not_in_team_id"):
        return state.users.names, state.teams.members(given["not_in_team_id"])
    return roster, ()


def _matches(call: Call, term: str, among: Ordered, *, emails: bool, inactive: bool = False) -> Iterator[User]:
    full_names = call.is_admin or call.state.config.get("PrivacySettings", "ShowFullName")
    users = call.state.users.find(term, among, full_names=full_names, emails=emails)
    return visible(call, (user for user in users if inactive or not user.delete_at))


def autocomplete_users(call: Call) -> Answer:
    """Give who may be meant by the beginning of a name, in a channel and else in its team."""
    state = call.state
    channel_id, team_id = call.query_text("in_channel"), call.query_text("in_team")
    name = call.query_text("name")
    limit = call.query_int("limit", SEARCH_DEFAULT, SEARCH_MAX)
    if channel_id:
        call.need_in_channel(channel_id, "read_channel")
    if team_id:
        call.need_in_team(team_id, "view_team")
    among = state.teams.roster(team_id) if team_id in state.teams.by_id else state.users.names
    if not channel_id:
        return json_answer({"users": shown(call, islice(_matches(call, name, among, emails=False), limit))})
    if not team_id:
        message = "Team ID parameter is required to autocomplete by channel."
        raise ApiRefusal(
            500, "api.user.autocomplete_users.missing_team_id.app_error", message, f"channelId={channel_id}"
        )
    inside = _matches(call, name, state.channels.roster(channel_id, state.users.by_id), emails=False)
    members = state.channels.members(channel_id)
    outside = (user for user in _matches(call, name, among, emails=False) if user.id not in members)
    row = {"users": shown(call, islice(inside, limit))}
    others = shown(call, islice(outside, limit))
    return json_answer(row | ({"out_of_channel": others} if others else {}))


ROUTES = (
    Route("GET", "/users", get_users),
    Route("POST", "/users/ids", get_users_by_ids),
    Route("POST", "/users/usernames", get_users_by_names),
    Route("POST", "/users/group_channels", get_users_by_group_channel_ids),
    Route("GET", "/users/known", get_known_users),
    Route("GET", "/users/stats", get_total_users_stats),
    Route("POST", "/users/search", search_users),
    Route("GET", "/users/autocomplete", autocomplete_users),
)
