"""Small pictures to attach to posts, made here so that nobody's pictures need to be shipped."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_SMALLEST, _LARGEST = 64, 256  # pixels a side
_TRUE_COLOUR = 2


def image(draw: Callable[[], float]) -> tuple[str, bytes]:
    """Return name and content of a PNG of random size and colours; `draw` gives numbers uniform in [0, 1)."""
    side = _SMALLEST + int(draw() * (_LARGEST - _SMALLEST + 1))
    stripes = [bytes(int(draw() * 256) for _ in range(3)) for _ in range(8)]
    rows = b"".join(b"\0" + stripes[y * len(stripes) // side] * side for y in range(side))
    return f"image-{int(draw() * 1_000_000):06}.png", png(side, side, rows)


def png(width: int, height: int, rows: bytes) -> bytes:
    """Return a PNG of 8-bit true colour; `rows` are its lines, each led by the filter byte 0."""
    header = struct.pack(">IIBBBBB", width, height, 8, _TRUE_COLOUR, 0, 0, 0)
    return _SIGNATURE + _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(rows)) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    """Return a chunk of a PNG: length, kind, data, checksum."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
