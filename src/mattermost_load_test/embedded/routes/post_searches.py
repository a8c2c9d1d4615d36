"""Searching posts by their words, and files by their names."""

from __future__ import annotations

from typing import Any

from mattermost_load_test.embedded import bodies, search_terms, searching
from mattermost_load_test.embedded.answers import NEVER_CACHED, Answer, json_answer
from mattermost_load_test.embedded.api_errors import ApiRefusal, invalid_body
from mattermost_load_test.embedded.call import Call
from mattermost_load_test.embedded.post_lists import PostList, Threads
from mattermost_load_test.embedded.routing import Route
from mattermost_load_test.embedded.searching import PostSearch

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
    given = _asked(call, "posts")
    if not call.state.config.get("ServiceSettings", "EnablePostSearch"):
        message = "Searching has been disabled on this server. Please contact your System Administrator."
        raise ApiRefusal(501, "store.sql_post.search.disabled", message)
    call.state.counts["searches"] += 1
    made = PostList(call.site, Threads(call.user_id))
    if not given.get("page"):  # the database is searched once: there are no further pages
        search = PostSearch(call.site, call.user_id, team_id, search_terms.parse(given["terms"]), **_place(call, given))
        made.add(search.run(any_word=given.get("is_or_search", False)), counted=True)
    return json_answer(made.shown(matches=None), headers=dict(NEVER_CACHED))


def _asked(call: Call, what: str) -> bodies.Json:
    try:
        given = bodies.decode_object(call.body, SEARCH)
    except bodies.InvalidBodyError:
        message = "Unable to parse the request body."
        raise ApiRefusal(400, f"api.post.search_{what}.invalid_body.app_error", message) from None
    if not given.get("terms"):
        raise invalid_body("terms")
    return given


def _place(call: Call, given: bodies.Json) -> dict[str, Any]:
    """Return how far a search goes: into archived channels or not, and by what clock."""
    archived = given.get("include_deleted_channels", False)
    if not call.site.version.modern:
        archived = archived and call.state.config.get("TeamSettings", "ExperimentalViewArchivedChannels")
    return {"archived": archived, "offset_s": given.get("time_zone_offset", 0)}


def search_files(call: Call) -> Answer:
    """Find files by their names in the caller's channels of one team."""
    team_id = call.id_param("team_id")
    call.need_in_team(team_id, "view_team")
    return _found_files(call, team_id)


def search_files_in_all_teams(call: Call) -> Answer:
    """Find files by their names in the caller's channels of all teams."""
    return _found_files(call, "")


def _found_files(call: Call, team_id: str) -> Answer:
    given = _asked(call, "files")
    files = []
    if not given.get("page"):
        terms, any_word = search_terms.parse(given["terms"]), given.get("is_or_search", False)
        files = searching.search_files(
            call.site, call.user_id, team_id, terms, any_word=any_word, **_place(call, given)
        )
    row: dict[str, Any] = {
        "order": [file.id for file in files],
        "file_infos": {file.id: call.views.file(file) | {"channel_id": file.channel_id} for file in files},
        "next_file_info_id": "",
        "prev_file_info_id": "",
    }
    if call.site.version.modern:
        row["first_inaccessible_file_time"] = 0
    return json_answer(row, headers=dict(NEVER_CACHED))


ROUTES = (
    Route("POST", "/teams/{team_id}/posts/search", search_posts),
    Route("POST", "/posts/search", search_posts_in_all_teams, only="11.6"),
    Route("POST", "/teams/{team_id}/files/search", search_files),
    Route("POST", "/files/search", search_files_in_all_teams, only="11.6"),
)
