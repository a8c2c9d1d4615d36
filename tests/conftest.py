"""What tests of all parts share: embedded Mattermost servers on free ports, and people who use them."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

if TYPE_CHECKING:
    from mattermost_load_test.embedded.server import EmbeddedServer

DEADLINE_S = 10.0
"""How long a test waits for something that must happen."""

PASSWORD = "Loadtestpassword1"


def pytest_configure(config: pytest.Config) -> None:
    """Take Ctrl-C where it is ignored, as of what a script starts by ``&``: programs of tests inherit that."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Say how many workers `-n auto` starts: two a core, since most tests wait for other programs."""
    return 2 * (os.cpu_count() or 1)


LONGEST = ("kubernetes", "aws", "hosts")
"""The groups of tests that take longest, each by one worker."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put first what takes long, so that none of it is all that is left at the end: the longest groups, slow tests."""
    items.sort(key=lambda item: (_group(item) not in LONGEST, item.get_closest_marker("slow") is None))


def _group(item: pytest.Item) -> str:
    """Return the name of a test's group, nothing for one that has none."""
    mark = item.get_closest_marker("xdist_group")
    return str(mark.args[0] if mark.args else mark.kwargs["name"]) if mark else ""


StartServer = Callable[..., Awaitable["EmbeddedServer"]]
"""Starts a server with the given `ServerOptions`; it is stopped when the test ends."""


@pytest.fixture
async def start_server() -> AsyncIterator[StartServer]:
    """Give what starts embedded servers; its arguments are those of `ServerOptions`."""
    from mattermost_load_test.embedded.server import ServerOptions, serve  # only tests that use a server pay for it

    async with AsyncExitStack() as running:

        async def start(**options: Any) -> EmbeddedServer:
            return await running.enter_async_context(serve(ServerOptions(**options)))

        yield start


@pytest.fixture
async def embedded(start_server: StartServer) -> EmbeddedServer:
    """Give an embedded server just installed, of the newest version, on a free port."""
    return await start_server()


class Socket:
    """A websocket that reads all the time; it has a request's answer and all that was sent before it."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection
        self.frames: list[dict[str, Any]] = []
        self.texts: list[str] = []
        self.closed: ConnectionClosed | None = None
        self._seen = 0
        self._seq = 0
        self._changed = asyncio.Event()

    async def read(self) -> None:
        """Read until the socket ends."""
        try:
            while True:
                text = await self.connection.recv()
                assert isinstance(text, str)
                self.texts.append(text)
                self.frames.append(json.loads(text))
                self._changed.set()
        except ConnectionClosed as error:
            self.closed = error
            self._changed.set()

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait until a condition holds that depends on what was received."""
        async with asyncio.timeout(DEADLINE_S):
            while not condition():
                assert self.closed is None, f"closed before it happened: {self.closed}"
                self._changed.clear()
                await self._changed.wait()

    async def until_closed(self) -> ConnectionClosed:
        """Wait until the server ends the socket."""
        async with asyncio.timeout(DEADLINE_S):
            while self.closed is None:
                self._changed.clear()
                await self._changed.wait()
        return self.closed

    async def ask(self, action: str, **data: Any) -> dict[str, Any]:
        """Send an action and give its reply."""
        self._seq += 1
        seq = self._seq
        await self.connection.send(json.dumps({"seq": seq, "action": action, "data": data}))
        await self.until(lambda: any(frame.get("seq_reply") == seq for frame in self.frames))
        return next(frame for frame in self.frames if frame.get("seq_reply") == seq)

    @property
    def events(self) -> list[dict[str, Any]]:
        """All events that came."""
        return [frame for frame in self.frames if "event" in frame]

    async def news(self) -> list[dict[str, Any]]:
        """Give the events that came since the last time, all that the server has published until now included."""
        await self.ask("ping")
        new = [frame for frame in self.frames[self._seen :] if "event" in frame]
        self._seen = len(self.frames)
        return new

    async def names(self) -> list[str]:
        """Give the names of the events that came since the last time."""
        return [frame["event"] for frame in await self.news()]

    def cut(self) -> None:
        """Break the connection without a close frame."""
        self.connection.transport.abort()


@dataclass(frozen=True)
class Person:
    """A user of a server, logged in."""

    server: EmbeddedServer
    http: aiohttp.ClientSession
    id: str
    token: str

    async def ask(self, method: str, path: str, body: Any = None, *, status: int | None = None) -> Any:
        """Make a request below ``/api/v4`` and give the decoded answer, which has `status`, else is no error."""
        url = f"{self.server.url}/api/v4{path}"
        headers = {"Authorization": f"Bearer {self.token}"}
        async with self.http.request(method, url, json=body, headers=headers) as response:
            text = await response.text()
            assert response.status == status if status else response.status < 400, f"{method} {path}: {text}"
            return json.loads(text) if response.content_type == "application/json" else text

    @asynccontextmanager
    async def socket(self, query: str = "", *, authorized: bool = True) -> AsyncIterator[Socket]:
        """Open a websocket, by token unless not `authorized`."""
        headers = {"Authorization": f"Bearer {self.token}"} if authorized else {}
        url = self.server.websocket_url + query
        async with connect(url, additional_headers=headers, compression=None, ping_interval=None) as connection:
            socket = Socket(connection)
            reading = asyncio.create_task(socket.read())
            try:
                yield socket
            finally:
                reading.cancel()
                await asyncio.gather(reading, return_exceptions=True)


AddPerson = Callable[..., Awaitable["Person"]]
"""Makes an account of the given name on a server (by the admin given, the first account needs none) and logs in."""


@pytest.fixture
async def add_person() -> AsyncIterator[AddPerson]:
    """Give what makes people: accounts that are logged in."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:

        async def add(server: EmbeddedServer, username: str, *, by: Person | None = None, email: str = "") -> Person:
            maker = by or Person(server, http, "", "")
            account = {"username": username, "email": email or f"{username}@example.com", "password": PASSWORD}
            user = await maker.ask("POST", "/users", account)
            return await log_in(server, http, username, user["id"])

        yield add


async def log_in(server: EmbeddedServer, http: aiohttp.ClientSession, username: str, user_id: str) -> Person:
    """Log in and give who it is."""
    body = {"login_id": username, "password": PASSWORD}
    async with http.post(f"{server.url}/api/v4/users/login", json=body) as response:
        assert response.status == 200, await response.text()
        return Person(server, http, user_id, response.headers["Token"])


PROFILES_PROGRAM = Path(__file__).parent / "pprof_server" / "main.go"
BUILD_S = 60.0


@pytest.fixture(scope="session")
def go() -> str:
    """Give the command `go`, or skip with the command that installs it."""
    found = shutil.which("go")
    if found is None:
        assert os.environ.get("CI") != "true", "CI installs Go, see .ci/run"
        pytest.skip("no Go here: apt-get install golang-go")
    return found


@pytest.fixture(scope="session")
def go_program(go: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the program that gives profiles."""
    program = tmp_path_factory.mktemp("pprof") / "server"
    subprocess.run([go, "build", "-o", program, PROFILES_PROGRAM], check=True, cwd=program.parent, timeout=BUILD_S)
    return program


@pytest.fixture
async def pprof_url(go_program: Path) -> AsyncIterator[str]:
    """Run the program and give the address of its profiles."""
    process = await asyncio.create_subprocess_exec(go_program, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    async with asyncio.timeout(DEADLINE_S):
        address = (await process.stdout.readline()).decode().strip()
    yield f"http://{address}/debug/pprof"
    process.kill()
    await process.communicate()
