"""Replaying a recorded session against a server: the requests in order, each answer compared with the recorded one."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
from tests.embedded.matching import Ids, blank, compare
from tests.embedded.recording import LEFT_OUT, PNG, Exchange, bulk_archive, decode, multipart, read_exchanges

DEADLINE_S = 20.0
"""How long a job may take."""

HEADERS = ("Content-Type", "Vary", "Cache-Control", "Content-Disposition", "Set-Cookie", "Etag", "X-Version-Id")
"""The headers that are compared; `Token` only as to whether it is there."""

TIMED_PATH = re.compile(r"(since=|/read/)(\d{13})")


@dataclass(frozen=True)
class Outcome:
    """What came of one exchange: how our answer differs from the recorded one."""

    exchange: Exchange
    differences: list[str]


@dataclass(frozen=True)
class Reply:
    """Our answer to a request."""

    status: int
    headers: Any
    body: bytes

    @property
    def answer(self) -> Any:
        """Its value."""
        return decode(self.body.decode(errors="replace"), self.headers.get("Content-Type", ""))


@dataclass
class Replay:
    """A session under way: iterate over it to carry it on, one `Outcome` an exchange.

    `ids.ours` and `tokens` (by actor) hold our counterparts of what was recorded.
    """

    http: aiohttp.ClientSession
    url: str
    version: str
    ids: Ids = field(default_factory=Ids)
    tokens: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.exchanges = [e for e in read_exchanges(f"rest-{self.version}") if e.n not in LEFT_OUT[self.version]]
        self._archive = bulk_archive()
        self._left_out: set[str] = {
            exchange.answer["id"]
            for exchange in read_exchanges(f"rest-{self.version}")
            if exchange.n in LEFT_OUT[self.version] and "id" in exchange.answer
        }
        paths = [parse_qs(urlsplit(exchange.path).query) for exchange in self.exchanges]
        self._upload_channel = next(query["channel_id"][0] for query in paths if "filename" in query)
        self._clock_ahead_ms = 0

    async def __aiter__(self) -> AsyncIterator[Outcome]:
        """Make the recorded requests in order."""
        for place, exchange in enumerate(self.exchanges):
            following = self.exchanges[place + 1 :]
            reply = await self._ask(exchange, following)
            recorded = self._trimmed(exchange)
            if not exchange.is_binary:
                self.ids.learn(recorded, reply.answer)
            self._set_clock(recorded)
            token = reply.headers.get("Token")
            if token:
                self.tokens[exchange.response_headers["Token"].removeprefix("<token of ").removesuffix(">")] = token
            yield Outcome(exchange, list(self._differences(exchange, recorded, reply)))

    def _trimmed(self, exchange: Exchange) -> Any:
        """Give the recorded answer without the jobs that are left out."""
        answer = exchange.answer
        if "/jobs/type/" in exchange.path:
            return [job for job in answer if job["id"] not in self._left_out]
        return answer

    def _set_clock(self, recorded: Any) -> None:
        times = list(_times(recorded))
        if times:
            self._clock_ahead_ms = time.time_ns() // 1_000_000 - max(times)

    async def _ask(self, exchange: Exchange, following: list[Exchange]) -> Reply:
        if exchange.method != "GET" or not re.fullmatch(r"/api/v4/jobs/[a-z0-9]{26}", exchange.path):
            return await self._send(exchange)
        if any(later.path == exchange.path for later in following):
            return await self._send(exchange)
        async with asyncio.timeout(DEADLINE_S):
            while True:
                reply = await self._send(exchange)
                if reply.answer["status"] == exchange.answer["status"]:
                    return reply
                await asyncio.sleep(0)

    async def _send(self, exchange: Exchange) -> Reply:
        path = TIMED_PATH.sub(lambda found: f"{found[1]}{int(found[2]) + self._clock_ahead_ms}", exchange.path)
        headers = {name: self._header(value) for name, value in exchange.request_headers.items()}
        async with self.http.request(
            exchange.method,
            self.url + self.ids.translate(path),
            headers=headers,
            data=self._body(exchange),
            allow_redirects=False,
        ) as response:
            return Reply(response.status, response.headers, await response.read())

    def _header(self, value: str) -> str:
        return re.sub(r"<token of ([^>]+)>", lambda found: self.tokens[found[1]], value)

    def _body(self, exchange: Exchange) -> bytes | None:
        text = exchange.request_body
        if not text:
            return None
        if re.fullmatch(r"<\d+ bytes>", text):
            return self._binary_body(exchange)
        if exchange.path == "/api/v4/uploads":
            return json.dumps(json.loads(text) | {"file_size": len(self._archive)}).encode()
        return self.ids.translate(text).encode()

    def _binary_body(self, exchange: Exchange) -> bytes:
        content_type = exchange.request_headers.get("Content-Type", "")
        if exchange.path.startswith("/api/v4/uploads/"):
            return self._archive
        if "boundary=" not in content_type:
            return PNG
        parts: list[tuple[str, str | None, str, bytes]]
        if exchange.path == "/api/v4/emoji":
            row = {"name": exchange.answer["name"], "creator_id": self.ids.translate(exchange.answer["creator_id"])}
            parts = [("image", "emoji.png", "image/png", PNG), ("emoji", None, "", json.dumps(row).encode())]
        elif exchange.path.endswith("/image"):
            parts = [("image", "image.png", "image/png", PNG)]
        else:
            parts = [
                ("channel_id", None, "", self.ids.translate(self._upload_channel).encode()),
                ("files", "a.png", "image/png", PNG),
            ]
        return multipart(content_type.split("boundary=")[1], parts)

    def _differences(self, exchange: Exchange, recorded: Any, reply: Reply) -> Iterator[str]:
        if exchange.status != reply.status:
            yield f"status: {exchange.status} was recorded, ours is {reply.status}: {reply.body[:200]!r}"
            return
        for name in HEADERS:
            yield from self._header_differences(name, exchange.response_headers.get(name), reply.headers.get(name))
        if ("Token" in exchange.response_headers) != ("Token" in reply.headers):
            yield "header Token: there is one only here or only in the recording"
        if not exchange.is_binary and not _is_pending(exchange, reply):
            yield from compare(self.ids, recorded, self._with_actors(reply.answer), "body")

    def _with_actors(self, answer: Any) -> Any:
        """Put the recording's marks for tokens into an error that names one."""
        if not isinstance(answer, dict) or "detailed_error" not in answer:
            return answer
        details = answer["detailed_error"]
        for actor, token in self.tokens.items():
            details = details.replace(token, f"<token of {actor}>")
        return answer | {"detailed_error": details}

    def _header_differences(self, name: str, recorded: str | None, ours: str | None) -> Iterator[str]:
        expected = None if recorded is None else self.ids.translate(recorded)
        if name == "Set-Cookie" and ours is not None:
            ours = re.sub("MMAUTHTOKEN=[^;]*", "MMAUTHTOKEN=<value>", ours)
        if name == "X-Version-Id":
            expected, ours = (
                None if value is None else re.sub("[0-9a-f]{32,}", "<hash>", value) for value in (expected, ours)
            )
        if (expected and blank(expected)) != (ours and blank(ours)):
            yield f"header {name}: {expected!r} was recorded, ours is {ours!r}"


def _is_pending(exchange: Exchange, reply: Reply) -> bool:
    """Tell whether both say how far a job is: how far is the servers' own."""
    if exchange.method != "GET" or "/api/v4/jobs/" not in exchange.path:
        return False
    recorded, ours = exchange.answer, reply.answer
    return isinstance(recorded, dict) and isinstance(ours, dict) and recorded.keys() == ours.keys()


def _times(value: Any) -> Iterator[int]:
    """Give all points in time within a value."""
    if isinstance(value, dict):
        for item in value.values():
            yield from _times(item)
    elif isinstance(value, list):
        for item in value:
            yield from _times(item)
    elif isinstance(value, int) and value > 10**12:
        yield value
