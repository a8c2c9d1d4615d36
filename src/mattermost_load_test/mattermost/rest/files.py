"""Files of posts."""

from __future__ import annotations

from mattermost_load_test.mattermost.models import FileInfo
from mattermost_load_test.mattermost.rest.multipart import CONTENT_TYPE, encode_form
from mattermost_load_test.mattermost.rest.subject import Subject

UPLOAD = "POST /files"
THUMBNAIL = "GET /files/[post id]/thumbnail"  # the original's name for a file's id


class Files(Subject):
    """Files of posts."""

    __slots__ = ()

    async def upload(self, channel_id: str, filename: str, content: bytes) -> FileInfo:
        """Upload a file that is to be posted in a channel."""
        body = encode_form({"channel_id": channel_id}, "files", filename, content)
        answer = await self._session.send_bytes(UPLOAD, "/files", body, CONTENT_TYPE)
        return self._session.read(UPLOAD, answer, lambda data: FileInfo.of(data["file_infos"][0]))

    async def thumbnail(self, file_id: str) -> None:
        """Load the thumbnail of an image."""
        answer = await self._session.send(THUMBNAIL, f"/files/{file_id}/thumbnail")
        self._session.expect_success(THUMBNAIL, answer)
