"""Further sessions of a real 5.37: what was asked of it, and of each answer and event what must come again.

Each line of ``tests/data/sessions`` is one request to a server with an admin: who makes it (`as`), method and path
(`ask`), the body (`json` or `raw`), what to keep of the answer (`save`: name → path into it) and what is expected:
`status` and `error` id, or the `keys` of the answer (of its first row) and its `length`, and the `events` that each
socket gets. ``{name}`` stands for what was kept before, ``{x*99}`` for 99 times x. An ``open`` line opens sockets.
Lines without a `status` are only played: what the real server did there is chance, or not to be had here.
"""

from __future__ import annotations

import json
import re
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from tests.conftest import PASSWORD, Person, Socket

if TYPE_CHECKING:
    from tests.conftest import StartServer

    from mattermost_load_test.embedded.server import EmbeddedServer

DATA = Path(__file__).parent.parent / "data" / "sessions"

SUFFIX = "r1"
"""What the names of accounts, teams and channels of a session end in."""


class Session:
    """A session under way."""

    def __init__(self, server: EmbeddedServer, http: aiohttp.ClientSession, sockets: AsyncExitStack) -> None:
        self.server = server
        self.http = http
        self.kept: dict[str, str] = {"r": SUFFIX, "tn": f"t{SUFFIX}", "admin": ""}
        self.kept |= {f"n{who}": f"{who}{SUFFIX}" for who in "abcx"}
        self.tokens: dict[str, str] = {}
        self.sockets: dict[str, Socket] = {}
        self._opened = sockets

    def filled(self, value: Any) -> Any:
        """Put what was kept for its names."""
        if isinstance(value, str):
            value = re.sub(r"\{(\w)\*(\d+)\}", lambda found: found[1] * int(found[2]), value)
            return re.sub(r"\{(\w+)\}", lambda found: self.kept.get(found[1], found[0]), value)
        if isinstance(value, dict):
            return {self.filled(key): self.filled(item) for key, item in value.items()}
        return [self.filled(item) for item in value] if isinstance(value, list) else value

    async def play(self, line: dict[str, Any]) -> list[str]:
        """Play one line; list what is not as it should be."""
        if "open" in line:
            for who in line["open"]:
                person = Person(self.server, self.http, "", self._token(who))
                self.sockets[who] = await self._opened.enter_async_context(person.socket())
            await self._events()
            return []
        status, answer = await self._ask(line)
        for name, place in line.get("save", {}).items():
            self._keep(name, place, answer)
        events = await self._events()
        return list(_differences(line, status, answer, events)) if "status" in line else []

    async def _ask(self, line: dict[str, Any]) -> tuple[int, Any]:
        method, path = line["ask"].split(" ", 1)
        url = self.server.url + ("" if "root" in line else "/api/v4") + self.filled(path)
        headers = {key: self.filled(value) for key, value in line.get("headers", {}).items()}
        if line["as"]:
            headers["Authorization"] = f"Bearer {self._token(line['as'])}"
        data = None
        if "json" in line:
            data = json.dumps(self.filled(line["json"])).encode()
            headers.setdefault("Content-Type", "application/json")
        elif "raw" in line:
            data = self.filled(line["raw"]).encode("latin-1")
        async with self.http.request(method, url, data=data, headers=headers, allow_redirects=False) as response:
            content = await response.read()
            if "Token" in response.headers:
                self.tokens[self.filled(line["json"]).get("login_id", "")] = response.headers["Token"]
            try:
                return response.status, json.loads(content)
            except ValueError:
                return response.status, None

    def _token(self, who: str) -> str:
        return self.tokens[self.kept.get(f"n{who}", who)]

    def _keep(self, name: str, place: str, answer: Any) -> None:
        for part in place.split("."):
            try:
                answer = answer[int(part)] if isinstance(answer, list) else answer[part]
            except (KeyError, IndexError, TypeError):
                return
        self.kept[name] = answer

    async def _events(self) -> dict[str, list[str]]:
        """Give the names of the events that came at each socket that is open still."""
        names = {}
        for who, socket in list(self.sockets.items()):
            if socket.closed is None:
                names[who] = sorted([event["event"] for event in await socket.news()])
        return {who: found for who, found in names.items() if found}


def _differences(line: dict[str, Any], status: int, answer: Any, events: dict[str, list[str]]) -> list[str]:
    if status != line["status"]:
        return [f"status {status} instead of {line['status']}: {str(answer)[:200]}"]
    found = []
    if "error" in line and answer["id"] != line["error"]:
        found.append(f"error {answer['id']} instead of {line['error']}")
    if "length" in line and len(answer) != line["length"]:
        found.append(f"{len(answer)} items instead of {line['length']}")
    first = answer[0] if isinstance(answer, list) and answer else answer
    if "keys" in line and sorted(first) != line["keys"]:
        found.append(f"keys {sorted(set(first) ^ set(line['keys']))}")
    if events != line.get("events", {}):
        found.append(f"events {events} instead of {line.get('events', {})}")
    return found


@pytest.mark.parametrize("name", sorted(path.stem for path in DATA.glob("*.jsonl")))
async def test_a_session_goes_as_on_a_real_server(name: str, start_server: StartServer) -> None:
    """Each request has the real server's status, error id and shape, and each socket is told as much."""
    server = await start_server(version="5.37")
    lines = [json.loads(line) for line in (DATA / f"{name}.jsonl").read_text().splitlines()]
    found, checked = [], 0
    async with AsyncExitStack() as sockets, aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:
        session = Session(server, http, sockets)
        account = {"username": "admin", "email": "admin@example.com", "password": PASSWORD}
        session.kept["admin"] = (await Person(server, http, "", "").ask("POST", "/users", account))["id"]
        for number, line in enumerate(lines, start=1):
            checked += "status" in line
            found += [f"{number} {line.get('as')} {line.get('ask')}: {what}" for what in await session.play(line)]
    assert not found, "\n".join(found)
    assert checked > 0.95 * len(lines)
