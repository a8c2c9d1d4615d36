"""Files that go with posts: uploading and reading them."""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass
from urllib.parse import quote

from mattermost_load_test.embedded import api_errors, bodies, images
from mattermost_load_test.embedded.answers import Answer, json_answer
from mattermost_load_test.embedded.api_errors import ApiRefusal
from mattermost_load_test.embedded.call import Call
from mattermost_load_test.embedded.ids import is_id
from mattermost_load_test.embedded.routing import Route
from mattermost_load_test.embedded.tables.attachments import FileInfo

SHOWN_INLINE = (
    "image/jpeg",
    "image/png",
    "image/bmp",
    "image/gif",
    "image/tiff",
    "video/avi",
    "video/mpeg",
    "video/mp4",
    "audio/mpeg",
    "audio/wav",
)
"""Content types that a browser shows at once instead of saving them."""

UNSAFE = (
    "application/javascript",
    "application/ecmascript",
    "text/javascript",
    "text/ecmascript",
    "application/x-javascript",
    "text/html",
)
"""Content types that are given out as plain text."""

CACHED_LONG = {"Cache-Control": "max-age=2592000, private"}


@dataclass(frozen=True, slots=True)
class _Upload:
    """What a multipart body brings: one channel, files, and the client's own ids of them."""

    channel_id: str
    files: list[bodies.Part]
    client_ids: list[str]


def upload_file_stream(call: Call) -> Answer:
    """Take files for a channel: one as the whole body, or several in a form."""
    if not call.state.config.get("FileSettings", "EnableFileAttachments"):
        message = "File attachments have been disabled on this server."
        raise ApiRefusal(
            501 if not call.site.version.modern else 403, "api.file.attachments.disabled.app_error", message
        )
    if not call.body:
        raise _unreadable()
    if call.headers.get("Content-Type", "").startswith("multipart/form-data"):
        return _upload_form(call)
    channel_id, name = call.query_text("channel_id"), call.query_text("filename")
    if not is_id(channel_id):
        raise api_errors.invalid_url("channel_id")
    if not name:
        raise api_errors.invalid_url("filename")
    call.need_in_channel(channel_id, "upload_file")
    client_id = call.query_text("client_id")
    file = _store(call, channel_id, name, call.body)
    return json_answer({"file_infos": [call.views.file(file)], "client_ids": [client_id] if client_id else None}, 201)


def _upload_form(call: Call) -> Answer:
    upload = _in_form(call)
    channel_id = upload.channel_id or call.query_text("channel_id")
    if upload.files:
        if not is_id(channel_id):
            raise api_errors.invalid_url("channel_id") if channel_id else api_errors.invalid_body("channel_id")
        call.need_in_channel(channel_id, "upload_file")
    if upload.client_ids and len(upload.client_ids) != len(upload.files):
        message = f"Unable to upload file(s). Have {len(upload.client_ids)} client_ids for {len(upload.files)} files."
        raise ApiRefusal(400, "api.file.upload_file.incorrect_number_of_client_ids.app_error", message)
    files = [_store(call, channel_id, part.filename or "", part.data) for part in upload.files]
    return json_answer({"file_infos": [call.views.file(file) for file in files], "client_ids": upload.client_ids}, 201)


def _in_form(call: Call) -> _Upload:
    try:
        parts = bodies.decode_multipart(call.body, call.headers.get("Content-Type", ""))
    except bodies.InvalidBodyError:
        raise _unreadable() from None
    files, client_ids = [], []
    channel_ids = {call.query_text("channel_id")} - {""}
    for part in parts:
        if part.filename:
            files.append(part)
        elif part.name == "channel_id":
            channel_ids.add(part.data.decode(errors="replace"))
        elif part.name == "client_ids":
            client_ids.append(part.data.decode(errors="replace"))
        elif part.name:
            raise api_errors.invalid_body(part.name)
    if len(channel_ids) > 1:
        message = "Unable to upload file(s). Multiple conflicting channel_ids."
        raise ApiRefusal(400, "api.file.upload_file.multiple_channel_ids.app_error", message)
    return _Upload(channel_ids.pop() if channel_ids else "", files, client_ids)


def _unreadable() -> ApiRefusal:
    message = "Unable to upload file(s). Error reading or parsing request data."
    return ApiRefusal(400, "api.file.upload_file.read_request.app_error", message)


def _store(call: Call, channel_id: str, name: str, data: bytes) -> FileInfo:
    limit = call.state.config.get("FileSettings", "MaxFileSize")
    if len(data) > limit:
        message = f"Unable to upload file {name}. {len(data)} bytes exceeds the maximum allowed {limit} bytes."
        raise ApiRefusal(413, "api.file.upload_file.too_large_detailed.app_error", message)
    attachments = call.state.attachments
    now = call.state.now_ms()
    file = FileInfo(
        id=call.state.new_id(),
        user_id=call.user_id,
        channel_id=channel_id,
        create_at=now,
        name=name.replace("\\", "/").rsplit("/", 1)[-1],
        extension="",
        mime_type="",
        data=attachments.kept(data),
        update_at=now,
    )
    images.describe(file)
    attachments.files[file.id] = file
    return file


def get_file(call: Call) -> Answer:
    """Give a file's content."""
    file = _target(call)
    return _content(call, file, file.data, file.mime_type)


def get_file_thumbnail(call: Call) -> Answer:
    """Give the small picture of an image."""
    return _smaller(call, "thumbnail", "a thumbnail")


def get_file_preview(call: Call) -> Answer:
    """Give the middle-sized picture of an image."""
    return _smaller(call, "preview", "a preview")


def _smaller(call: Call, kind: str, named: str) -> Answer:
    file = _target(call)
    if not file.has_preview_image:
        message = f"File doesn't have {named} image."
        raise ApiRefusal(400, f"api.file.get_file_{kind}.no_{kind}.app_error", message, f"file_id={file.id}")
    return _content(call, file, images.preview_image(), "image/jpeg")


def _content(call: Call, file: FileInfo, data: bytes, content_type: str) -> Answer:
    if content_type.startswith(UNSAFE):
        content_type = "text/plain"
    inline = content_type.startswith(SHOWN_INLINE) and not call.query_flag("download")
    name = quote(file.name, safe="$&+:=@")
    headers = {
        "Cache-Control": "private, max-age=86400" if call.site.version.modern else "private, no-cache",
        "Content-Disposition": f"{'inline' if inline else 'attachment'};filename=\"{name}\"; filename*=UTF-8''{name}",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Content-Security-Policy": "Frame-ancestors 'none'",
    }
    return Answer(200, data, content_type, headers)


def get_file_info(call: Call) -> Answer:
    """Give what is known of a file."""
    return json_answer(call.views.file(_target(call)), headers=CACHED_LONG)


def get_file_infos_for_post(call: Call) -> Answer:
    """List the files of a post."""
    post_id = call.id_param("post_id")
    call.need_by_post(post_id, "read_channel")
    post = call.state.posts.by_id.get(post_id)
    files = call.state.attachments.of_post(post.file_ids) if post is not None else []
    changed = max((file.update_at for file in files), default=0)
    etag = f"{call.site.version.number}.{post_id}.{changed}"
    return call.unless_known([call.views.file(file) for file in files], etag, CACHED_LONG)


def get_file_link(call: Call) -> Answer:
    """Give an address at which everybody can read a file."""
    _need_public_links(call)
    file = _target(call)
    if not file.post_id:
        message = (
            "Unable to get public link for file. File must be attached to a post that can be read by the current user."
        )
        raise ApiRefusal(400, "api.file.get_public_link.no_post.app_error", message, f"file_id={file.id}")
    return json_answer({"link": f"{call.site.site_url}/files/{file.id}/public?h={_public_hash(call, file)}"})


def get_public_file(call: Call) -> Answer:
    """Give a file's content to anybody who has its public address."""
    file_id = call.id_param("file_id")
    _need_public_links(call)
    file = _known(call, file_id)
    if not hmac.compare_digest(call.query_text("h"), _public_hash(call, file)):
        message = "The public link does not appear to be valid."
        raise ApiRefusal(400, "api.file.get_file.public_invalid.app_error", message)
    return _content(call, file, file.data, file.mime_type)


def _need_public_links(call: Call) -> None:
    if not call.state.config.get("FileSettings", "EnablePublicLink"):
        status = 403 if call.site.version.modern else 501
        raise ApiRefusal(status, "api.file.get_public_link.disabled.app_error", "Public links have been disabled.")


def _public_hash(call: Call, file: FileInfo) -> str:
    salt = call.state.config.get("FileSettings", "PublicLinkSalt") or ""
    digest = hashlib.sha256(f"{salt}{file.id}".encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _target(call: Call) -> FileInfo:
    """Return the file in the path, if the caller may read it."""
    file = _known(call, call.id_param("file_id"))
    if file.user_id != call.user_id:
        call.need_by_post(file.post_id, "read_channel")
    return file


def _known(call: Call, file_id: str) -> FileInfo:
    file = call.state.attachments.files.get(file_id)
    if file is None:
        raise api_errors.not_found("app.file_info.get.app_error", "Unable to get the file info.", "FileInfo", file_id)
    return file


ROUTES = (
    Route("POST", "/files", upload_file_stream),
    Route("GET", "/files/{file_id}", get_file),
    Route("GET", "/files/{file_id}/thumbnail", get_file_thumbnail),
    Route("GET", "/files/{file_id}/preview", get_file_preview),
    Route("GET", "/files/{file_id}/info", get_file_info),
    Route("GET", "/files/{file_id}/link", get_file_link),
    Route("GET", "/posts/{post_id}/files/info", get_file_infos_for_post),
    Route("GET", "/files/{file_id}/public", get_public_file, session=False, root=True),
)
