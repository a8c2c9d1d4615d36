"""Searching posts by their words."""

from __future__ import annotations

from mattermost_load_test.embedded import bodies, search_terms
from mattermost_load_test.embedded.answers import NEVER_CACHED, Answer, json_answer
from mattermost_load_test.embedded.api_errors import ApiRefusal, invalid_body
from mattermost_load_test.embedded.call import Call
from mattermost_load_test.embedded.post_lists import PostList, Threads
from mattermost_load_test.embedded.routing import Route
from mattermost_load_test.embedded.searching import PostSearch
from mattermost_load_test.embedded.tables.posts import Post

SEARCH = {
    "terms": bodies.text,
    "is_or_search": bodies.flag,
    "time_zone_offset": bodies.whole,
    "page": bodies.whole,
    "per_page": bodies.whole,
    "include_deleted_channels": bodies.flag,
}
"""What a search asks for."""


def search_posts(call: Call) -> Answer:
    """Find posts in the caller's channels of one team."""
    team_id = call.id_param("team_id")
    call.need_in_team(team_id, "view_team")
    return _found(call, team_id)


def search_posts_in_all_teams(call: Call) -> Answer:
    """Find posts in the caller's channels of all teams."""
    return _found(call, "")


def _found(call: Call, team_id: str) -> Answer:
    given = _asked(call)
    call.state.counts["searches"] += 1
    made = PostList(call.site, Threads(call.user_id))
    made.add(_search(call, team_id, given), counted=True)
    return json_answer(made.shown(matches=None), headers=dict(NEVER_CACHED))


def _asked(call: Call) -> bodies.Json:
    try:
        given = bodies.decode_object(call.body, SEARCH)
    except bodies.InvalidBodyError:
        message = "Unable to parse the request body."
        raise ApiRefusal(400, "api.post.search_posts.invalid_body.app_error", message) from None
    if not given.get("terms"):
        raise invalid_body("terms")
    if not call.state.config.get("ServiceSettings", "EnablePostSearch"):
        message = "Searching has been disabled on this server. Please contact your System Administrator."
        raise ApiRefusal(501, "store.sql_post.search.disabled", message)
    return given


def _search(call: Call, team_id: str, given: bodies.Json) -> list[Post]:
    if given.get("page", 0) > 0:  # the database is searched once: there are no further pages
        return []
    terms = search_terms.parse(given["terms"].strip())
    archived = given.get("include_deleted_channels", False)
    if not call.site.version.modern:
        archived = archived and call.state.config.get("TeamSettings", "ExperimentalViewArchivedChannels")
    search = PostSearch(call.site, call.user_id, team_id, terms)
    return search.run(
        any_word=given.get("is_or_search", False), archived=archived, offset_s=given.get("time_zone_offset", 0)
    )


ROUTES = (
    Route("POST", "/teams/{team_id}/posts/search", search_posts),
    Route("POST", "/posts/search", search_posts_in_all_teams, only="11.6"),
)
