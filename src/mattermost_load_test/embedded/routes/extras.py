"""What clients ask of the server besides: its limits and use, previews of links, groups, their own logs."""

from __future__ import annotations

from mattermost_load_test.embedded import api_errors, bodies
from mattermost_load_test.embedded.answers import Answer, json_answer
from mattermost_load_test.embedded.api_errors import ApiRefusal
from mattermost_load_test.embedded.call import Call
from mattermost_load_test.embedded.routing import Route


def get_server_limits(call: Call) -> Answer:
    """Give the server's limits to admins, and zeros to everybody else."""
    state, version = call.state, call.site.version
    limited = call.is_admin and not state.licensed
    return json_answer(
        {
            "maxUsersLimit": version.user_soft_limit if limited else 0,
            "maxUsersHardLimit": version.user_limit if limited else 0,
            "activeUserCount": state.users.active_count if call.is_admin else 0,
            "singleChannelGuestCount": 0,
            "singleChannelGuestLimit": 0,
            "postHistoryLimit": 0,
            "lastAccessiblePostTime": 0,
        }
    )


def get_posts_usage(call: Call) -> Answer:
    """Give about how many posts people have written: rounded down to thousands, fewer ones to their first digit."""
    count = call.state.posts.by_people
    step = 10 ** min(len(str(count)) - 1, 3)
    return json_answer({"count": count // step * step if count >= 10 else 0})


def submit_client_performance(call: Call) -> Answer:
    """Take a client's report of its own speed."""
    try:
        report = bodies.decode(call.body)
    except bodies.InvalidBodyError:
        report = None
    if not isinstance(report, dict):
        raise api_errors.invalid_body("body")
    return Answer(200)


def get_opengraph_metadata(call: Call) -> Answer:
    """Give what a linked page says of itself: nothing, pages are not fetched here."""
    if not call.state.config.get("ServiceSettings", "EnableLinkPreviews"):
        message = "Link previews have been disabled by the system administrator."
        raise ApiRefusal(501, "api.post.link_preview_disabled.app_error", message)
    url = bodies.decode_any_map(call.body).get("url")
    if not isinstance(url, str) or not url:
        raise api_errors.invalid_body("url")
    return json_answer(None)


def get_groups(call: Call) -> Answer:
    """Refuse to list groups, which takes a licence."""
    if call.state.licensed:
        return json_answer([])
    if call.site.version.modern:
        raise ApiRefusal(501, "api.license_error", "api endpoint requires a license")
    raise ApiRefusal(501, "api.ldap_groups.license_error", "your license does not support ldap groups")


def get_groups_of(call: Call) -> Answer:
    """Refuse to list the groups of a user, channel or team, which takes a licence."""
    if not call.state.licensed:
        return get_groups(call)
    return json_answer([] if "user_id" in call.params else {"groups": [], "total_group_count": 0})


def post_log(call: Call) -> Answer:
    """Take a line of a client's log, and give back what is written of it."""
    given = bodies.decode_text_map(call.body)
    return json_answer({**given, "message": f"Client Logs API Endpoint Message: {given.get('message', '')[:399]}"})


def get_terms_of_service(call: Call) -> Answer:
    """Say that there are no terms of service of the server's own."""
    message = "No terms of service found."
    details = "err=resource: TermsOfService id: CreateAt=latest"
    raise ApiRefusal(404, "app.terms_of_service.get.no_rows.app_error", message, details)


ROUTES = (
    Route("GET", "/limits/server", get_server_limits, only="11.6"),
    Route("GET", "/usage/posts", get_posts_usage, only="11.6"),
    Route("POST", "/client_perf", submit_client_performance, only="11.6"),
    Route("POST", "/opengraph", get_opengraph_metadata, only="5.37"),
    Route("GET", "/groups", get_groups),
    Route("GET", "/users/{user_id}/groups", get_groups_of),
    Route("GET", "/channels/{channel_id}/groups", get_groups_of),
    Route("GET", "/teams/{team_id}/groups", get_groups_of),
    Route("POST", "/logs", post_log, session=False),
    Route("GET", "/terms_of_service", get_terms_of_service),
)
