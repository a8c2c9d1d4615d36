"""Bulk import over REST: an archive sent in parts, and a job of the server that reads it.

One job reads everything, unless the server takes no file of that size and does not let the limit be changed: then
several smaller ones do, one after the other.

The upload goes on where it stopped when the connection breaks; the job is watched with a patience that grows with its
size and begins anew with every sign of progress. Needs a system admin's session, on servers from 5.31.
"""

from __future__ import annotations

import asyncio
import tempfile
import threading
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from mattermost_load_test.errors import AdminLoginError, ApiError, OperationError, ServerError
from mattermost_load_test.mattermost.archive import SPLIT_MARGIN_BYTES, Archive, split_archive, write_archive
from mattermost_load_test.mattermost.models import Job, Json
from mattermost_load_test.mattermost.rest import Client

FILENAME = "loadtest.zip"
IMPORTING = "importing"
JOB_TYPE = "import_process"

# The least that servers take as a first part, and well below what proxies let through by default when raised at all.
PART_BYTES = 5 << 20

ENDED_WELL = frozenset({"success", "warning"})
ENDED_BADLY = frozenset({"error", "canceled"})

# For some 75–100 s after its first start a server migrates in the background and refuses schemes with this message.
MIGRATING = "required migrations have not yet completed"

CONCURRENT = "app.upload.upload_data.concurrent.app_error"
TOO_LARGE = 413
NOT_FOUND = 404
UNAUTHORIZED = 401
NOT_TOLD = (403, NOT_FOUND, 501)  # of a server that does not say how many users it has


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """How patient an import is, in seconds.

    `upload_tries` parts may fail in a row before the upload is given up, with `retry_wait_s` × 2ⁿ between them.
    The job is asked every `poll_s`; it is given up `patience_s` plus `patience_per_line_s` for each of its lines after
    the last sign of progress (a user line costs a server 50–110 ms of CPU, a busy small one several times that).
    `migration_patience_s` bounds the wait for a fresh server's migrations, with a new job every `migration_poll_s`.
    `workers` is how many lines the server takes side by side; 0 leaves it to the server, as all do before 5.38.
    """

    upload_tries: int = 6
    retry_wait_s: float = 1.0
    poll_s: float = 2.0
    patience_s: float = 600.0
    patience_per_line_s: float = 0.5
    migration_patience_s: float = 300.0
    migration_poll_s: float = 10.0
    workers: int = 0


@dataclass(frozen=True, slots=True)
class ImportProgress:
    """How far an import is.

    `step` is packing (counted in lines), uploading (in bytes), waiting (for the job to start, or for the server's
    migrations, `note` says which) or importing (by what the context counts, else in users that the server did not have
    before: those that it had show no progress). `total` is 0 where it is not known.
    """

    step: str
    done: int = 0
    total: int = 0
    note: str = ""


@dataclass(frozen=True, slots=True)
class Counting:
    """What the progress of an import is counted by: `done` asks the server how many have come of `total`."""

    done: Callable[[], Awaitable[int]]
    total: int


@dataclass(frozen=True, slots=True)
class ImportContext:
    """What an import needs besides the server: options, time, whom to tell of progress, and what to count it by."""

    options: ImportOptions = field(default_factory=ImportOptions)
    now_s: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep
    progress: Callable[[ImportProgress], object] = lambda progress: None
    counting: Counting | None = None


async def import_lines(
    client: Client,
    lines: Iterable[bytes],
    context: ImportContext,
    *,
    attachments: Mapping[str, Path] | None = None,
    change_settings: Callable[[Json], Awaitable[object]] | None = None,
) -> Archive:
    """Import `lines` into the server and return what was sent; its file is gone by then.

    `change_settings` is called with the settings, by section, that have to be changed for it; without it, or when it
    did not help, `OperationError` names them. Raises `OperationError` when the server does not import them, with the
    line it stopped at; what it imported before stays, and the same lines can be imported again.
    """
    with tempfile.TemporaryDirectory(prefix="loadtest-import-") as directory:
        archive = await _packed(Path(directory) / FILENAME, lines, attachments, context)
        largest_bytes = await _largest_taken(client, archive, change_settings)
        if archive.size_bytes <= largest_bytes:
            await _sent(client, archive, context)
        else:
            await _sent_in_parts(client, archive, largest_bytes, context)
    return archive


async def _sent(client: Client, archive: Archive, context: ImportContext) -> None:
    """Send an archive and have it imported."""
    await run_job(client, archive, await upload(client, archive, context), context)


def _noted(tell: Callable[[ImportProgress], object], note: str) -> Callable[[ImportProgress], object]:
    """Return what tells of progress with a note."""
    return lambda now: tell(replace(now, note=now.note or note))


async def _sent_in_parts(client: Client, archive: Archive, largest_bytes: int, context: ImportContext) -> None:
    """Have an archive imported by several jobs, none of them of more than `largest_bytes`."""
    parts = split_archive(archive, largest_bytes)
    number = 0
    while (part := await asyncio.to_thread(next, parts, None)) is not None:
        number += 1
        note = f"part {number}, as the server takes no file of {archive.size_bytes} bytes"
        await _sent(client, part, replace(context, progress=_noted(context.progress, note)))
        part.path.unlink()


def settings_needed(config: Json, size_bytes: int) -> Json:
    """Return the settings, by section, that a server with `config` has to change to take an archive of this size."""
    files = config.get("FileSettings", {})
    needed: Json = {}
    if not files.get("EnableFileAttachments", True):
        needed["EnableFileAttachments"] = True
    if files.get("MaxFileSize", size_bytes) < size_bytes:
        needed["MaxFileSize"] = size_bytes
    return {"FileSettings": needed} if needed else {}


async def upload(client: Client, archive: Archive, context: ImportContext) -> str:
    """Send an archive in parts and return the name under which the server's jobs know it.

    A part that fails is sent again from where the server says it stopped. Raises the last `ServerError` after too many
    failures in a row.
    """
    session = await client.uploads.create(FILENAME, archive.size_bytes)
    offset, failures = session.offset_bytes, 0
    import_file = f"{session.id}_{FILENAME}"
    with archive.path.open("rb") as source:
        while True:
            context.progress(ImportProgress("uploading", offset, archive.size_bytes))
            if offset >= archive.size_bytes:
                return import_file
            try:
                source.seek(offset)
                part = await asyncio.to_thread(source.read, PART_BYTES)
                complete = await client.uploads.send(session.id, part)
                offset = archive.size_bytes if complete else offset + len(part)
                failures = 0
            except ServerError as error:
                failures += 1
                if not _may_pass(error) or failures >= context.options.upload_tries:
                    raise _explained(error) from error
                await context.sleep(context.options.retry_wait_s * 2 ** (failures - 1))
                offset = await _offset_after(client, session.id, import_file, archive, offset)


async def run_job(client: Client, archive: Archive, import_file: str, context: ImportContext) -> Job:
    """Have the server import a file it has, and return the job when it is done.

    Waits out the migrations of a fresh server. Raises `OperationError` when the job fails, with the line at fault, or
    when it shows no progress for too long.
    """
    options = context.options
    data = {"import_file": import_file} | ({"workers": str(options.workers)} if options.workers else {})
    give_up_s = context.now_s() + options.migration_patience_s
    while True:
        job = await _watched(client, await client.jobs.create(JOB_TYPE, data), archive, context)
        if job.status in ENDED_WELL:
            return job
        if MIGRATING not in job.data.get("error", ""):
            raise await asyncio.to_thread(_job_error, job, archive)
        if context.now_s() >= give_up_s:
            raise OperationError(
                "the server's background migrations have not completed within "
                f"{options.migration_patience_s:g} s, and it imports no schemes before; look into the server's log"
            )
        context.progress(ImportProgress("waiting", note="the server migrates its data after its first start"))
        await context.sleep(options.migration_poll_s)


async def _packed(
    path: Path, lines: Iterable[bytes], attachments: Mapping[str, Path] | None, context: ImportContext
) -> Archive:
    """Write the archive in a thread, which stops when the import is cancelled."""
    loop = asyncio.get_running_loop()
    cancelled = threading.Event()

    def note(done: int) -> None:
        if cancelled.is_set():
            raise InterruptedError("the import was cancelled")
        loop.call_soon_threadsafe(context.progress, ImportProgress("packing", done))

    try:
        return await asyncio.to_thread(write_archive, path, lines, attachments, note)
    except asyncio.CancelledError:
        cancelled.set()
        raise


async def _largest_taken(
    client: Client, archive: Archive, change_settings: Callable[[Json], Awaitable[object]] | None
) -> int:
    """See to it that the server takes the archive, and return the largest file that it takes now, in bytes.

    Raises `OperationError` where it takes none that are of use.
    """
    config = await client.system.config()
    needed = settings_needed(config, archive.size_bytes)
    if needed and change_settings is not None:
        await change_settings(needed)
        config = await client.system.config()
        needed = settings_needed(config, archive.size_bytes)
    if not needed:
        return archive.size_bytes
    limit_bytes = config["FileSettings"].get("MaxFileSize", 0)
    if "EnableFileAttachments" not in needed["FileSettings"] and limit_bytes >= 2 * SPLIT_MARGIN_BYTES:
        return int(limit_bytes)
    wanted = ", ".join(f"FileSettings.{key} = {value}" for key, value in needed["FileSettings"].items())
    raise OperationError(f"the server takes no import of {archive.size_bytes} bytes; set {wanted} in its configuration")


def _may_pass(error: ServerError) -> bool:
    """Say whether a failed part may succeed when it is sent again."""
    if isinstance(error, AdminLoginError):
        return False
    if isinstance(error, ApiError):
        return (error.status >= 500 and error.status != 501) or error.status == 429 or error.error_id == CONCURRENT
    return True


def _explained(error: ServerError) -> ServerError:
    """Return the error of a part, with what to do where it is known."""
    if isinstance(error, ApiError) and error.status == TOO_LARGE and not error.error_id:
        return ApiError(
            error.route,
            error.status,
            server_message=f"a proxy lets no parts of {PART_BYTES} bytes through; "
            "raise its limit (nginx: client_max_body_size)",
        )
    return error


async def _offset_after(client: Client, upload_id: str, import_file: str, archive: Archive, offset: int) -> int:
    """Return how much of an upload has arrived after a failure; where it was if the server cannot say now.

    A server forgets an upload that is complete: its file is then among the imports.
    """
    try:
        return (await client.uploads.get(upload_id)).offset_bytes
    except ApiError as error:
        if error.status == NOT_FOUND and import_file in await client.uploads.import_files():
            return archive.size_bytes
        if error.status == NOT_FOUND:
            raise
        return offset
    except ServerError:
        return offset


async def _watched(client: Client, job: Job, archive: Archive, context: ImportContext) -> Job:
    """Return a job when it has ended.

    Raises the server's error or `OperationError` when nothing has been heard of it, or no progress seen, for too long.
    """
    options = context.options
    patience_s = options.patience_s + options.patience_per_line_s * archive.lines
    counting = context.counting or await _new_users(client, archive)
    seen: tuple[object, ...] = ()
    deadline_s = context.now_s() + patience_s
    while job.status not in ENDED_WELL | ENDED_BADLY:
        await context.sleep(options.poll_s)
        try:
            job = await client.jobs.get(job.id)
            done = await counting.done()
        except ServerError as error:
            if session_refused(error) or context.now_s() >= deadline_s:
                raise
            continue
        signs = (job.status, job.progress, job.last_activity_at, done)
        if signs != seen:
            seen, deadline_s = signs, context.now_s() + patience_s
        if context.now_s() >= deadline_s:
            raise OperationError(
                f"import job {job.id} has shown no progress for {patience_s:g} s; look into the server's log"
            )
        step = "waiting" if job.status == "pending" else IMPORTING
        context.progress(ImportProgress(step, done, counting.total))
    return job


async def _new_users(client: Client, archive: Archive) -> Counting:
    """Count an import by the users that the server has more than now."""
    before = await users_on(client)

    async def come() -> int:
        return max(0, await users_on(client) - before)

    return Counting(come, archive.user_lines)


def session_refused(error: ServerError) -> bool:
    """Say whether the server does not take the admin's session any more, and no login in its place."""
    return isinstance(error, AdminLoginError) or (isinstance(error, ApiError) and error.status == UNAUTHORIZED)


async def users_on(client: Client) -> int:
    """Return how many users the server has; 0 if it does not say."""
    try:
        return await client.users.count()
    except ApiError as error:
        if error.status not in NOT_TOLD:
            raise
        return 0


def _job_error(job: Job, archive: Archive) -> OperationError:
    """Return the error for a job that failed. Reads the archive: call it in a thread."""
    number = job.data.get("line_number", "")
    reason = job.data.get("error", "").strip() or "the server gives no reason"
    if not number.isdecimal():
        return OperationError(f"import job {job.id} ended with status {job.status}: {reason}")
    return OperationError(
        f"import job {job.id} ended with status {job.status} at line {number}: {reason}\n"
        f"line {number} is {archive.line(int(number))}\n"
        "what stands before it is imported and stays; the same import can be run again once it is put right"
    )
