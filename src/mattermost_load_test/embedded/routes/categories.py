"""Categories of the channel sidebar: listing, making, changing, sorting and removing them."""

from __future__ import annotations

import re
from typing import Any

from mattermost_load_test.embedded import bodies, sidebar
from mattermost_load_test.embedded.answers import Answer, json_answer, ok
from mattermost_load_test.embedded.api_errors import ApiRefusal, invalid_body, invalid_url
from mattermost_load_test.embedded.call import Call
from mattermost_load_test.embedded.ids import is_id
from mattermost_load_test.embedded.routing import Route
from mattermost_load_test.embedded.tables.categories import CUSTOM, Category

CATEGORY = {
    "id": bodies.text,
    "user_id": bodies.text,
    "team_id": bodies.text,
    "sort_order": bodies.whole,
    "sorting": bodies.text,
    "type": bodies.text,
    "display_name": bodies.text,
    "muted": bodies.flag,
    "collapsed": bodies.flag,
    "channel_ids": bodies.texts,
}
"""What a category in a body may hold."""

BUILT_IN_ID = re.compile(r"(favorites|channels|direct_messages)_[a-z0-9]{26}_[a-z0-9]{26}")


def _place(call: Call) -> tuple[str, str]:
    """Return the user and the team in the path, refusing who may not act for the user."""
    user_id, team_id = call.id_param("user_id"), call.id_param("team_id")
    call.need_self_or(user_id)
    if call.site.version.modern:
        call.need_in_team(team_id, "view_team")
    return user_id, team_id


def get_categories_for_team_for_user(call: Call) -> Answer:
    """Give a user's categories in a team with their channels, and their order."""
    categories = sidebar.of_team(call.site, *_place(call))
    rows = [sidebar.shown(call.site, category) for category in categories]
    return json_answer({"categories": rows, "order": [category.id for category in categories]})


def create_category_for_team_for_user(call: Call) -> Answer:
    """Make a category of the user's own."""
    user_id, team_id = _place(call)
    given = _checked(call, user_id, team_id)
    channel_ids = _own_channels(call, user_id, given)
    category = Category(
        id=call.state.new_id(),
        user_id=user_id,
        team_id=team_id,
        type=CUSTOM,
        display_name=given.get("display_name", ""),
        sorting=given.get("sorting", "") if call.site.version.modern else "",
        muted=given.get("muted", False),
        channel_ids=list(channel_ids),
    )
    sidebar.create(call.site, category)
    return json_answer(sidebar.shown(call.site, category) | {"channel_ids": channel_ids or None})


def _checked(call: Call, user_id: str, team_id: str) -> bodies.Json:
    given = call.json("category", CATEGORY, strict=True)
    if given.get("user_id", "") != user_id or given.get("team_id", "") != team_id:
        raise invalid_body("category")
    return given


def _own_channels(call: Call, user_id: str, given: bodies.Json) -> list[str]:
    own = call.state.channels.of_user(user_id)
    return [channel_id for channel_id in given.get("channel_ids", ()) if channel_id in own]


def update_categories_for_team_for_user(call: Call) -> Answer:
    """Change several categories at once."""
    user_id, team_id = _place(call)
    try:
        rows = bodies.decode(call.body)
        if not isinstance(rows, list):
            raise bodies.InvalidBodyError
        given = [bodies.checked(row, CATEGORY) for row in rows]
    except bodies.InvalidBodyError:
        raise invalid_body("category") from None
    changes = [(_known(call, user_id, team_id, row.get("id", "")), row) for row in given]
    if any(category is None for category, _ in changes):
        raise invalid_body("category")
    return json_answer(
        sidebar.update(call.site, [(c, _own(call, user_id, row)) for c, row in changes if c is not None])
    )


def _own(call: Call, user_id: str, given: bodies.Json) -> dict[str, Any]:
    return given | {"channel_ids": _own_channels(call, user_id, given)}


def get_category_order_for_team_for_user(call: Call) -> Answer:
    """Give the ids of a user's categories in a team in order."""
    return json_answer([category.id for category in sidebar.of_team(call.site, *_place(call))])


def update_category_order_for_team_for_user(call: Call) -> Answer:
    """Put a user's categories in a team into another order."""
    user_id, team_id = _place(call)
    ids = bodies.decode_texts(call.body)
    for category_id in ids:
        if _known(call, user_id, team_id, category_id) is None:
            raise invalid_body("category")
    known = {category.id for category in sidebar.of_team(call.site, user_id, team_id)}
    if len(known) != len(ids) or known != set(ids):
        status = 400 if len(known) == len(ids) else 500
        raise ApiRefusal(status, "app.channel.sidebar_categories.app_error", "Failed to insert record to database.")
    call.state.categories.reorder(user_id, team_id, ids)
    call.site.publish(call.site.events.sidebar_category_order_updated(user_id, team_id, ids))
    return json_answer(ids)


def _known(call: Call, user_id: str, team_id: str, category_id: str) -> Category | None:
    category = call.state.categories.by_id.get(category_id)
    good = category is not None and (category.user_id, category.team_id) == (user_id, team_id)
    return category if good else None


def _target(call: Call) -> Category:
    user_id, team_id = call.id_param("user_id"), call.id_param("team_id")
    category_id = call.params["category_id"]
    if not is_id(category_id) and not BUILT_IN_ID.search(category_id):
        raise invalid_url("category_id")
    may_all = call.may("edit_other_users")
    category = call.state.categories.by_id.get(category_id) if may_all else None
    if not may_all and user_id == call.user_id:
        category = _known(call, user_id, team_id, category_id)
    if category is None and not may_all:
        raise call.refuse("edit_other_users")
    if category is None:
        raise ApiRefusal(404, "app.channel.sidebar_categories.app_error", "Failed to insert record to database.")
    return category


def get_category_for_team_for_user(call: Call) -> Answer:
    """Give one category with its channels."""
    return json_answer(sidebar.shown(call.site, _target(call)))


def update_category_for_team_for_user(call: Call) -> Answer:
    """Change one category."""
    category = _target(call)
    given = _checked(call, category.user_id, category.team_id)
    return json_answer(sidebar.update(call.site, [(category, _own(call, category.user_id, given))])[0])


def delete_category_for_team_for_user(call: Call) -> Answer:
    """Remove a category of the user's own; its channels go back to where they belong by kind."""
    category = _target(call)
    if category.type != CUSTOM:
        raise ApiRefusal(400, "app.channel.sidebar_categories.app_error", "Failed to insert record to database.")
    call.state.categories.remove(category)
    deleted = call.site.events.sidebar_category_deleted
    call.site.publish(deleted(category.user_id, category.team_id, category.id))
    return ok()


CATEGORIES = "/users/{user_id}/teams/{team_id}/channels/categories"

ROUTES = (
    Route("GET", CATEGORIES, get_categories_for_team_for_user),
    Route("POST", CATEGORIES, create_category_for_team_for_user),
    Route("PUT", CATEGORIES, update_categories_for_team_for_user),
    Route("GET", f"{CATEGORIES}/order", get_category_order_for_team_for_user),
    Route("PUT", f"{CATEGORIES}/order", update_category_order_for_team_for_user),
    Route("GET", f"{CATEGORIES}/{{category_id}}", get_category_for_team_for_user),
    Route("PUT", f"{CATEGORIES}/{{category_id}}", update_category_for_team_for_user),
    Route("DELETE", f"{CATEGORIES}/{{category_id}}", delete_category_for_team_for_user),
)
