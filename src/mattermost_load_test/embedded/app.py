"""The web application of the embedded Mattermost: takes requests in, finds their handlers, sends answers out.

Handlers are plain functions on the state: between reading a body and sending the answer nothing waits, so no other
request sees a change half made.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Protocol

import orjson
from aiohttp import web

from mattermost_load_test.embedded import api_errors
from mattermost_load_test.embedded.answers import CLEARED_COOKIE, JSON, Answer
from mattermost_load_test.embedded.api_errors import ApiRefusal
from mattermost_load_test.embedded.call import Call
from mattermost_load_test.embedded.ids import SerialIds
from mattermost_load_test.embedded.route_table import ALL_ROUTES
from mattermost_load_test.embedded.routing import Route, Router
from mattermost_load_test.embedded.site import Publisher, Site
from mattermost_load_test.embedded.state import State

BODY_BYTES_MAX = 512 * 1024 * 1024
"""The largest body that is read at all; what a request may bring is decided by the configuration."""

PAGE = b"<!doctype html><html><head><title>Mattermost</title></head><body>An embedded Mattermost.</body></html>\n"
"""What stands where a real server has its web client."""

FILES_ONLY = ("/static/", "/plugins/")
"""Where a real server has files of its web client and of plugins, and nothing else."""

SITE = web.AppKey("site", Site)
"""Where an application keeps its site."""

HANDLER = web.RequestKey("mattermost_handler", str)
"""Where a request notes which handler answered it, by the server's name for it, for the metrics."""


class AppOptions(Protocol):
    """What the application needs to know of the server's options."""

    @property
    def post_metadata(self) -> bool:
        """Whether posts carry `metadata`."""


def build_app(state: State, hub: Publisher, options: AppOptions) -> web.Application:
    """Make the web application of a server; its `Site` is found under `SITE`.

    The websocket route is not in it: it is added by who serves sockets.
    """
    site = Site(state, hub, post_metadata=options.post_metadata)
    front = _Front(site)
    app = web.Application(client_max_size=BODY_BYTES_MAX)
    app[SITE] = site
    app.router.add_route("*", "/{tail:.*}", front.handle)
    app.cleanup_ctx.append(_work)
    return app


async def _work(app: web.Application) -> AsyncIterator[None]:
    """Carry out jobs while the application runs."""
    task = asyncio.create_task(app[SITE].jobs.run())
    yield
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


class _Front:
    """Answers every request of a site."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._router = Router(ALL_ROUTES, site.version.name)
        self._next_request_id = SerialIds(site.new_id())

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one request."""
        found = self._router.find(request.method, request.path)
        if found is None:
            return self._unrouted(request)
        route, params = found
        request[HANDLER] = route.name
        body = await request.read() if request.can_read_body else b""
        call = Call(self._site, params, request.query_string, request.headers, body)
        request_id = self._next_request_id()
        try:
            answer = self._answer(route, call, request)
        except ApiRefusal as refusal:
            answer = self._refused(refusal, request_id)
        headers = {
            "Content-Type": answer.content_type,
            "X-Request-Id": request_id,
            "X-Version-Id": self._site.version_id(),
        }
        if request.method == "GET":
            headers["Expires"] = "0"
        if not route.root or self._site.version.modern:
            headers["Vary"] = "Accept-Encoding"
        headers.update(answer.headers)
        return web.Response(status=answer.status, body=answer.body, headers=headers)

    def _answer(self, route: Route, call: Call, request: web.Request) -> Answer:
        token = _token(request)
        if token:
            call.session = self._site.state.session_by_token(token)
            if call.session is None and route.session:
                raise api_errors.no_session(f"token={token}", clears_cookie=True)
        if route.session and call.session is None:
            raise api_errors.no_session("UserRequired")
        return route.handler(call)

    def _refused(self, refusal: ApiRefusal, request_id: str) -> Answer:
        body = {
            "id": refusal.error_id,
            "message": refusal.message,
            "detailed_error": refusal.details if self._site.version.details_in_errors else "",
            "request_id": request_id,
            "status_code": refusal.status,
        }
        headers = {"Set-Cookie": CLEARED_COOKIE} if refusal.clears_cookie else {}
        return Answer(refusal.status, orjson.dumps(body), JSON, headers)

    def _unrouted(self, request: web.Request) -> web.Response:
        """Answer where no route is: with the API's own 404 below ``/api/``, elsewhere with the web client's page."""
        path = request.path
        if path.startswith("/api/"):
            return self._no_such_page(path)
        if path.startswith(FILES_ONLY):
            return web.Response(status=404, text="404 page not found\n")
        return self._page() if request.method == "GET" else web.Response(status=405)

    def _page(self) -> web.Response:
        """Give the page that stands for the web client, as the server does at every address that is not the API's."""
        headers = {"Cache-Control": "no-cache, max-age=31556926, public", "X-Frame-Options": "SAMEORIGIN"}
        return web.Response(body=PAGE, headers={"Content-Type": "text/html; charset=utf-8", **headers})

    def _no_such_page(self, path: str) -> web.Response:
        body = {
            "id": "api.context.404.app_error",
            "message": "Sorry, we could not find the page.",
            "detailed_error": f"There doesn't appear to be an api call for the url='{path}'.  "
            "Typo? are you missing a team_id or user_id as part of the url?",
            "status_code": 404,
        }
        content_type = JSON if self._site.version.modern else "text/plain; charset=utf-8"
        return web.Response(status=404, body=orjson.dumps(body), headers={"Content-Type": content_type})


def _token(request: web.Request) -> str:
    """Return the session token that a request brings: cookie before header, as the server looks for it."""
    cookie = request.headers.get("Cookie")
    if cookie and "MMAUTHTOKEN" in cookie:
        return request.cookies.get("MMAUTHTOKEN", "")
    authorization = request.headers.get("Authorization", "")
    if len(authorization) > 6:
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() in ("bearer", "token"):
            return token
    return ""
