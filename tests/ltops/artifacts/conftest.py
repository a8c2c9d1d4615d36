"""A server of files that misbehaves on request."""

from __future__ import annotations

import re
import socket
import struct
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest


@dataclass
class FileServer:
    """What a server of files holds and how it misbehaves; `asked` are the requests it got."""

    files: dict[str, bytes] = field(default_factory=dict)
    etag: str = '"one"'
    content_type: str = "application/gzip"
    ranges: bool = True
    wrong_start: int | None = None  # where parts begin, whatever was asked for
    extra_length: int = 0  # what Content-Length says too much
    cut_after: list[int] = field(default_factory=list)  # after how many bytes the next answers are reset
    statuses: list[int] = field(default_factory=list)  # what the next answers are instead
    asked: list[tuple[str, str | None]] = field(default_factory=list)  # path and Range
    url: str = ""


class _Handler(BaseHTTPRequestHandler):
    serving: FileServer

    def do_GET(self) -> None:
        """Answer a request, by the name that http.server looks for."""
        serving = self.serving
        wanted = self.headers.get("Range")
        serving.asked.append((self.path, wanted))
        body = serving.files.get(self.path.partition("?")[0])
        if serving.statuses:
            return self._empty(serving.statuses.pop(0))
        if body is None:
            return self._empty(404)
        if self.headers.get("If-None-Match") == serving.etag and serving.etag:
            return self._empty(304)
        return self._file(body, wanted)

    def _empty(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _file(self, body: bytes, wanted: str | None) -> None:
        serving, begin = self.serving, 0
        found = re.fullmatch(r"bytes=(\d+)-", wanted or "")
        if found and serving.ranges and self.headers.get("If-Range") == serving.etag:
            begin = int(found[1]) if serving.wrong_start is None else serving.wrong_start
        self.send_response(206 if begin else 200)
        if begin:
            self.send_header("Content-Range", f"bytes {begin}-{len(body) - 1}/{len(body)}")
        self.send_header("Content-Length", str(len(body) - begin + serving.extra_length))
        self.send_header("Content-Type", serving.content_type)
        if serving.etag:
            self.send_header("ETag", serving.etag)
        self.end_headers()
        rest = body[begin:]
        if serving.cut_after:
            self.wfile.write(rest[: serving.cut_after.pop(0)])
            self.wfile.flush()
            self._reset()
        else:
            self.wfile.write(rest)
            self.close_connection = True

    def _reset(self) -> None:
        """End the connection as a broken network does, without a farewell."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True
        self.wfile = open("/dev/null", "wb")  # noqa: SIM115, PTH123 — what the handler flushes at its end

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


@pytest.fixture
def file_server() -> Iterator[FileServer]:
    """Give a server of files on a free port."""
    serving = FileServer()
    handler = type("Handler", (_Handler,), {"serving": serving})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        serving.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield serving
        finally:
            server.shutdown()
            thread.join()
