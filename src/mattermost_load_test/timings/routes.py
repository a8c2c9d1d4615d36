"""Names of routes: a request's method and path with everything that differs from one request to the next replaced.

The names are the original tool's, so that old and new results compare: ``GET /teams/[team id]/members/[user id]``, the
path below ``/api/v4`` without its query. Two things differ: ids at the end of a path are replaced too, and posts
by incoming webhook have a route of their own, ``POST /hooks/[hook id]``.
"""

from __future__ import annotations

import re

API_PREFIX = "/api/v4"

# Ids of Mattermost are 26 letters and digits. Words in their place, such as `me`, stay.
_ID = re.compile(r"[a-z0-9]{26}")

# What an id is called, by the segment before it. Files are "post id" in the original.
_IDS = {
    "bots": "user id",
    "categories": "category id",
    "channels": "channel id",
    "commands": "command id",
    "emoji": "emoji id",
    "files": "post id",
    "following": "user id",
    "groups": "group id",
    "hooks": "hook id",
    "incoming": "hook id",
    "jobs": "job id",
    "members": "user id",
    "outgoing": "hook id",
    "policies": "policy id",
    "posts": "post id",
    "roles": "role id",
    "schemes": "scheme id",
    "sessions": "session id",
    "set_unread": "post id",
    "teams": "team id",
    "threads": "thread id",
    "tokens": "token id",
    "uploads": "upload id",
    "users": "user id",
}

# What a segment is called whatever it looks like, by the segment before it; words that are routes themselves stay.
_WORDS = {
    "email": "email",
    "exports": "export name",
    "imports": "import name",
    "plugins": "plugin id",
    "preferences": "category",
    "reactions": "emoji name",
    "read": "time",
    "username": "username",
}
_FIXED = {
    "email": {"verify"},
    "plugins": {"install_from_url", "marketplace", "statuses", "webapp"},
    "preferences": {"delete"},
}

# Likewise after the segment "name", by the one before that.
_NAMES = {"channels": "channel name", "emoji": "emoji name", "roles": "role name", "teams": "team name"}


def route_name(method: str, path: str) -> str:
    """Return the name under which a request is measured.

    `path` is everything behind the server's URL; a query and a leading ``/api/v4`` are left out.
    """
    path = path.partition("?")[0].removeprefix(API_PREFIX)
    segments = path.split("/")
    named = [segments[0]]
    for index in range(1, len(segments)):
        before = segments[index - 1]
        named.append(_name(segments[index], before, segments[index - 2] if index > 1 else ""))
    return f"{method.upper()} {'/'.join(named)}"


def _name(segment: str, before: str, before_that: str) -> str:
    """Return what stands for `segment` in a route's name, given the segments before it; most stand for themselves."""
    if not segment:
        return segment
    if before == "name":
        return f"[{_NAMES.get(before_that, 'name')}]"
    if before in _WORDS and segment not in _FIXED.get(before, ()):
        return f"[{_WORDS[before]}]"
    if _ID.fullmatch(segment):
        return f"[{_IDS.get(before, 'id')}]"
    return segment
