"""Threads that a user follows: listing, reading, following and leaving them."""

from __future__ import annotations

from mattermost_load_test.embedded import following
from mattermost_load_test.embedded.answers import Answer, json_answer, ok
from mattermost_load_test.embedded.api_errors import ApiRefusal, invalid_body, invalid_url
from mattermost_load_test.embedded.call import Call
from mattermost_load_test.embedded.routing import Route
from mattermost_load_test.embedded.tables.threads import Follower, Thread

PAGE_SIZE = 30
"""How many threads a list holds unless told otherwise."""


def get_threads_for_user(call: Call) -> Answer:
    """List the threads that a user follows in a team, the latest reply first."""
    user_id, team_id = call.id_param("user_id"), call.id_param("team_id")
    call.need_self_or(user_id)
    modern = call.site.version.modern
    if modern:
        call.need_in_team(team_id, "view_team")
    before, after, since, size = _listing(call)
    totals_only, threads_only = (modern and call.query_flag(name) for name in ("totalsOnly", "threadsOnly"))
    if totals_only and threads_only:
        message = "OnlyThreads and OnlyTotals parameters to getThreadsForUser are mutually exclusive"
        raise ApiRefusal(400, "api.getThreadsForUser.bad_only_params", message)
    known = following.of_team(call.site, user_id, team_id, deleted=call.query_flag("deleted"))
    followed = [pair for pair in known if pair[1].following]
    counted = [pair for pair in followed if _is_unread(pair)] if call.query_flag("unread") else followed
    row: dict[str, object] = {
        "total": 0 if threads_only else len(counted),
        "total_unread_threads": 0 if threads_only else sum(map(_is_unread, followed)),
        "total_unread_mentions": 0 if threads_only else sum(follower.unread_mentions for _, follower in followed),
    }
    if modern:
        row["total_unread_urgent_mentions"] = 0
    if totals_only:
        return json_answer(row | {"threads": None})
    listed = [pair for pair in counted if pair[1].last_updated >= since]
    listed = _part(call, listed, before, after)[: size or PAGE_SIZE]
    extended = call.query_flag("extended")
    shown = [call.views.thread(thread, follower, extended=extended, listed=True) for thread, follower in listed]
    return json_answer(row | {"threads": shown})


def _is_unread(pair: tuple[Thread, Follower]) -> bool:
    thread, follower = pair
    return thread.last_reply_at > follower.last_viewed


def _listing(call: Call) -> tuple[str, str, int, int]:
    """Return which threads are asked for: before and after which other one, changed since when, how many."""
    numbers = {}
    for name in ("since", "per_page" if call.site.version.modern else "pageSize"):
        text = call.query_text(name)
        if text and not (text.isascii() and text.isdigit()):
            raise invalid_body(name)
        numbers[name] = int(text or 0)
    since, size = numbers.values()
    before, after = call.query_text("before"), call.query_text("after")
    if before and after:
        message = "Before and After parameters to getThreadsForUser are mutually exclusive"
        raise ApiRefusal(400, "api.getThreadsForUser.bad_params", message)
    return before, after, since, size


def _part(call: Call, pairs: list[tuple[Thread, Follower]], before: str, after: str) -> list[tuple[Thread, Follower]]:
    """Sort threads by their latest reply, the latest first; those after another one come the earliest first."""
    middle = call.state.threads.get(before or after)
    time_ms = None if middle is None else middle.last_reply_at
    pairs = sorted(pairs, key=lambda pair: pair[0].last_reply_at, reverse=not after)
    if not before and not after:
        return pairs
    if time_ms is None:
        return []
    return [pair for pair in pairs if (pair[0].last_reply_at > time_ms if after else pair[0].last_reply_at < time_ms)]


def _target(call: Call) -> tuple[str, str, str]:
    """Return the ids of user, team and thread in the path, refusing who may not act for the user."""
    user_id, team_id, root_id = call.id_param("user_id"), call.id_param("team_id"), call.id_param("thread_id")
    call.need_self_or(user_id)
    if call.site.version.modern:
        call.need_by_post(root_id, "read_channel")
    return user_id, team_id, root_id


def get_thread_for_user(call: Call) -> Answer:
    """Give one thread that a user follows."""
    user_id, team_id, root_id = _target(call)
    thread = call.state.threads.get(root_id)
    follower = None if thread is None else thread.followers.get(user_id)
    if thread is None or follower is None:
        raise _no_membership(call)
    _need_thread(call, thread, follower, team_id)
    return json_answer(call.views.thread(thread, follower, extended=call.query_flag("extended")))


def _no_membership(call: Call) -> ApiRefusal:
    error_id = "app.user.get_thread_membership_for_user"
    if call.site.version.modern:
        return ApiRefusal(404, f"{error_id}.not_found", "User thread membership doesn't exist")
    details = f"resource: Thread id: {call.params['thread_id']}"
    return ApiRefusal(500, f"{error_id}.app_error", "Unable to get user thread membership", details)


def _need_thread(call: Call, thread: Thread, follower: Follower, team_id: str) -> None:
    """Refuse a thread that the user does not follow, or that is none of this team's."""
    channel = call.state.channels.by_id[thread.root.channel_id]
    inside = thread.begun and channel.team_id in ("", team_id)
    if not follower.following or (not inside and call.site.version.modern):
        message = "User thread doesn't exist or is not followed"
        raise ApiRefusal(404, "app.user.get_threads_for_user.not_found", message, "thread not found/followed")
    if not inside:
        details = "sql: no rows in result set"
        raise ApiRefusal(500, "app.user.get_threads_for_user.app_error", "Unable to get user threads", details)


def update_read_state_thread_by_user(call: Call) -> Answer:
    """Note that a user has read a thread up to a time."""
    user_id, team_id, root_id = _target(call)
    time_ms = int(call.params["timestamp"])
    if not time_ms:
        raise invalid_url("timestamp")
    thread = call.state.threads.start(call.known_post(root_id))
    follower = following.known(call.site, thread, user_id)
    follower.following = True
    _need_thread(call, thread, follower, team_id)
    following.read_up_to(call.site, team_id, thread, follower, time_ms)
    return json_answer(call.views.thread(thread, follower, extended=False))


def set_unread_thread_by_post_id(call: Call) -> Answer:
    """Note that a user has read a thread up to, and without, one of its posts."""
    user_id, team_id, root_id = _target(call)
    post = call.target_post()
    thread = call.state.threads.start(call.known_post(root_id))
    follower = following.known(call.site, thread, user_id)
    follower.following = True
    _need_thread(call, thread, follower, team_id)
    following.read_up_to(call.site, team_id, thread, follower, post.create_at - 1)
    return json_answer(call.views.thread(thread, follower, extended=False))


def update_read_state_all_threads_by_user(call: Call) -> Answer:
    """Note that a user has read all threads of a team."""
    user_id, team_id = call.id_param("user_id"), call.id_param("team_id")
    call.need_self_or(user_id)
    if call.site.version.modern:
        call.need_in_team(team_id, "view_team")
    following.read_all(call.site, user_id, team_id)
    return ok()


def follow_thread_by_user(call: Call) -> Answer:
    """Let a user follow a thread."""
    user_id, team_id, root_id = _target(call)
    following.follow(call.site, user_id, team_id, root_id, following=True)
    return ok()


def unfollow_thread_by_user(call: Call) -> Answer:
    """Let a user follow a thread no more."""
    user_id, team_id, root_id = _target(call)
    following.follow(call.site, user_id, team_id, root_id, following=False)
    return ok()


THREADS = "/users/{user_id}/teams/{team_id}/threads"

ROUTES = (
    Route("GET", THREADS, get_threads_for_user),
    Route("PUT", f"{THREADS}/read", update_read_state_all_threads_by_user),
    Route("GET", f"{THREADS}/{{thread_id}}", get_thread_for_user),
    Route("PUT", f"{THREADS}/{{thread_id}}/following", follow_thread_by_user),
    Route("DELETE", f"{THREADS}/{{thread_id}}/following", unfollow_thread_by_user),
    Route("PUT", f"{THREADS}/{{thread_id}}/read/{{timestamp}}", update_read_state_thread_by_user),
    Route("POST", f"{THREADS}/{{thread_id}}/set_unread/{{post_id}}", set_unread_thread_by_post_id, only="11.6"),
)
