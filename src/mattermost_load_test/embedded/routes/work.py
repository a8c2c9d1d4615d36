"""Uploads in parts, import files and jobs."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

from mattermost_load_test.embedded import bodies, images
from mattermost_load_test.embedded.answers import Answer, json_answer, ok
from mattermost_load_test.embedded.api_errors import ApiRefusal, not_found
from mattermost_load_test.embedded.call import Call
from mattermost_load_test.embedded.routing import Route
from mattermost_load_test.embedded.tables.attachments import FileInfo
from mattermost_load_test.embedded.tables.work import CANCEL_REQUESTED, CANCELED, IN_PROGRESS, PENDING, Job, Upload

UPLOAD = {
    "type": bodies.text,
    "channel_id": bodies.text,
    "filename": bodies.text,
    "file_size": bodies.whole,
    "file_offset": bodies.whole,
    "id": bodies.text,
    "user_id": bodies.text,
    "create_at": bodies.whole,
}
JOB = {"id": bodies.text, "type": bodies.text, "data": bodies.text_map, "status": bodies.text}

FIRST_PART_MIN = 5 * 1024 * 1024
"""The least size of an upload's first part, unless it is the whole, in bytes."""

JOB_PERMISSIONS = {
    "data_retention": "data_retention_job",
    "message_export": "compliance_export_job",
    "elasticsearch_post_indexing": "elasticsearch_post_indexing_job",
    "elasticsearch_post_aggregation": "elasticsearch_post_aggregation_job",
    "ldap_sync": "ldap_sync_job",
    "bleve_post_indexing": "post_bleve_indexes_job",
}
"""Job types with permissions of their own: what stands behind ``create_`` and ``read_``."""

OTHER_JOBS = frozenset(
    (
        "migrations",
        "plugins",
        "product_notices",
        "expiry_notify",
        "active_users",
        "import_process",
        "import_delete",
        "export_process",
        "export_delete",
        "cloud",
    )
)
"""Job types for who may manage or read jobs at all."""


def create_upload(call: Call) -> Answer:
    """Begin an upload."""
    _need_attachments(call)
    given = call.json("upload", UPLOAD, strict=True)
    kind = given.get("type", "")
    channel_id = given.get("channel_id", "")
    if kind == "import":
        if not call.is_admin:
            raise call.refuse("manage_system")
    else:
        kind = "attachment"
        call.need_in_channel(channel_id, "upload_file")
    upload = Upload(
        id=call.state.new_id(),
        type=kind,
        user_id=call.user_id,
        channel_id=channel_id,
        filename=given.get("filename", ""),
        file_size=given.get("file_size", 0),
        create_at=call.state.now_ms(),
    )
    _check_upload(call, upload)
    call.state.work.uploads[upload.id] = upload
    return json_answer(upload_row(upload), 201)


def _need_attachments(call: Call) -> None:
    if not call.state.config.get("FileSettings", "EnableFileAttachments"):
        raise ApiRefusal(
            501, "api.file.attachments.disabled.app_error", "File attachments have been disabled on this server."
        )


def _check_upload(call: Call, upload: Upload) -> None:
    if upload.file_size > call.state.config.get("FileSettings", "MaxFileSize"):
        message = "Unable to upload file. File is too large."
        raise ApiRefusal(413, "app.upload.create.upload_too_large.app_error", message)
    rules = ((upload.filename, "filename", "Filename"), (upload.file_size > 0, "file_size", "FileSize"))
    for good, name, shown in rules:
        if not good:
            error_id = f"model.upload_session.is_valid.{name}.app_error"
            raise ApiRefusal(400, error_id, f"Invalid value for {shown}", f"id={upload.id}")
    if upload.type == "attachment" and call.state.channels.by_id[upload.channel_id].delete_at:
        message = "Cannot upload to a deleted channel."
        raise ApiRefusal(400, "app.upload.create.cannot_upload_to_deleted_channel.app_error", message)


def upload_row(upload: Upload) -> dict[str, Any]:
    """Show an upload and how far it is."""
    row: dict[str, Any] = {
        "id": upload.id,
        "type": upload.type,
        "create_at": upload.create_at,
        "user_id": upload.user_id,
    }
    if upload.channel_id:
        row["channel_id"] = upload.channel_id
    return row | {
        "filename": upload.filename,
        "file_size": upload.file_size,
        "file_offset": len(upload.received),
        "remote_id": "",
        "req_file_id": "",
    }


def _target_upload(call: Call) -> Upload:
    upload_id = call.id_param("upload_id")
    upload = call.state.work.uploads.get(upload_id)
    if upload is None:
        raise not_found("app.upload.get.app_error", "Failed to get upload.", "UploadSession", upload_id)
    return upload


def get_upload(call: Call) -> Answer:
    """Say how far an upload is."""
    upload = _target_upload(call)
    if upload.user_id != call.user_id and not call.is_admin:
        raise ApiRefusal(403, "api.upload.get_upload.forbidden.app_error", "Failed to get upload.")
    return json_answer(upload_row(upload))


def upload_data(call: Call) -> Answer:
    """Take the next part of an upload; with the last one it becomes a file."""
    _need_attachments(call)
    upload = _target_upload(call)
    if upload.type == "import" and not call.is_admin:
        raise call.refuse("manage_system")
    if upload.type != "import" and upload.user_id != call.user_id:
        raise call.refuse("upload_file")
    _receive(upload, _part(call, upload))
    if len(upload.received) < upload.file_size:
        return Answer(204)
    return json_answer(call.views.file(_finish(call, upload)))


def _part(call: Call, upload: Upload) -> bytes:
    content_type = call.headers.get("Content-Type", "")
    if content_type.startswith("multipart/"):
        try:
            return bodies.decode_multipart(call.body, content_type)[0].data
        except (bodies.InvalidBodyError, IndexError):
            message = "Failed to process the multipart data."
            raise ApiRefusal(400, "api.upload.upload_data.multipart_error", message) from None
    if len(call.body) > upload.file_size - len(upload.received):
        raise ApiRefusal(400, "api.upload.upload_data.invalid_content_length", "Invalid Content-Length.")
    return call.body


def _receive(upload: Upload, part: bytes) -> None:
    part = part[: upload.file_size - len(upload.received)]
    if not upload.received and len(part) < FIRST_PART_MIN and len(part) != upload.file_size:
        raise ApiRefusal(
            400,
            "app.upload.upload_data.first_part_too_small.app_error",
            f"Failed to upload data. First part must be at least {FIRST_PART_MIN} Bytes.",
        )
    upload.received += part


def _finish(call: Call, upload: Upload) -> FileInfo:
    now = call.state.now_ms()
    file = FileInfo(
        id=call.state.new_id(),
        user_id=upload.user_id,
        channel_id=upload.channel_id,
        create_at=now,
        update_at=now,
        name=upload.filename,
        extension="",
        mime_type="",
        data=bytes(upload.received),
    )
    images.describe(file)
    del call.state.work.uploads[upload.id]
    if upload.type == "import":
        name = f"{upload.id}_{PurePosixPath(upload.filename).name}"
        call.state.work.imports[name] = file.data
    else:
        call.state.attachments.files[file.id] = file
    return file


def list_imports(call: Call) -> Answer:
    """Give the names of the files that can be imported."""
    call.need("manage_system")
    return json_answer(sorted(call.state.work.imports))


def create_job(call: Call) -> Answer:
    """Give the server a job."""
    given = call.json("job", JOB, strict=True)
    kind = given.get("type", "")
    _need_job_permission(call, kind, "create")
    job = Job(
        id=call.state.new_id(),
        type=kind,
        create_at=call.state.now_ms(),
        data={key: value or "" for key, value in given.get("data", {}).items()},
    )
    call.site.jobs.submit(job)
    return json_answer(_job_row(job), 201)


def _need_job_permission(call: Call, kind: str, doing: str) -> None:
    if kind in JOB_PERMISSIONS:
        call.need(f"{doing}_{JOB_PERMISSIONS[kind]}")
    elif kind in OTHER_JOBS:
        call.need("manage_jobs" if doing == "create" else "read_jobs")
    elif doing == "create":
        message = "The job type of the job you are trying to create is invalid"
        raise ApiRefusal(400, "api.job.unable_to_create_job.incorrect_job_type", message)
    else:
        message = "The job types of a job you are trying to retrieve does not contain permissions"
        raise ApiRefusal(400, "api.job.retrieve.nopermissions", message)


def _job_row(job: Job) -> dict[str, Any]:
    return {
        "id": job.id,
        "type": job.type,
        "priority": job.priority,
        "create_at": job.create_at,
        "start_at": job.start_at,
        "last_activity_at": job.last_activity_at,
        "status": job.status,
        "progress": job.progress,
        "data": job.data,
    }


def _target_job(call: Call) -> Job:
    job_id = call.id_param("job_id")
    job = call.state.work.jobs.get(job_id)
    if job is None:
        raise not_found("app.job.get.app_error", "Unable to get the job.", "Job", job_id)
    return job


def get_job(call: Call) -> Answer:
    """Say how far a job is."""
    job = _target_job(call)
    _need_job_permission(call, job.type, "read")
    return json_answer(_job_row(job))


def get_jobs(call: Call) -> Answer:
    """Give a page of the jobs, the newest first."""
    call.need("read_jobs")
    return _page(call, list(call.state.work.jobs.values()))


def get_jobs_by_type(call: Call) -> Answer:
    """Give a page of the jobs of one type, the newest first."""
    kind = call.params["job_type"]
    _need_job_permission(call, kind, "read")
    return _page(call, [job for job in call.state.work.jobs.values() if job.type == kind])


def _page(call: Call, jobs: list[Job]) -> Answer:
    jobs.reverse()
    return json_answer([_job_row(job) for job in jobs[call.offset : call.offset + call.per_page]])


def cancel_job(call: Call) -> Answer:
    """Ask for a job to be given up."""
    job = _target_job(call)
    _need_job_permission(call, job.type, "create")
    if job.status not in (PENDING, IN_PROGRESS):
        raise ApiRefusal(
            500,
            "jobs.request_cancellation.status.error",
            "Could not request cancellation for job that is not in a cancelable state.",
            f"id={job.id}",
        )
    job.status = CANCELED if job.status == PENDING else CANCEL_REQUESTED
    return ok()


ROUTES = (
    Route("POST", "/uploads", create_upload),
    Route("GET", "/uploads/{upload_id}", get_upload),
    Route("POST", "/uploads/{upload_id}", upload_data),
    Route("GET", "/imports", list_imports),
    Route("GET", "/jobs", get_jobs),
    Route("POST", "/jobs", create_job),
    Route("GET", "/jobs/{job_id}", get_job),
    Route("POST", "/jobs/{job_id}/cancel", cancel_job),
    Route("GET", "/jobs/type/{job_type}", get_jobs_by_type),
)
