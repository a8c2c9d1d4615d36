"""The REST client: what it sends, and how it takes answers that are none."""

from __future__ import annotations

import contextlib
import inspect
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from mattermost_load_test.errors import ApiError, UnexpectedAnswerError
from mattermost_load_test.mattermost import models
from mattermost_load_test.mattermost.answers import decoded, retry_after_s
from mattermost_load_test.mattermost.models import ServerVersion
from mattermost_load_test.mattermost.rest import Client
from mattermost_load_test.mattermost.rest.multipart import CONTENT_TYPE, encode_form
from mattermost_load_test.mattermost.rest.subject import Subject
from mattermost_load_test.mattermost.transport import Request, Response, Transport
from mattermost_load_test.timings.routes import route_name

EXCHANGES = Path(__file__).parents[1] / "data" / "exchanges"
ID = "abcdefghijklmnopqrstuvwxyz"
VERSION_ID = "11.6.0..3b96a1b32c04bc5b339f9fae688654f1f20b44bd0402d064b77e9ac84c275187.false"


class Noting:
    """A transport around another that keeps the requests, as the recorder does."""

    def __init__(self, inner: Transport) -> None:
        self.inner = inner
        self.requests: list[Request] = []

    async def send(self, request: Request) -> Response:
        """Keep the request and send it."""
        self.requests.append(request)
        return await self.inner.send(request)


Answered = Callable[..., AbstractAsyncContextManager[tuple[Client, Any]]]


@pytest.fixture
def answered(connect: Any, raw_server: Any) -> Answered:
    """Return what opens a client, logged in with a token, of a server that always gives the same answer."""

    @asynccontextmanager
    async def opened(body: bytes = b"null", status: int = 200, **headers: str) -> AsyncIterator[tuple[Client, Any]]:
        async def script(exchange: Any) -> None:
            await exchange.answer(body, f"{status} Status", **headers)

        async with raw_server(script) as server, connect(server.url) as transport:
            yield Client(transport, SecretStr("s3cret"), server.url), server

    return opened


def calls() -> list[tuple[str, str]]:
    """Return every method of every subject of the client, as names."""
    found = []
    for name, subject in inspect.getmembers(Client, lambda value: isinstance(value, property)):
        if name not in ("server", "token"):
            kind = inspect.signature(subject.fget, eval_str=True).return_annotation
            assert issubclass(kind, Subject)
            found += [(name, method) for method, _ in inspect.getmembers(kind, inspect.iscoroutinefunction)]
    return found


def arguments(method: Callable[..., Any]) -> dict[str, Any]:
    """Return something fit for each parameter of a method."""
    examples = {
        "str": ID,
        "int": 1,
        "bool": True,
        "bytes": b"x",
        "Sequence[str]": [ID],
        "tuple[str, str]": (ID, ID),
        "dict[str, str]": {},
        "Json": {},
        "list[Json]": [],
        "SecretStr | str": "password",
    }
    parameters = inspect.signature(method).parameters
    return {name: "a_type" if name == "type" else examples[value.annotation] for name, value in parameters.items()}


@pytest.mark.parametrize(("subject", "method"), calls())
async def test_each_method_names_its_route(connect: Any, raw_server: Any, subject: str, method: str) -> None:
    """The route that a request is measured under is the one that its method and path have in results."""

    async def script(exchange: Any) -> None:
        await exchange.answer(b"null")

    async with raw_server(script) as server, connect(server.url) as transport:
        noting = Noting(transport)
        call = getattr(getattr(Client(noting), subject), method)
        with contextlib.suppress(UnexpectedAnswerError):  # null is not what it asked for; what it sent is the matter
            await call(**arguments(call))
        (request,), (exchange,) = noting.requests, server.requests
        method, path, _ = exchange.head.split(" ", 2)
        assert request.route == route_name(method, path)


def recorded(version: str) -> list[dict[str, Any]]:
    """Return the exchanges of a recorded session."""
    return [json.loads(line) for line in (EXCHANGES / f"rest-{version}.jsonl").read_text().splitlines()]


def list_of(decode: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return what reads a list."""
    return lambda data: [decode(element) for element in data]


DECODERS: Mapping[str, Callable[[Any], Any]] = {
    "POST /users": models.User.of,
    "POST /users/login": models.User.of,
    "GET /users/me": models.User.of,
    "POST /users/ids": list_of(models.User.of),
    "POST /users/usernames": list_of(models.User.of),
    "GET /users": list_of(models.User.of),
    "PUT /users/me/patch": models.User.of,
    "GET /users/me/teams": list_of(models.Team.of),
    "GET /teams": list_of(models.Team.of),
    "GET /teams/name/[team name]": models.Team.of,
    "POST /teams/[team id]/members": models.TeamMember.of,
    "POST /teams/members/invite": models.TeamMember.of,
    "GET /teams/[team id]/channels": list_of(models.Channel.of),
    "GET /users/me/teams/[team id]/channels": list_of(models.Channel.of),
    "POST /channels": models.Channel.of,
    "POST /channels/direct": models.Channel.of,
    "POST /channels/group": models.Channel.of,
    "GET /channels/[channel id]/members": list_of(models.ChannelMember.of),
    "GET /channels/[channel id]/members/me": models.ChannelMember.of,
    "POST /channels/[channel id]/members": models.ChannelMember.of,
    "GET /channels/[channel id]/posts": models.posts_of,
    "POST /posts": models.Post.of,
    "GET /posts/[post id]/files/info": list_of(models.FileInfo.of),
    "GET /roles/name/[role name]": models.Role.of,
    "POST /roles/names": list_of(models.Role.of),
    "POST /emoji": models.Emoji.of,
    "GET /emoji/name/[emoji name]": models.Emoji.of,
    "POST /hooks/incoming": models.IncomingWebhook.of,
    "POST /uploads": models.UploadSession.of,
    "GET /uploads/[upload id]": models.UploadSession.of,
    "POST /jobs": models.Job.of,
    "GET /jobs/[job id]": models.Job.of,
    "GET /limits/server": models.ServerLimits.of,
}


@pytest.mark.parametrize("version", ["5.37", "11.6"])
def test_what_real_servers_answered_is_read(version: str) -> None:
    """Every recorded good answer to a route that the client reads is of the shape that it reads."""
    read = set()
    for exchange in recorded(version):
        route = route_name(exchange["method"], exchange["path"])
        if route in DECODERS and exchange["status"] < 300:
            answer = Response(exchange["status"], exchange["response_headers"], exchange["response_body"].encode())
            decoded(route, "the server", answer, DECODERS[route])
            read.add(route)
    assert set(DECODERS) - read <= {"GET /limits/server"}  # which 5.37 has not


@pytest.mark.parametrize("version", ["5.37", "11.6"])
def test_what_real_servers_refused_is_an_api_error(version: str) -> None:
    """Every recorded error carries the route, the status and the server's error id, whatever its content type."""
    refused = [exchange for exchange in recorded(version) if exchange["status"] >= 400]
    assert len(refused) > 20
    for exchange in refused:
        route = route_name(exchange["method"], exchange["path"])
        answer = Response(exchange["status"], exchange["response_headers"], exchange["response_body"].encode())
        with pytest.raises(ApiError) as caught:
            decoded(route, "the server", answer, dict)
        assert (caught.value.route, caught.value.status) == (route, exchange["status"])
        assert caught.value.error_id == json.loads(exchange["response_body"])["id"]
        assert caught.value.kind == str(exchange["status"])


@pytest.mark.parametrize("version", ["5.37", "11.6"])
def test_posts_with_metadata_bring_their_files(version: str) -> None:
    """Where a server sends `metadata`, images are known from it; and the order is the server's."""
    pages = [e for e in recorded(version) if e["path"].endswith("/posts?page=0&per_page=60") and e["status"] == 200]
    data = json.loads(pages[-1]["response_body"])
    posts = models.posts_of(data)
    assert [post.id for post in posts] == data["order"]
    assert all(post.has_metadata for post in posts)
    assert [file.is_image for post in posts if post.files for file in post.files] == [True]


def test_a_post_without_metadata_says_so() -> None:
    """Older servers leave it out: its files are then unknown, which is not the same as none."""
    post = models.Post.of({"id": "p", "user_id": "u", "channel_id": "c", "file_ids": ["f"], "has_reactions": True})
    assert not post.has_metadata
    assert post.files is None
    assert post.file_ids == ("f",)
    assert post.has_reactions


async def test_login_keeps_the_token_and_shows_it_nowhere(connect: Any, raw_server: Any) -> None:
    """After the login every request carries the token, as Bearer header alone; no representation holds it."""

    async def script(exchange: Any) -> None:
        await exchange.answer(b'{"id":"u1","username":"user1"}', Token="s3cret")

    async with raw_server(script) as server, connect(server.url) as transport:
        client = Client(transport)
        user = await client.login("user1", SecretStr("Loadtestpassword1"))
        await client.users.me()
        assert user.username == "user1"
        assert client.token == SecretStr("s3cret")
        assert "s3cret" not in repr(client.token)
        login, me = server.requests
        assert json.loads(login.body) == {"login_id": "user1", "password": "Loadtestpassword1"}
        assert login.header("Authorization") is None
        assert me.header("Authorization") == "Bearer s3cret"
        assert me.header("Content-Type") is None


async def test_a_failed_login_leaves_no_token(answered: Answered) -> None:
    """A client that was logged in and is refused has no token any more."""
    async with answered(b'{"id":"api.user.login.inactive.app_error","message":"no"}', 401) as (client, _):
        with pytest.raises(ApiError, match=r"POST /users/login was answered 401 api\.user\.login\.inactive") as caught:
            await client.login("user1", "hush-hush")
        assert client.token is None
        assert "hush" not in str(caught.value)


async def test_a_login_without_token_header(answered: Answered) -> None:
    """A proxy that strips the header is named as a possible cause."""
    async with answered(b'{"id":"u","username":"n"}') as (client, _):
        with pytest.raises(UnexpectedAnswerError, match="without a Token header"):
            await client.login("user1", "x")


async def test_html_is_no_mattermost(answered: Answered) -> None:
    """A web page instead of JSON names who sent it and which key to check."""
    async with answered(b"<!DOCTYPE html><html>Hi", Server="nginx", Content_Type="text/html") as (client, server):
        for call in (client.users.me(), client.teams.my_unreads(), client.posts.page(ID)):
            with pytest.raises(UnexpectedAnswerError, match=r"HTML answered by nginx, .*ServerURL") as caught:
                await call
            assert f"{server.url} is not a Mattermost API" in str(caught.value)


async def test_a_foreign_404_is_no_mattermost(answered: Answered) -> None:
    """An error page of another program is not taken for the API's error."""
    async with answered(b"<html>Not Found</html>", 404, Server="Apache") as (client, _):
        with pytest.raises(UnexpectedAnswerError, match="HTML answered by Apache, status 404"):
            await client.users.me()


@pytest.mark.parametrize("status", [413, 429, 502, 503])
async def test_a_proxy_s_errors_count_by_status(answered: Answered, status: int) -> None:
    """What proxies say in their own words on the way to a Mattermost is an error of that status."""
    async with answered(b"<html><h1>no</h1></html>", status, Server="nginx") as (client, _):
        with pytest.raises(ApiError, match=f"answered {status}: an HTML page of nginx") as caught:
            await client.users.me()
        assert caught.value.kind == str(status)


async def test_a_redirect_names_its_target(answered: Answered) -> None:
    """The address that a server redirects to is what belongs into the configuration."""
    async with answered(b"", 301, Location="https://chat.example.com/") as (client, server):
        with pytest.raises(UnexpectedAnswerError, match=r"GET /users/me to https://chat\.example\.com/.*ServerURL"):
            await client.users.me()
        assert len(server.requests) == 1


@pytest.mark.parametrize("body", [b"", b"{", b'"text"', b"[1]", b'{"username":"x"}', b"\xff"])
async def test_json_of_another_shape(answered: Answered, body: bytes) -> None:
    """Broken JSON and JSON of another shape are no Mattermost's answers, and no traceback."""
    async with answered(body) as (client, _):
        with pytest.raises(UnexpectedAnswerError, match="ServerURL"):
            await client.users.me()


async def test_an_empty_list_may_be_null(answered: Answered) -> None:
    """Servers write null for some empty lists."""
    async with answered(b"null") as (client, _):
        assert await client.emojis.page() == ()


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"Retry-After": "30"}, 30.0),
        ({"Retry-After": "1.5"}, 1.5),
        ({"Retry-After": "-3"}, 0.0),
        ({"Retry-After": "31536000"}, 300.0),
        ({"Retry-After": "Thu, 21 Oct 2027 07:28:05 GMT", "Date": "Wed, 21 Oct 2026 07:28:00 GMT"}, 300.0),
        ({"Retry-After": "Wed, 21 Oct 2026 07:28:05 GMT", "Date": "Wed, 21 Oct 2026 07:28:00 GMT"}, 5.0),
        ({"Retry-After": "Wed, 21 Oct 2026 07:28:05 GMT"}, None),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "inf"}, None),
        ({}, None),
    ],
)
def test_how_long_to_wait(headers: dict[str, str], expected: float | None) -> None:
    """`Retry-After` is understood in both of its forms, and nonsense is none."""
    assert retry_after_s(headers) == expected


async def test_a_429_says_how_long_to_wait(answered: Answered) -> None:
    """A refused login carries the wait that the server asked for, though its body is plain text."""
    async with answered(b"limit exceeded\n", 429, retry_after="7") as (client, _):
        with pytest.raises(ApiError, match="limit exceeded") as caught:
            await client.login("user1", "x")
        assert caught.value.retry_after_s == 7.0


@pytest.mark.parametrize(
    ("version_id", "text", "licensed"),
    [
        (VERSION_ID, "11.6.0", False),
        ("5.37.0.dev.8c1ab7e7d346d8a40ddb2c0fd7a13768.false", "5.37.0", False),
        ("10.5.1.13567.abcdef.true", "10.5.1", True),
    ],
)
async def test_a_ping_tells_the_version(answered: Answered, version_id: str, text: str, licensed: bool) -> None:
    """The version stands in a header, and is compared by its numbers."""
    async with answered(b'{"status":"OK","database_status":"OK"}', X_Version_Id=version_id) as (client, server):
        status = await client.system.ping(with_status=True)
        assert (str(status.version), status.version.licensed) == (text, licensed)
        assert (status.status, status.database, status.file_store) == ("OK", "OK", "")
        assert "?get_server_status=true " in server.requests[0].head


@pytest.mark.parametrize("header", ["", "nginx", "a.b.c.d.false"])
async def test_a_ping_of_something_else(answered: Answered, header: str) -> None:
    """Without a version it is no Mattermost, whatever it answers."""
    async with answered(b'{"status":"OK"}', X_Version_Id=header) as (client, _):
        with pytest.raises(UnexpectedAnswerError, match="X-Version-Id"):
            await client.system.ping()


def test_versions_compare_by_number() -> None:
    """5.9 is older than 5.10, and 11.6 than 12."""
    assert ServerVersion(5, 10, 0).at_least(5, 9)
    assert not ServerVersion(5, 9, 0).at_least(5, 10)
    assert not ServerVersion(11, 6, 0).at_least(12)
    assert ServerVersion.of("5.37.0.5.37.0.0123456789abcdef.false").with_build == "5.37.0"
    assert ServerVersion.of("5.38.0.4711.0123456789abcdef.true").with_build == "5.38.0 build 4711"


async def test_a_webhook_needs_no_session(answered: Answered) -> None:
    """Posting by webhook goes to a path of its own, without the token, and is answered by plain text."""
    async with answered(b"ok", Content_Type="text/plain") as (client, server):
        await client.hooks.post(ID, "hello", username="bot")
        (exchange,) = server.requests
        assert exchange.head.startswith(f"POST /hooks/{ID} HTTP/1.1")
        assert exchange.header("Authorization") is None
        assert json.loads(exchange.body) == {"text": "hello", "username": "bot"}


async def test_an_upload_s_part_may_be_the_last(answered: Answered) -> None:
    """204 means that more is wanted, 200 that the upload is complete."""
    async with answered(b"", 204) as (client, _):
        assert not await client.uploads.send(ID, b"part")
    async with answered(b"{}", 200) as (client, _):
        assert await client.uploads.send(ID, b"part")


def test_a_form_is_what_browsers_send() -> None:
    """Fields first, then the file with its name and type, each behind the boundary that the header names."""
    body = encode_form({"channel_id": "c1"}, "files", "a.png", b"\x89PNG")
    boundary = CONTENT_TYPE.partition("boundary=")[2].encode()
    field, file = (
        b'\r\nContent-Disposition: form-data; name="channel_id"\r\n\r\nc1\r\n',
        b'\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\n'
        b"Content-Type: image/png\r\n\r\n\x89PNG\r\n",
    )
    assert body.split(b"--" + boundary) == [b"", field, file, b"--\r\n"]


def test_a_system_admin_is_known_by_its_role() -> None:
    """One role among several."""
    assert models.User("u", "n", roles="system_user system_admin").is_system_admin
    assert not models.User("u", "n", roles="system_user").is_system_admin


def test_svg_has_no_thumbnail() -> None:
    """The server makes thumbnails of all images but SVG."""
    assert models.FileInfo("f", "image/png").is_image
    assert not models.FileInfo("f", "image/svg+xml").is_image
    assert not models.FileInfo("f", "text/plain").is_image
