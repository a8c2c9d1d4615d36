"""Benchmark 4: what the embedded server costs as a target, a request and an event, beside bare servers that do nothing.

The peers answer as many bytes from one bare aiohttp handler, and send frames of the same size from a bare `websockets`
server: what is more than theirs is what it costs to be a Mattermost. The servers are processes of their own, and only
their CPU counts.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from functools import partial

import click
import uvloop
from aiohttp import web
from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection, broadcast
from websockets.asyncio.server import serve as serve_websockets

from bench.measuring import Figures, in_turns
from bench.tables import Table, show
from mattermost_load_test.mattermost.opening import open_transport
from mattermost_load_test.mattermost.transport import Request, Transport, TransportOptions

LISTENERS, IN_FLIGHT, POSTS = 100, 16, 60
PASSWORD = "Loadtestpassword1"
TICKS_PER_S = os.sysconf("SC_CLK_TCK")
GOALS = {"requests": 3_000, "events": 20_000}
"""How much a core should serve in a second (the issue's goals): simple requests, and events."""

READS = {
    "GET /system/ping": "/system/ping",
    "GET /users/me": "/users/me",
    "GET /users/me/teams/unread": "/users/me/teams/unread",
    "GET /channels/{id}/stats": "/channels/{channel}/stats",
    "GET /channels/{id}/members, 60 of them": "/channels/{channel}/members?per_page=60",
    "GET /channels/{id}/posts, 60 of them": "/channels/{channel}/posts?per_page=60",
}
"""The routes that are measured, by their names."""


@dataclass(frozen=True, slots=True)
class Server:
    """A server under test: where it is (HTTP, then websockets), and the process that it is."""

    urls: tuple[str, ...]
    pid: int

    def cpu_s(self) -> float:
        """Return the CPU seconds, of user and system, that it has used."""
        with open(f"/proc/{self.pid}/stat", encoding="ascii") as stat:  # noqa: PTH123 — read often, kept cheap
            fields = stat.read().rpartition(") ")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS_PER_S


@contextmanager
def running(*arguments: str) -> Iterator[Server]:
    """Run a server whose first line of output ends in its URLs."""
    with subprocess.Popen([sys.executable, "-m", *arguments], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None  # it is a pipe
            urls = tuple(word for word in process.stdout.readline().split() if "://" in word)
            if not urls:
                raise click.ClickException(f"{arguments[0]} did not start; what it said stands above")
            yield Server(urls, process.pid)
        finally:
            process.terminate()


async def asked(transport: Transport, token: str, method: str, path: str, body: object = None) -> bytes:
    """Make a request and return the answer's body; anything but a 2xx ends the benchmark."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    content = json.dumps(body).encode() if body is not None else None
    answer = await transport.send(Request(method, path, path, content, headers))
    if not 200 <= answer.status < 300:
        raise click.ClickException(f"{method} {path} was answered {answer.status}: {answer.body[:200]!r}")
    return answer.body


@dataclass(frozen=True, slots=True)
class Ground:
    """What is there on the server: a channel with posts, and the sessions of its members, an admin's first."""

    channel_id: str
    tokens: tuple[str, ...]


async def prepare(url: str) -> Ground:
    """Fill an empty server."""
    async with open_transport(TransportOptions(url)) as transport:
        _, admin = await _account(transport, "", "admin")
        team = {"name": "bench", "display_name": "Bench", "type": "O"}
        team_id = json.loads(await asked(transport, admin, "POST", "/api/v4/teams", team))["id"]
        tokens = [admin]
        for number in range(LISTENERS):
            user_id, token = await _account(transport, admin, f"user{number}")
            member = {"team_id": team_id, "user_id": user_id}
            await asked(transport, admin, "POST", f"/api/v4/teams/{team_id}/members", member)
            tokens.append(token)
        channel = {"team_id": team_id, "name": "bench", "display_name": "Bench", "type": "O"}
        channel_id = json.loads(await asked(transport, admin, "POST", "/api/v4/channels", channel))["id"]
        for token in tokens[1:]:
            own = json.loads(await asked(transport, token, "GET", "/api/v4/users/me"))["id"]
            await asked(transport, token, "POST", f"/api/v4/channels/{channel_id}/members", {"user_id": own})
        for _ in range(POSTS):
            await asked(transport, admin, "POST", "/api/v4/posts", _post(channel_id))
    return Ground(channel_id, tuple(tokens))


async def _account(transport: Transport, by: str, name: str) -> tuple[str, str]:
    """Make an account; return its id and a session of it."""
    account = {"username": name, "email": f"{name}@example.com", "password": PASSWORD}
    user = json.loads(await asked(transport, by, "POST", "/api/v4/users", account))
    login = json.dumps({"login_id": name, "password": PASSWORD}).encode()
    answer = await transport.send(Request("POST", "/api/v4/users/login", "login", login))
    return user["id"], answer.headers["Token"]


def _post(channel_id: str) -> dict[str, str]:
    return {"channel_id": channel_id, "message": "lorem ipsum dolor sit amet " * 9}


async def requests(server: Server, path: str, token: str, seconds: float) -> Figures:
    """Ask for a path as fast as a few connections can, and return what that cost the server."""
    async with open_transport(TransportOptions(server.urls[0])) as transport:
        size = len(await asked(transport, token, "GET", path))
        before_s, done, until = server.cpu_s(), 0, time.perf_counter() + seconds

        async def ask_again_and_again() -> None:
            nonlocal done
            while time.perf_counter() < until:
                await asked(transport, token, "GET", path)
                done += 1

        async with asyncio.TaskGroup() as tasks:
            for _ in range(IN_FLIGHT):
                tasks.create_task(ask_again_and_again())
        return {"cpu_s": server.cpu_s() - before_s, "done": done, "size": size}


class Listeners:
    """Websockets that only count what they get."""

    def __init__(self) -> None:
        self.events = 0
        self.bytes = 0
        self._more = asyncio.Event()

    async def listen(self, connection: ClientConnection) -> None:
        """Read until the end."""
        async for frame in connection:
            self.events += 1
            self.bytes += len(frame)
            self._more.set()

    async def until(self, events: int) -> None:
        """Wait until there have been so many events."""
        while self.events < events:
            self._more.clear()
            await self._more.wait()


async def events(
    server: Server, listening: str, tokens: tuple[str, ...], ask: tuple[str, object], seconds: float
) -> Figures:
    """Let something be told to all listeners again and again, and return what that cost the server."""
    listeners = Listeners()
    path, body = ask
    async with AsyncExitStack() as stack, open_transport(TransportOptions(server.urls[0])) as transport:
        tasks = await stack.enter_async_context(asyncio.TaskGroup())
        reading = []
        for token in tokens[1:]:
            headers = {"Authorization": f"Bearer {token}"}
            connection = await stack.enter_async_context(
                connect(listening, additional_headers=headers, compression=None)
            )
            reading.append(tasks.create_task(listeners.listen(connection)))
        await asyncio.sleep(0.5)  # what connecting itself tells the others has come by then
        start, before_s, until = listeners.events, server.cpu_s(), time.perf_counter() + seconds
        while time.perf_counter() < until:
            goal = listeners.events + len(reading)
            await asked(transport, tokens[0], "POST", path, body)
            await listeners.until(goal)
        figures = {"cpu_s": server.cpu_s() - before_s, "done": listeners.events - start}
        figures["size"] = listeners.bytes / max(1, listeners.events)
        for task in reading:
            task.cancel()
    return figures


async def serve_bare() -> None:
    """Run the peers: ``GET /bytes/N`` answers N bytes, ``POST /tell/N`` sends N bytes to all websockets."""
    answers: dict[str, bytes] = {}
    sockets: set[ServerConnection] = set()

    async def answer(request: web.Request) -> web.Response:
        size = request.match_info["size"]
        body = answers.setdefault(size, b"x" * int(size))
        return web.Response(body=body, headers={"Content-Type": "application/json"})

    async def tell(request: web.Request) -> web.Response:
        await request.read()
        broadcast(sockets, "x" * int(request.match_info["size"]))
        return web.Response(status=201)

    async def hold(connection: ServerConnection) -> None:
        sockets.add(connection)
        await connection.wait_closed()
        sockets.discard(connection)

    app = web.Application()
    app.add_routes([web.get("/bytes/{size}", answer), web.post("/tell/{size}", tell)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    async with serve_websockets(hold, "127.0.0.1", 0, compression=None) as websockets:
        http_port, socket_port = runner.addresses[0][1], websockets.sockets[0].getsockname()[1]
        print(f"http://127.0.0.1:{http_port} ws://127.0.0.1:{socket_port}", flush=True)
        await asyncio.Event().wait()


def table_of(title: str, what: str, goal: int, figures: Mapping[str, Mapping[str, float]]) -> Table:
    """Return a table of what `what` (requests, events) cost, each beside its peer; rows come in pairs."""
    rows = []
    names = list(figures)
    for name, peer in zip(names[::2], names[1::2], strict=True):
        cost_us, bare_us = (figures[key]["cpu_s"] / figures[key]["done"] * 1e6 for key in (name, peer))
        reached = "yes" if 1e6 / cost_us >= goal else "no"
        size = f"{figures[name]['size']:,.0f}"
        row = (
            name,
            size,
            f"{cost_us:.0f}",
            f"{1e6 / cost_us:,.0f}",
            f"{bare_us:.0f}",
            f"{cost_us / bare_us:.1f}",
            reached,
        )
        rows.append(row)
    columns = ("", "bytes", "CPU µs", f"{what}/s a core", "bare µs", "× bare", f"≥ {goal:,}/s")
    return Table(title, columns, rows)


def measure(server: Server, bare: Server, ground: Ground, rounds: int, seconds: float) -> None:
    """Measure and show."""
    loads: dict[str, Callable[[], Figures]] = {}
    for name, template in READS.items():
        path = "/api/v4" + template.format(channel=ground.channel_id)
        size = uvloop.run(requests(server, path, ground.tokens[0], 0.1))["size"]
        loads[name] = partial(_run, requests, server, path, ground.tokens[0], seconds)
        loads[f"{name}, bare"] = partial(_run, requests, bare, f"/bytes/{size:.0f}", "", seconds)
    show(table_of("Requests", "requests", GOALS["requests"], in_turns(loads, rounds)))
    address = server.urls[0].replace("http", "ws", 1) + "/api/v4/websocket"
    post = ("/api/v4/posts", _post(ground.channel_id))
    size = uvloop.run(events(server, address, ground.tokens, post, 0.1))["size"]
    loads = {
        f"a post told to {LISTENERS}": partial(_run, events, server, address, ground.tokens, post, seconds),
        "bare": partial(_run, events, bare, bare.urls[1], ground.tokens, (f"/tell/{size:.0f}", {}), seconds),
    }
    show(
        table_of(
            "Websocket events, the posts that cause them included", "events", GOALS["events"], in_turns(loads, rounds)
        )
    )


def _run(load: Callable[..., object], *arguments: object) -> Figures:
    figures: Figures = uvloop.run(load(*arguments))  # type: ignore[arg-type]
    return figures


@click.command()
@click.option("--rounds", default=5, show_default=True, help="How often each load runs; the medians are shown.")
@click.option("--seconds", default=3.0, show_default=True, help="How long each run is measured.")
@click.option("--server-version", default="11.6", show_default=True, help="Which Mattermost the embedded one plays.")
@click.option("--serve-bare", "bare", is_flag=True, help="Be the peers instead.")
def main(rounds: int, seconds: float, server_version: str, bare: bool) -> None:
    """CPU per request and event of the embedded server, beside a bare aiohttp and a bare websockets server."""
    if bare:
        uvloop.run(serve_bare())
        return
    server = (
        "mattermost_load_test.loadtest.cli",
        "server",
        "--empty",
        "--port",
        "0",
        "--server-version",
        server_version,
    )
    with running(*server) as embedded, running("bench.embedded", "--serve-bare") as peers:
        measure(embedded, peers, uvloop.run(prepare(embedded.urls[0])), rounds, seconds)


if __name__ == "__main__":
    main()
