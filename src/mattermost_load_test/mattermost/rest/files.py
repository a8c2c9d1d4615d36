"""Files of posts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mattermost_load_test.mattermost.models import FileInfo
from mattermost_load_test.mattermost.rest.multipart import CONTENT_TYPE, encode_form
from mattermost_load_test.mattermost.rest.session import list_of
from mattermost_load_test.mattermost.rest.subject import Subject

UPLOAD = "POST /files"
THUMBNAIL = "GET /files/[post id]/thumbnail"  # the original's name for a file's id


class Files(Subject):
    """Files of posts."""

    __slots__ = ()

    async def upload(self, channel_id: str, files: Mapping[str, bytes]) -> list[FileInfo]:
        """Upload files, by name, to be posted in a channel; at most 10 by the server's default."""
        body = encode_form({"channel_id": channel_id}, "files", files)
        answer = await self._session.send_bytes(UPLOAD, "/files", body, CONTENT_TYPE)
        return self._session.read(UPLOAD, answer, _file_infos)

    async def thumbnail(self, file_id: str) -> None:
        """Load the thumbnail of an image."""
        answer = await self._session.send(THUMBNAIL, f"/files/{file_id}/thumbnail")
        self._session.expect_success(THUMBNAIL, answer)


def _file_infos(data: Any) -> list[FileInfo]:
    return list_of(FileInfo.of, data["file_infos"])
