"""Uploads in parts, import files and the jobs that read them: the pieces of a bulk import."""

from __future__ import annotations

from mattermost_load_test.mattermost.models import Job, UploadSession
from mattermost_load_test.mattermost.rest.subject import Subject

SEND = "POST /uploads/[upload id]"
NO_CONTENT = 204


class Uploads(Subject):
    """Uploads in parts, and the import files made of them; as system admin."""

    __slots__ = ()

    async def create(self, filename: str, size_bytes: int) -> UploadSession:
        """Begin the upload of an import file; refused when it is larger than FileSettings.MaxFileSize (413)."""
        body = {"type": "import", "filename": filename, "file_size": size_bytes}
        return await self._session.one("POST /uploads", "/uploads", UploadSession.of, body)

    async def get(self, upload_id: str) -> UploadSession:
        """Return how far an upload has come."""
        return await self._session.one("GET /uploads/[upload id]", f"/uploads/{upload_id}", UploadSession.of)

    async def send(self, upload_id: str, part: bytes) -> bool:
        """Send the next part, the first at least 5 MiB unless it is all; return whether the upload is complete."""
        answer = await self._session.send_bytes(SEND, f"/uploads/{upload_id}", part, "application/octet-stream")
        self._session.expect_success(SEND, answer)
        return answer.status != NO_CONTENT

    async def import_files(self) -> tuple[str, ...]:
        """Return the names of the import files that are complete: upload id, underscore, file name."""
        return await self._session.many("GET /imports", "/imports", str)


class Jobs(Subject):
    """Jobs of the server; as system admin."""

    __slots__ = ()

    async def create(self, type: str, data: dict[str, str]) -> Job:
        """Order a job; it waits up to 15 s before it starts."""
        return await self._session.one("POST /jobs", "/jobs", Job.of, {"type": type, "data": data})

    async def get(self, job_id: str) -> Job:
        """Return how far a job has come."""
        return await self._session.one("GET /jobs/[job id]", f"/jobs/{job_id}", Job.of)
