"""Reading posts in lists: a channel's, a thread's, the flagged and the pinned ones, those of given ids."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from mattermost_load_test.embedded import post_lists
from mattermost_load_test.embedded.answers import Answer, json_answer
from mattermost_load_test.embedded.api_errors import ApiRefusal, invalid_body, invalid_url, not_found
from mattermost_load_test.embedded.call import Call
from mattermost_load_test.embedded.ids import is_id
from mattermost_load_test.embedded.post_lists import PostList, Threads
from mattermost_load_test.embedded.routes.posts import readable_post
from mattermost_load_test.embedded.routing import Route
from mattermost_load_test.embedded.tables.posts import Post

NUMBER = re.compile(r"[+-]?[0-9]{1,19}\Z", re.ASCII)
IDS_MAX = 1000
"""How many posts can be asked for by id at once."""


def _threads(call: Call) -> Threads:
    return Threads(
        call.user_id,
        skip=call.query_text("skipFetchThreads") == "true",
        collapsed=call.query_text("collapsedThreads") == "true",
        extended=call.query_text("collapsedThreadsExtended") == "true",
    )


def get_posts_for_channel(call: Call) -> Answer:
    """Give posts of a channel: those since a time, before or after a post, else a page, the newest first."""
    channel_id = call.id_param("channel_id")
    after, before, since = (call.query_text(name) for name in ("after", "before", "since"))
    for name, post_id in (("after", after), ("before", before)):
        if post_id and not is_id(post_id):
            raise invalid_body(name)
    if since and not NUMBER.match(since):
        raise invalid_body("since")
    call.need_in_channel(channel_id, "read_channel")
    threads = _threads(call)
    if since and int(since) > 0:
        return json_answer(post_lists.changed_since(call.site, channel_id, threads, int(since)).shown())
    etag = post_lists.channel_etag(call.site, channel_id)
    if call.knows(etag):
        return Answer(304, headers={"Etag": etag})
    if after or before:
        middle = after or before
        made = post_lists.around(call.site, channel_id, threads, middle, call.page, call.per_page, before=not after)
    else:
        made = post_lists.newest(call.site, channel_id, threads, call.page, call.per_page)
    return json_answer(made.shown(*_ends(call, made, after, before)), headers={"Etag": etag})


def _ends(call: Call, made: PostList, after: str, before: str) -> tuple[str, str]:
    """Give the posts right after and right before a page; a client is not told what it named itself."""
    following, previous = post_lists.neighbours(call.site, made)
    full = len(made.order) >= call.per_page
    if after:
        return following if full else "", after if call.page == 0 else previous
    if before:
        return before if call.page == 0 else following, previous if full else ""
    return following, previous


def get_posts_for_channel_around_last_unread(call: Call) -> Answer:
    """Give the posts around the first one that a user has not read, or the newest ones when all are read."""
    user_id, channel_id = call.id_param("user_id"), call.id_param("channel_id")
    call.need_self_or(user_id)
    call.need_in_channel(channel_id, "read_channel")
    before, after = (call.query_int(name, 60, 200) for name in ("limit_before", "limit_after"))
    if after == 0:
        raise invalid_url("limit_after")
    threads = _threads(call)
    seen_at = call.membership(channel_id, user_id).last_viewed_at
    made = post_lists.around_unread(call.site, channel_id, threads, seen_at, before, after)
    headers = {}
    if not made.order:
        etag = post_lists.channel_etag(call.site, channel_id)
        if call.knows(etag):
            return Answer(304, headers={"Etag": etag})
        headers["Etag"] = etag
        made = post_lists.newest(call.site, channel_id, threads, 0, before)
    return json_answer(made.shown(*post_lists.neighbours(call.site, made)), headers=headers)


def get_post_thread(call: Call) -> Answer:
    """Give a post with the rest of its thread."""
    post = readable_post(call)
    made = post_lists.thread(call.site, post, _threads(call))
    if call.site.version.modern:
        return _with_etag(call, made, has_next=_cut_thread(call, made, post))
    return _with_etag(call, made)


def _cut_thread(call: Call, made: PostList, post: Post) -> bool:
    """Leave of a thread the part that was asked for, with its first post; tell whether there is more of it."""
    per_page = _number(call, "perPage")
    if per_page > 200:
        raise invalid_body("perPage")
    since, from_post = _number(call, "fromCreateAt"), call.query_text("fromPost")
    direction = call.query_text("direction")
    if direction not in ("", "up", "down"):
        raise invalid_body("direction")
    if from_post and not since:
        raise invalid_body("if fromPost is set, then fromCreateAt must also be set")
    rest = sorted((made.posts[post_id] for post_id in made.order if post_id != post.id), key=_place)
    if direction == "up":
        rest.reverse()
    if since:
        rest = [
            p for p in rest if (_place(p) < (since, from_post) if direction == "up" else _place(p) > (since, from_post))
        ]
    has_next = 0 < per_page < len(rest) + 1
    made.order = [post.id, *(p.id for p in (rest[:per_page] if per_page else rest))]
    made.rows = {post_id: made.rows[post_id] for post_id in made.order}
    return has_next


def _place(post: Post) -> tuple[int, str]:
    return post.create_at, post.id


def _number(call: Call, name: str) -> int:
    text = call.query_text(name)
    if text and not NUMBER.match(text):
        raise invalid_body(name)
    return int(text or 0)


def _with_etag(call: Call, made: PostList, **more: Any) -> Answer:
    etag = made.etag()
    if call.knows(etag):
        return Answer(304, headers={"Etag": etag})
    return json_answer(made.shown(**more), headers={"Etag": etag})


def get_pinned_posts(call: Call) -> Answer:
    """Give the posts pinned to a channel, the oldest first."""
    channel_id = call.id_param("channel_id")
    call.need_in_channel(channel_id, "read_channel")
    pinned = call.state.posts.of_channel(channel_id).pinned.values()
    return _with_etag(call, _counted(call, sorted(pinned, key=_place)))


def _counted(call: Call, posts: Iterable[Post]) -> PostList:
    made = PostList(call.site, Threads(call.user_id))
    made.add(posts, counted=True)
    return made


def get_flagged_posts_for_user(call: Call) -> Answer:
    """Give a page of the posts that a user has flagged, of one channel or team if one is named, the newest first."""
    user_id = call.id_param("user_id")
    call.need_self_or(user_id)
    state = call.state
    flagged = (state.posts.by_id.get(flag.name) for flag in state.preferences.of_user(user_id, "flagged_post"))
    channel_id, team_id = call.query_text("channel_id"), call.query_text("team_id")
    posts = [post for post in flagged if post is not None and not post.delete_at]
    if channel_id:
        posts = [post for post in posts if post.channel_id == channel_id]
    elif team_id:
        posts = [post for post in posts if state.channels.by_id[post.channel_id].team_id in ("", team_id)]
    posts.sort(key=_place, reverse=True)
    page = posts[call.offset : call.offset + call.per_page]
    return json_answer(_counted(call, (p for p in page if call.may_in_channel(p.channel_id, "read_channel"))).shown())


def get_posts_by_ids(call: Call) -> Answer:
    """Give the posts of given ids that the caller may read."""
    ids = call.texts("post_ids")
    if len(ids) > IDS_MAX:
        message = f"Unable to get posts: at most {IDS_MAX} posts can be asked for at once."
        raise ApiRefusal(400, "api.post.posts_by_ids.invalid_body.request_error", message)
    found = (call.state.posts.by_id.get(post_id) for post_id in dict.fromkeys(ids))
    posts = [post for post in found if post is not None and not post.delete_at]
    if not posts:
        raise not_found("app.post.get.app_error", "Unable to get the post.", "Post", ",".join(ids))
    readable = [post for post in posts if _may_read(call, post)]
    rows = [call.views.post(post, reply_count=call.site.reply_count(post)) for post in readable]
    return json_answer(rows)


def _may_read(call: Call, post: Post) -> bool:
    channel = call.state.channels.by_id[post.channel_id]
    if call.may_in_channel(channel.id, "read_channel"):
        return True
    return channel.is_open and call.may_in_team(channel.team_id, "read_public_channel")


ROUTES = (
    Route("GET", "/channels/{channel_id}/posts", get_posts_for_channel),
    Route("GET", "/users/{user_id}/channels/{channel_id}/posts/unread", get_posts_for_channel_around_last_unread),
    Route("GET", "/posts/{post_id}/thread", get_post_thread),
    Route("GET", "/channels/{channel_id}/pinned", get_pinned_posts),
    Route("GET", "/users/{user_id}/posts/flagged", get_flagged_posts_for_user),
    Route("POST", "/posts/ids", get_posts_by_ids, only="11.6"),
)
