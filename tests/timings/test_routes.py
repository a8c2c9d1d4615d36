"""Route names: those of the original's logs, with ids replaced wherever they stand."""

from __future__ import annotations

from pathlib import Path

import pytest

from mattermost_load_test.timings.reading import read_log
from mattermost_load_test.timings.routes import route_name

LOGS = Path(__file__).parent.parent / "data" / "ltparse"
A, B, C = "a" * 26, "1b" * 13, "z9" * 13

# What a load test requests, and the name each of it has in the logs of the original.
REQUESTS = [
    ("GET", f"/api/v4/channels/{A}/members?page=0&per_page=60", "GET /channels/[channel id]/members"),
    ("GET", f"/api/v4/channels/{A}/members/me", "GET /channels/[channel id]/members/me"),
    ("GET", f"/api/v4/channels/{A}/posts?page=0", "GET /channels/[channel id]/posts"),
    ("GET", f"/api/v4/channels/{A}/stats", "GET /channels/[channel id]/stats"),
    ("GET", "/api/v4/plugins/webapp", "GET /plugins/webapp"),
    ("GET", f"/api/v4/teams/{A}/channels?page=2", "GET /teams/[team id]/channels"),
    ("GET", f"/api/v4/teams/{A}/channels/autocomplete?name=ab", "GET /teams/[team id]/channels/autocomplete"),
    ("GET", f"/api/v4/users/{A}/channels/{B}/unread", "GET /users/[user id]/channels/[channel id]/unread"),
    ("GET", "/api/v4/users/email/success+user1@simulator.amazonses.com", "GET /users/email/[email]"),
    ("GET", "/api/v4/users/me", "GET /users/me"),
    ("GET", "/api/v4/users/me/teams/unread", "GET /users/me/teams/unread"),
    ("POST", "/api/v4/channels/members/me/view", "POST /channels/members/me/view"),
    ("POST", "/api/v4/hooks/incoming", "POST /hooks/incoming"),
    ("POST", "/api/v4/posts", "POST /posts"),
    ("POST", "/api/v4/reactions", "POST /reactions"),
    ("POST", f"/api/v4/teams/{A}/channels/search", "POST /teams/[team id]/channels/search"),
    ("POST", f"/api/v4/teams/{A}/posts/search", "POST /teams/[team id]/posts/search"),
    ("POST", f"/api/v4/users/{A}/image", "POST /users/[user id]/image"),
    ("POST", "/api/v4/users/ids", "POST /users/ids"),
    ("POST", "/api/v4/users/search", "POST /users/search"),
    ("POST", "/api/v4/users/status/ids", "POST /users/status/ids"),
    ("POST", "/api/v4/users/usernames", "POST /users/usernames"),
    ("PUT", f"/api/v4/users/{A}/active", "PUT /users/[user id]/active"),
    ("PUT", f"/api/v4/users/{A}/patch", "PUT /users/[user id]/patch"),
]


@pytest.mark.parametrize(("method", "path", "name"), REQUESTS)
def test_requests_are_named_as_in_the_logs_of_the_original(method: str, path: str, name: str) -> None:
    """Each request gets the name it has in the original's logs."""
    assert route_name(method, path) == name


def test_every_route_of_the_sample_logs_is_tried() -> None:
    """The table above holds every route of the sample logs, but for those with an id the original left at the end."""
    names: set[str] = set()
    for path in LOGS.glob("*.log"):
        with path.open("rb") as stream:
            for instance in read_log(stream, path.name).measured():
                names |= instance.timings.routes.keys()
    left_by_original = {name for name in names if route_name(*name.split(" ", 1)) != name}
    assert left_by_original == {name for name in names if name.startswith("PUT /users/") and name.count("/") == 2}
    assert names - left_by_original == {name for _, _, name in REQUESTS}


@pytest.mark.parametrize(
    ("path", "name"),
    [
        (f"/api/v4/teams/{A}/members/{B}", "/teams/[team id]/members/[user id]"),
        (f"/api/v4/users/{A}", "/users/[user id]"),
        (f"/api/v4/users/{A}?me=1", "/users/[user id]"),
        (f"/api/v4/posts/{A}", "/posts/[post id]"),
        (f"/api/v4/files/{A}/thumbnail", "/files/[post id]/thumbnail"),
        (f"/api/v4/emoji/{A}/image", "/emoji/[emoji id]/image"),
        ("/api/v4/emoji/name/loadtestemoji3", "/emoji/name/[emoji name]"),
        (f"/api/v4/teams/{A}/channels/name/town-square", "/teams/[team id]/channels/name/[channel name]"),
        ("/api/v4/teams/name/loadtestteam0", "/teams/name/[team name]"),
        ("/api/v4/roles/name/channel_user", "/roles/name/[role name]"),
        ("/api/v4/users/username/user1", "/users/username/[username]"),
        (f"/hooks/{A}", "/hooks/[hook id]"),
        (f"/api/v4/users/me/posts/{A}/reactions/smile", "/users/me/posts/[post id]/reactions/[emoji name]"),
        (
            f"/api/v4/users/me/teams/{A}/threads/{B}/read/1700000000000",
            "/users/me/teams/[team id]/threads/[thread id]/read/[time]",
        ),
        (f"/api/v4/users/{A}/preferences/theme/name/{B}", "/users/[user id]/preferences/[category]/name/[name]"),
        ("/api/v4/plugins/com.example.plugin/enable", "/plugins/[plugin id]/enable"),
        (f"/api/v4/jobs/{A}", "/jobs/[job id]"),
        (f"/api/v4/unheard_of/{A}/x", "/unheard_of/[id]/x"),
        ("/api/v4/system/ping", "/system/ping"),
        ("/api/v4/users/ABCDEFGHIJKLMNOPQRSTUVWXYZ", "/users/ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
        ("/", "/"),
        ("", ""),
    ],
)
def test_whatever_differs_between_requests_is_replaced(path: str, name: str) -> None:
    """Ids, names and times in a path are replaced, at its end too; words of the API stay."""
    assert route_name("get", path) == f"GET {name}"


def test_requests_that_differ_in_ids_only_share_a_name() -> None:
    """The number of routes does not grow with users, channels and posts."""
    paths = [f"/api/v4/users/{one}/channels/{other}/unread" for one in (A, B, C) for other in (A, B, C)]
    assert len({route_name("GET", path) for path in paths}) == 1
