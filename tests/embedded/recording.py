"""The recorded sessions of real servers: what was asked and what was answered (see `tests/data/exchanges`)."""

from __future__ import annotations

import io
import json
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DATA = Path(__file__).parent.parent / "data" / "exchanges"

LEFT_OUT = {"5.37": range(24, 31), "11.6": range(24, 34)}
"""Exchanges about imports that failed because a fresh server was not done migrating."""

SOCKETS_OPEN_AFTER = {"5.37": 41, "11.6": 44}
"""The exchange after which user0's and user1's sockets were opened."""

ID = re.compile(r"(?<![A-Za-z0-9])[a-z0-9]{26}(?![A-Za-z0-9])")
"""An identifier within a text."""

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000100000001008020000009091683600000017494441547801637c7af1"
    "6f0352004d6254c3a88661250d00cb1704ae4d5c4bd30000000049454e44ae426082"
)
"""A small picture, 16 pixels square in its header."""


@dataclass(frozen=True)
class Exchange:
    """One request of a recorded session and its answer."""

    n: int
    actor: str
    method: str
    path: str
    request_headers: dict[str, str]
    request_body: str
    status: int
    response_headers: dict[str, str]
    response_body: str

    @property
    def answer(self) -> Any:
        """The JSON value of the answer, a list of them for lines of JSON, the text of any other."""
        kind = self.response_headers.get("Content-Type", "")
        return decode(self.response_body, kind)

    @property
    def is_binary(self) -> bool:
        """Whether the recording only says how long the answer was."""
        return re.fullmatch(r"<\d+ bytes>", self.response_body) is not None


def decode(text: str, content_type: str) -> Any:
    """Give the value of a body: JSON, JSON lines, or text."""
    if content_type.startswith("application/x-ndjson"):
        return [json.loads(line) for line in text.splitlines()]
    try:
        return json.loads(text)
    except ValueError:
        return text


def read_exchanges(name: str) -> list[Exchange]:
    """Give the exchanges of one recording, such as ``rest-5.37``, in order of time."""
    exchanges = []
    for number, line in enumerate((DATA / f"{name}.jsonl").read_text().splitlines(), start=1):
        row = json.loads(line)
        row.pop("route", None)
        exchanges.append(Exchange(n=row.pop("n", number), actor=row.pop("actor", ""), **row))
    return exchanges


def bulk_archive() -> bytes:
    """Give the sample bulk file without its emoji lines, zipped as the recorded session uploaded it."""
    lines = [line for line in (DATA / "bulkload-sample.jsonl").read_text().splitlines() if '"type":"emoji"' not in line]
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("import.jsonl", "\n".join(lines) + "\n")
    return packed.getvalue()


def multipart(boundary: str, parts: list[tuple[str, str | None, str, bytes]]) -> bytes:
    """Give a multipart body of parts with name, file name, content type and content."""
    body = b""
    for name, filename, content_type, content in parts:
        shown = f'; filename="{filename}"' if filename is not None else ""
        body += f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"{shown}\r\n'.encode()
        if content_type:
            body += f"Content-Type: {content_type}\r\n".encode()
        body += b"\r\n" + content + b"\r\n"
    return body + f"--{boundary}--\r\n".encode()
