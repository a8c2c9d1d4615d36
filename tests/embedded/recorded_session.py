"""A recorded session played again, its requests together with the two sockets that were open in it.

The recording of the sockets only tells the last exchange that was answered when a frame arrived: its cause is that one
or the next.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from itertools import permutations
from typing import TYPE_CHECKING, Any

import aiohttp
from tests.conftest import Person, Socket
from tests.embedded.frames import differences, read_frames
from tests.embedded.matching import Ids
from tests.embedded.recording import SOCKETS_OPEN_AFTER
from tests.embedded.replay import Replay

if TYPE_CHECKING:
    from mattermost_load_test.embedded.server import EmbeddedServer

ACTORS = ("user0", "user1")


@dataclass(frozen=True)
class Recorded:
    """A frame as it was recorded: the `place`th of its socket, after the answer to exchange `after`."""

    place: int
    after: int
    frame: dict[str, Any]

    @property
    def name(self) -> str:
        """The event's name."""
        return str(self.frame["event"])


class Watcher:
    """One actor's socket, and what its counterpart got."""

    def __init__(self, actor: str, socket: Socket, expected: list[Recorded]) -> None:
        self.actor = actor
        self.socket = socket
        self.expected = expected
        self._latest = -1

    async def check(self, ids: Ids, n: int) -> list[str]:
        """Compare the events that exchange `n` caused with those recorded around it; list the differences."""
        news = await self.socket.news()
        pairs, found = [], []
        for name in dict.fromkeys(event["event"] for event in news):
            ours = [event for event in news if event["event"] == name]
            due = [recorded for recorded in self.expected if recorded.name == name and recorded.after in (n - 1, n)]
            found += [f"{name} was not recorded"] * (len(ours) - len(due))
            pairs.append((due[: len(ours)], ours[: len(due)]))
        found += [line for due, ours in pairs for line in _best(ids, due, ours)]
        matched = [recorded for due, _ in pairs for recorded in due]
        found += [f"{recorded.name} came earlier then" for recorded in matched if recorded.place < self._latest]
        self._latest = max((recorded.place for recorded in matched), default=self._latest)
        self.expected = [recorded for recorded in self.expected if recorded not in matched]
        return [f"{self.actor} {line}" for line in found + self._overdue(n)]

    def _overdue(self, n: int) -> list[str]:
        """List what was recorded before exchange `n` was answered and has not come; it is not waited for any more."""
        missing = [recorded for recorded in self.expected if recorded.after < n]
        self.expected = [recorded for recorded in self.expected if recorded.after >= n]
        return [f"{recorded.name} is missing" for recorded in missing]


def _best(ids: Ids, due: list[Recorded], ours: list[dict[str, Any]]) -> list[str]:
    """Pair recorded events of one name and cause with ours, whatever their order, so that they differ least."""
    tries = []
    for order in permutations(ours):
        tried = Ids()
        tried.ours = dict(ids.ours)
        pairs = zip(due, order, strict=True)
        found = [line for old, new in pairs for line in differences(tried, _unnumbered(old.frame), _unnumbered(new))]
        tries.append((found, tried.ours))
    found, ids.ours = min(tries, key=lambda attempt: len(attempt[0]))
    return found


def _unnumbered(frame: dict[str, Any]) -> dict[str, Any]:
    """Leave out what numbers a frame: events of one cause come in any order, and our actions are more than theirs."""
    return {key: value for key, value in frame.items() if key not in ("seq", "seq_reply")}


class Session:
    """A recorded session replayed with its two sockets, and a third one that was opened at its end."""

    def __init__(self, server: EmbeddedServer, http: aiohttp.ClientSession, version: str) -> None:
        self.replay = Replay(http, server.url, version)
        self.watchers: dict[str, Watcher] = {}
        self.played = 0
        self._server = server
        self._http = http
        self._open_after = SOCKETS_OPEN_AFTER[version]
        self._opened = AsyncExitStack()
        lines = read_frames(f"websocket-{version}")
        (challenge,) = [place for place, line in enumerate(lines) if line.get("event") == "authentication_challenge"]
        self._lines, self._last_lines = lines[: challenge - 1], lines[challenge:]

    async def differences(self) -> AsyncIterator[tuple[int, str]]:
        """Replay, and give all differences between recorded and our answers and events, with the exchange's number."""
        n = 0
        async for outcome in self.replay:
            n = outcome.exchange.n
            self.played += 1
            for line in outcome.differences + await self._check(n):
                yield n, line
            if n == self._open_after:
                for actor in ACTORS:
                    await self._open(actor, self._lines)
                for line in await self._check(n) + await self._act(n):
                    yield n, line
        for line in await self._act(n) + await self._check(n) + await self._come_back(n):
            yield n, line

    async def close(self) -> None:
        """Close all sockets."""
        await self._opened.aclose()

    async def _check(self, n: int) -> list[str]:
        watchers = list(self.watchers.values())
        return [line for w in watchers for line in await w.check(self.replay.ids, n)]

    async def _open(self, actor: str, lines: list[dict[str, Any]], *, authorized: bool = True) -> None:
        person = Person(self._server, self._http, "", self.replay.tokens[actor])
        socket = await self._opened.enter_async_context(person.socket(authorized=authorized))
        expected = [
            Recorded(place, line["after_exchange"], json.loads(line["frame"]))
            for place, line in enumerate(lines)
            if line["actor"] == actor and line["from"] == "server" and line["event"] != "reply"
        ]
        self.watchers[actor] = Watcher(actor, socket, expected)

    async def _act(self, n: int) -> list[str]:
        """Send the actions that were sent after exchange `n`, and compare the replies."""
        lines = [line for line in self._lines if line.get("after_exchange") == n]
        replies = [json.loads(line["frame"]) for line in lines if line["event"] == "reply"]
        found = []
        for line in lines:
            if line["from"] == "client":
                request = json.loads(self.replay.ids.translate(line["frame"]))
                ours = await self.watchers[line["actor"]].socket.ask(request["action"], **request.get("data", {}))
                (recorded,) = [reply for reply in replies if reply["seq_reply"] == request["seq"]]
                found += differences(self.replay.ids, _unnumbered(recorded), _unnumbered(ours))
        return found

    async def _come_back(self, n: int) -> list[str]:
        """Let user1 close its socket and come back by a challenge, as it did at the end."""
        socket = self.watchers["user1"].socket
        await socket.connection.close()
        await socket.until_closed()
        await self._open("user1", self._last_lines, authorized=False)
        reply = await self.watchers["user1"].socket.ask("authentication_challenge", token=self.replay.tokens["user1"])
        return [f"user1: {reply}"] * (reply["status"] != "OK") + await self._check(n)
