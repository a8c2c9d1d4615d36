"""The recorded cuts, closes and resumptions of one socket, played step by step against the embedded server."""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

import pytest
from tests.embedded.frames import differences, read_frames
from tests.embedded.matching import Ids

if TYPE_CHECKING:
    from tests.conftest import AddPerson, Person, Socket, StartServer

    from mattermost_load_test.embedded.server import EmbeddedServer

DEADLINE_S = 10


class Play:
    """One socket of one user, and another user who posts."""

    def __init__(self, server: EmbeddedServer, user: Person, poster: Person, channel_id: str) -> None:
        self.server = server
        self.user = user
        self.poster = poster
        self.channel_id = channel_id
        self.socket: Socket | None = None
        self.seen = 0
        self._open = AsyncExitStack()

    async def step(self, name: str, step: dict[str, Any], ids: Ids) -> None:
        """Do what was done then."""
        if name == "res0 opens a socket":
            self.socket = await self._open.enter_async_context(self.user.socket(ids.translate(step["query"])))
            self.seen = 0
        elif name == "user res1 posts":
            await self.poster.ask("POST", "/posts", {"channel_id": self.channel_id, "message": step["message"]})
        elif name == "res0's connection is cut without a close frame":
            (await self._quiet()).cut()
            await self._until_gone()
        elif name == "res0 closes the socket":
            if self._current.closed is None:
                await (await self._quiet()).connection.close()
            await self._until_gone()
        elif name == "closed by the server":
            assert (await self._current.until_closed()).rcvd is None
            assert step["error"] == "no close frame received or sent"
        else:
            raise AssertionError(f"unknown step {name}")

    async def next_event(self) -> dict[str, Any]:
        """Give the event after the last one."""
        socket = self._current
        await socket.until(lambda: len(socket.events) > self.seen)
        self.seen += 1
        return socket.events[self.seen - 1]

    async def stop(self) -> None:
        """Close all sockets."""
        await self._open.aclose()

    @property
    def _current(self) -> Socket:
        assert self.socket is not None
        return self.socket

    async def _quiet(self) -> Socket:
        """Give the socket after making sure that nothing came that was not recorded."""
        await self._current.ask("ping")
        assert self._current.events[self.seen :] == []
        return self._current

    async def _until_gone(self) -> None:
        async with asyncio.timeout(DEADLINE_S):
            while self.server.hub.has_socket(self.user.id):  # noqa: ASYNC110 - the server has no event for it
                await asyncio.sleep(0)


@pytest.mark.parametrize("version", ["5.37", "11.6"])
async def test_resumption_as_recorded(version: str, start_server: StartServer, add_person: AddPerson) -> None:
    """After each step the socket gets exactly the recorded frames, with the recorded numbers and no others."""
    server = await start_server(version=version)
    admin = await add_person(server, "admin")
    team = await admin.ask("POST", "/teams", {"name": "team", "display_name": "Team", "type": "O"})
    channel = await admin.ask("GET", f"/teams/{team['id']}/channels/name/town-square")
    user, poster = [await add_person(server, name, by=admin) for name in ("res0", "res1")]
    for person in (user, poster):
        await admin.ask("POST", f"/teams/{team['id']}/members", {"team_id": team["id"], "user_id": person.id})
    play, ids = Play(server, user, poster, channel["id"]), Ids()
    try:
        for line, entry in enumerate(read_frames(f"websocket-resume-{version}"), start=1):
            if "step" in entry:
                await play.step(entry["step"], entry, ids)
            else:
                found = differences(ids, json.loads(entry["frame"]), await play.next_event())
                assert not found, f"line {line}: {found}"
    finally:
        await play.stop()
