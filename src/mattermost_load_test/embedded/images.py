"""What the server finds out about uploaded files: type and, of images, size and preview."""

from __future__ import annotations

import base64
import mimetypes
import struct
from functools import cache
from importlib.resources import files
from pathlib import PurePosixPath

from mattermost_load_test.embedded.tables.attachments import FileInfo

_TYPES = mimetypes.MimeTypes()


@cache
def preview_image() -> bytes:
    """Return the JPEG that stands for every thumbnail and preview: nothing here draws."""
    return files(__package__).joinpath("data", "mini_preview.jpg").read_bytes()


@cache
def _mini_preview() -> str:
    return base64.b64encode(preview_image()).decode()


def describe(file: FileInfo) -> None:
    """Fill in what follows from a file's name and content."""
    file.extension = PurePosixPath(file.name).suffix.removeprefix(".").lower()
    kind = _TYPES.guess_type(file.name, strict=False)[0] or "application/octet-stream"
    file.mime_type = f"{kind}; charset=utf-8" if kind.startswith("text/") else kind
    if file.is_image:
        file.width, file.height = image_size(file.data)
        if file.width:
            file.has_preview_image = True
            file.mini_preview = _mini_preview()


def image_type(data: bytes) -> str:
    """Return the content type of a PNG, GIF or JPEG."""
    if data[:4] == b"GIF8":
        return "image/gif"
    return "image/jpeg" if data[:2] == b"\xff\xd8" else "image/png"


def image_size(data: bytes) -> tuple[int, int]:
    """Return width and height of a PNG, GIF or JPEG in pixels, zeros for anything else."""
    if data[:8] == b"\x89PNG\r\n\x1a\n" and len(data) >= 24:
        width, height = struct.unpack(">II", data[16:24])
        return width, height
    if data[:4] == b"GIF8" and len(data) >= 10:
        width, height = struct.unpack("<HH", data[6:10])
        return width, height
    return _jpeg_size(data) if data[:2] == b"\xff\xd8" else (0, 0)


def _jpeg_size(data: bytes) -> tuple[int, int]:
    """Walk through the segments of a JPEG to the one that tells its size."""
    place = 2
    while place + 9 < len(data) and data[place] == 0xFF:
        marker = data[place + 1]
        (length,) = struct.unpack(">H", data[place + 2 : place + 4])
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack(">HH", data[place + 5 : place + 9])
            return width, height
        place += 2 + length
    return 0, 0
