"""One HTTP/1.1 connection: sends a request, and makes a `Response` of what httptools reads. Pure but for its transport.

It carries one request at a time and is told nothing of servers, time-outs and pools: whoever owns it hears by `on_free`
that it may carry another, and by `on_end` that it will not.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Callable, Iterator, Mapping
from typing import cast

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from mattermost_load_test.mattermost.transport import Response

_ZLIB_OR_GZIP = 32 + zlib.MAX_WBITS
_PART_BYTES = 256 << 10  # of a large body, written at once
_NO_BODY = frozenset({204, 304})

Pairs = list[tuple[bytes, bytes]]


class BrokenOffError(Exception):
    """The connection ended before the answer was complete; its cause is what the operating system said, if anything."""


class NoHttpError(Exception):
    """What came is not HTTP."""


class TooLargeError(Exception):
    """The answer is larger than is taken, as it came or unpacked."""


class Headers(Mapping[str, str]):
    """The headers of an answer as they came; decoded when they are asked for, which is seldom."""

    __slots__ = ("_pairs",)

    def __init__(self, pairs: Pairs) -> None:
        self._pairs = pairs

    def __getitem__(self, name: str) -> str:
        """Return the first value under a name, whatever its case."""
        wanted = name.lower().encode()
        for key, value in self._pairs:
            if key.lower() == wanted:
                return value.decode("utf-8", "surrogateescape")
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return (key.decode("latin-1") for key in dict(self._pairs))

    def __len__(self) -> int:
        return len(dict(self._pairs))


class HttpConnection(asyncio.Protocol):
    """One connection to a server.

    `on_free` is called with the connection when it has read an answer and can carry another request, `on_end` when it
    will carry none. Of an answer no more than `largest_bytes` are taken.
    """

    __slots__ = (
        "_body",
        "_has_head",
        "_largest_bytes",
        "_loop",
        "_on_end",
        "_on_free",
        "_pairs",
        "_parser",
        "_received_bytes",
        "_transport",
        "_unsent",
        "_waiter",
        "_writable",
    )

    def __init__(
        self,
        on_free: Callable[[HttpConnection], object],
        on_end: Callable[[HttpConnection], object],
        largest_bytes: int,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._largest_bytes = largest_bytes
        self._received_bytes = 0  # of the answer under way
        self._on_free = on_free
        self._on_end = on_end
        self._parser = HttpResponseParser(self)
        self._pairs: Pairs = []
        self._body: list[bytes] = []
        self._has_head = False
        self._unsent = False  # part of a large body is still to be sent
        self._transport: asyncio.Transport | None = None
        self._waiter: asyncio.Future[Response] | None = None
        self._writable: asyncio.Future[None] | None = None

    def ask(self, head: bytes) -> asyncio.Future[Response]:
        """Send a request, its body included, and return what will hold the answer.

        The answer may be a `BrokenOffError`, a `NoHttpError` or a `TooLargeError`.
        """
        assert self._transport is not None
        self._waiter = waiter = self._loop.create_future()
        self._transport.write(head)
        return waiter

    async def ask_at_length(self, head: bytes, body: bytes) -> Response:
        """Send a request with a large body, part by part as the server reads it, and return the answer."""
        self._unsent = True
        answer = self.ask(head)
        view = memoryview(body)
        try:
            for begin in range(0, len(body), _PART_BYTES):
                if answer.done() or self._transport is None:
                    break  # refused before all of it was sent: the connection cannot be used again
                self._transport.write(view[begin : begin + _PART_BYTES])
                if self._writable is not None:
                    await self._writable
            else:
                self._unsent = False
        except asyncio.CancelledError:
            answer.cancel()
            raise
        return await answer

    def end(self, reason: Exception | None = None) -> None:
        """End the connection at once; a request under way fails with `reason`."""
        self._on_end(self)
        self._fail(reason or BrokenOffError())
        if self._transport is not None:
            self._transport.abort()

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Read on; what comes unasked ends the connection."""
        if self._waiter is None:
            return self.end()
        self._received_bytes += len(data)
        if self._received_bytes > self._largest_bytes:
            return self.end(TooLargeError())
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade):
            return self.end(NoHttpError())
        if self._waiter is None and self._pairs:  # more came than was asked for
            return self.end()
        return None

    def eof_received(self) -> None:
        """Be given no request any more, even before the connection is closed."""
        self._on_end(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """End; an answer without a length is complete thereby."""
        self._on_end(self)
        if self._waiter is not None:
            if exc is None and self._has_head and not self._has_length():
                self._complete()
            else:
                error = BrokenOffError()
                error.__cause__ = exc
                self._fail(error)
        self._transport = None
        self.resume_writing()

    def pause_writing(self) -> None:
        """Wait with the rest of a large body."""
        self._writable = self._loop.create_future()

    def resume_writing(self) -> None:
        """Go on with it."""
        writable, self._writable = self._writable, None
        if writable is not None and not writable.done():
            writable.set_result(None)

    # What the parser calls.

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header as it is."""
        self._pairs.append((name, value))

    def on_headers_complete(self) -> None:
        """Know that an answer has begun."""
        self._has_head = True

    def on_body(self, part: bytes) -> None:
        """Keep a part of the body."""
        self._body.append(part)

    def on_message_complete(self) -> None:
        """Hand the answer over, unless it only says that the answer proper comes later (status 1xx)."""
        if self._parser.get_status_code() >= 200:
            self._complete()
        else:
            self._pairs, self._has_head = [], False

    def _complete(self) -> None:
        """Hand the answer over, and be free for another request where the server allows it."""
        waiter, self._waiter = self._waiter, None
        pairs, self._pairs = self._pairs, []
        parts, self._body = self._body, []
        self._has_head, self._received_bytes = False, 0
        if self._unsent:  # the server may never read the rest, which closing would wait for
            self.end()
        elif not self._parser.should_keep_alive():
            self._on_end(self)
            if self._transport is not None:
                self._transport.close()
        else:
            self._on_free(self)
        if waiter is None or waiter.done():
            return
        try:
            body = _unpacked(pairs, parts[0] if len(parts) == 1 else b"".join(parts), self._largest_bytes)
        except zlib.error:
            waiter.set_exception(NoHttpError())
        except TooLargeError as error:
            waiter.set_exception(error)
        else:
            waiter.set_result(Response(self._parser.get_status_code(), Headers(pairs), body))

    def _has_length(self) -> bool:
        """Say whether the answer under way says where it ends."""
        names = {name.lower() for name, _ in self._pairs}
        return bool(names & {b"content-length", b"transfer-encoding"}) or self._parser.get_status_code() in _NO_BODY

    def _fail(self, reason: Exception) -> None:
        """Fail the request under way, if there is one."""
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_exception(reason)


def _unpacked(pairs: Pairs, body: bytes, largest_bytes: int) -> bytes:
    """Undo the compression of a body, if its headers tell of one; raises `zlib.error` or `TooLargeError`."""
    for name, value in pairs:
        if len(name) == 16 and name.lower() == b"content-encoding" and value.lower() in (b"gzip", b"deflate"):
            return _inflated(body, largest_bytes) if body else body
    return body


def _inflated(body: bytes, largest_bytes: int) -> bytes:
    """Return what a compressed body holds; raises `zlib.error` or `TooLargeError`."""
    stream = zlib.decompressobj(_ZLIB_OR_GZIP)
    unpacked = stream.decompress(body, largest_bytes)
    if stream.unconsumed_tail:
        raise TooLargeError
    if not stream.eof:
        raise zlib.error("the body is cut off")
    return unpacked
