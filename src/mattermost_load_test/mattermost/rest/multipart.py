"""Forms with files, as browsers send them."""

from __future__ import annotations

from collections.abc import Mapping

BOUNDARY = "----mattermost-load-test-5c2f9e0b7a4d43e6"
CONTENT_TYPE = f"multipart/form-data; boundary={BOUNDARY}"

_TYPES = {"png": "image/png", "jpg": "image/jpeg", "gif": "image/gif", "txt": "text/plain"}


def encode_form(fields: Mapping[str, str], file_field: str, filename: str, content: bytes) -> bytes:
    """Return the body of a form with `fields` and, under the name `file_field`, one file.

    Send it with `CONTENT_TYPE`. Built in memory: meant for images and plugins, not for archives.
    """
    parts: list[bytes] = []
    for name, value in fields.items():
        parts.append(f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode())
    content_type = _TYPES.get(filename.rpartition(".")[2], "application/octet-stream")
    disposition = f'Content-Disposition: form-data; name="{file_field}"; filename="{filename}"'
    parts.append(f"--{BOUNDARY}\r\n{disposition}\r\nContent-Type: {content_type}\r\n\r\n".encode())
    parts += [content, f"\r\n--{BOUNDARY}--\r\n".encode()]
    return b"".join(parts)
