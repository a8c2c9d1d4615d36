"""Bulk import over REST against a server that plays the import routes, and every way in which they fail."""

from __future__ import annotations

import asyncio
import itertools
import os
import zipfile
from collections.abc import AsyncIterator, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from pydantic import SecretStr

from mattermost_load_test.errors import ApiError, OperationError, OutputError, ServerUnreachableError
from mattermost_load_test.mattermost.archive import Archive, write_archive
from mattermost_load_test.mattermost.importing import (
    CONCURRENT,
    PART_BYTES,
    ImportContext,
    ImportOptions,
    ImportProgress,
    import_lines,
    settings_needed,
)
from mattermost_load_test.mattermost.opening import open_transport
from mattermost_load_test.mattermost.rest import Client
from mattermost_load_test.mattermost.transport import TransportOptions

SAMPLE = Path(__file__).parents[1] / "data" / "exchanges" / "bulkload-sample.jsonl"
USER_LINE = b'{"type":"user","user":{"username":"user0","email":"a@b.c","password":"hu\\"sh"}}\n'
MIGRATING = "Error during job execution. - required migrations have not yet completed., resource not found"


class ImportServer:
    """The import routes of a server, with what goes wrong written into its attributes."""

    def __init__(self) -> None:
        self.files = {"EnableFileAttachments": True, "MaxFileSize": 100 << 20}
        self.users = 0
        self.parts: list[int] = []  # the size of each part that was begun
        self.offset = 0
        self.stored = b""
        self.complete = False
        self.faults: list[str] = []  # one for each part, in order
        self.jobs: list[list[dict[str, Any]]] = [[{"status": "success"}]]  # of each job, what it answers in order
        self.orders: list[dict[str, Any]] = []
        self._size = 0
        self._answers: Iterator[dict[str, Any]] = iter(())

    def app(self) -> web.Application:
        """Return the routes."""
        app = web.Application(client_max_size=1 << 30)
        app.add_routes(
            [
                web.get("/api/v4/config", self._config),
                web.get("/api/v4/users/stats", self._stats),
                web.post("/api/v4/uploads", self._create),
                web.get("/api/v4/uploads/up", self._get),
                web.post("/api/v4/uploads/up", self._part),
                web.get("/api/v4/imports", self._imports),
                web.post("/api/v4/jobs", self._order),
                web.get("/api/v4/jobs/{id}", self._job),
            ]
        )
        return app

    async def _json(self, data: object, status: int = 200) -> web.Response:
        return web.json_response(data, status=status)

    async def _error(self, status: int, error_id: str) -> web.Response:
        return web.json_response({"id": error_id, "message": "no", "status_code": status}, status=status)

    async def _config(self, request: web.Request) -> web.Response:
        return await self._json({"FileSettings": self.files})

    async def _stats(self, request: web.Request) -> web.Response:
        return await self._json({"total_users_count": self.users})

    async def _imports(self, request: web.Request) -> web.Response:
        return await self._json(["up_loadtest.zip"] if self.complete else [])

    async def _create(self, request: web.Request) -> web.Response:
        self._size = (await request.json())["file_size"]
        self.offset, self.complete = 0, False
        return await self._session(201)

    async def _session(self, status: int) -> web.Response:
        data = {"id": "up", "filename": "loadtest.zip", "file_size": self._size, "file_offset": self.offset}
        return await self._json(data, status)

    async def _get(self, request: web.Request) -> web.Response:
        return await (self._error(404, "app.upload.get.app_error") if self.complete else self._session(200))

    async def _part(self, request: web.Request) -> web.StreamResponse:
        self.parts.append(request.content_length or 0)
        fault = self.faults.pop(0) if self.faults else ""
        if fault == "busy":
            return await self._error(400, CONCURRENT)
        if fault == "proxy":
            return web.Response(status=413, text="<html>too large</html>", content_type="text/html")
        if fault == "down":
            return await self._error(500, "store.error")
        if fault == "refused":
            return await self._error(403, "api.context.permissions.app_error")
        body = await request.read()
        taken = body[: len(body) // 2] if fault == "half" else body
        self.stored += taken
        self.offset += len(taken)
        self.complete = self.offset == self._size
        if fault:  # "half" and "lost": the connection breaks before the answer
            assert request.transport is not None
            request.transport.abort()
        if self.complete:
            return await self._json({"id": "fileinfo"})
        return web.Response(status=204)

    async def _order(self, request: web.Request) -> web.Response:
        self.orders.append(await request.json())
        self._answers = iter(self.jobs[min(len(self.orders), len(self.jobs)) - 1])
        return await self._json(self._describe({"status": "pending"}), 201)

    async def _job(self, request: web.Request) -> web.StreamResponse:
        answer = next(self._answers)
        if "users" in answer:
            self.users = answer["users"]
        if answer["status"] == "gone":
            assert request.transport is not None
            request.transport.abort()
        return await self._json(self._describe(answer))

    def _describe(self, answer: dict[str, Any]) -> dict[str, Any]:
        return {"id": f"job{len(self.orders)}", "type": "import_process", "progress": 0, "data": {}} | answer


class Time:
    """A clock that passes only by sleeping."""

    def __init__(self) -> None:
        self.now = 0.0

    def now_s(self) -> float:
        """Return the time."""
        return self.now

    async def sleep(self, duration_s: float) -> None:
        """Pass the time at once."""
        self.now += duration_s
        await asyncio.sleep(0)


class Try:
    """An import into a server: its client, its time and the progress it showed."""

    def __init__(self, client: Client, server: ImportServer) -> None:
        self.client = client
        self.server = server
        self.time = Time()
        self.progress: list[ImportProgress] = []

    async def run(self, lines: Any = (USER_LINE,), **further: Any) -> Archive:
        """Import lines."""
        context = ImportContext(ImportOptions(), self.time.now_s, self.time.sleep, self.progress.append)
        return await import_lines(self.client, lines, context, **further)

    def steps(self) -> list[str]:
        """Return the steps that were shown, each once in a row."""
        return [step for step, _ in itertools.groupby(progress.step for progress in self.progress)]


@pytest.fixture
async def attempt() -> AsyncIterator[Try]:
    """Run the server and open a client of it."""
    server = ImportServer()
    runner = web.AppRunner(server.app(), shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    async with open_transport(TransportOptions(url)) as transport:
        yield Try(Client(transport, SecretStr("token"), url), server)
    await runner.cleanup()


def incompressible(size_bytes: int) -> Iterator[bytes]:
    """Yield lines that stay about as large in an archive."""
    state = 1
    for _ in range(size_bytes // 1000):
        state = state * 6364136223846793005 % (1 << 4000)
        yield b'{"type":"team","x":"%0998x"}' % state


async def test_the_sample_is_imported(attempt: Try) -> None:
    """The lines arrive in a zip without the emoji, and the job is ordered by the upload's name."""
    archive = await attempt.run(SAMPLE.read_bytes().splitlines(keepends=True))
    expected = [line for line in SAMPLE.read_bytes().splitlines() if b'"type":"emoji"' not in line.replace(b" ", b"")]
    with zipfile.ZipFile(BytesIO(attempt.server.stored)) as stored:
        assert stored.namelist() == ["import.jsonl"]
        assert stored.read("import.jsonl").splitlines() == expected
    assert archive.lines == len(expected)
    assert archive.emoji_left_out > 0
    assert attempt.server.orders == [{"type": "import_process", "data": {"import_file": "up_loadtest.zip"}}]
    assert not archive.path.exists()


async def test_attachments_lie_under_data(attempt: Try, tmp_path: Path) -> None:
    """Files that lines refer to go into the archive."""
    (tmp_path / "a.png").write_bytes(b"\x89PNG")
    await attempt.run(attachments={"images/a.png": tmp_path / "a.png"})
    with zipfile.ZipFile(BytesIO(attempt.server.stored)) as stored:
        assert stored.read("data/images/a.png") == b"\x89PNG"


async def test_a_large_archive_goes_in_parts(attempt: Try) -> None:
    """Each part but the last is as large as servers want the first to be, and progress is shown in bytes."""
    archive = await attempt.run(incompressible(5 * PART_BYTES))
    *full, last = attempt.server.parts
    assert full
    assert set(full) == {PART_BYTES}
    assert sum(full) + last == archive.size_bytes == len(attempt.server.stored)
    shown = [progress.done for progress in attempt.progress if progress.step == "uploading"]
    assert shown == [*range(0, archive.size_bytes, PART_BYTES), archive.size_bytes]


@pytest.mark.parametrize("fault", ["half", "lost", "busy", "down"])
async def test_a_broken_upload_goes_on_where_it_stopped(attempt: Try, fault: str) -> None:
    """Whatever arrived is not sent again: the server says how far it is."""
    attempt.server.faults = ["", fault, fault]
    archive = await attempt.run(incompressible(8 * PART_BYTES))
    with zipfile.ZipFile(BytesIO(attempt.server.stored)) as stored:
        assert stored.testzip() is None
    assert len(attempt.server.stored) == archive.size_bytes


async def test_a_lost_answer_to_the_last_part_is_no_loss(attempt: Try) -> None:
    """The server forgets an upload that is complete; its file is found among the imports."""
    attempt.server.faults = ["lost"]
    await attempt.run()
    assert len(attempt.server.parts) == 1
    assert len(attempt.server.orders) == 1


async def test_an_upload_is_given_up_after_several_tries(attempt: Try) -> None:
    """A server that breaks off every part is left alone, after waits that grow."""
    attempt.server.faults = ["down"] * 100
    with pytest.raises(ApiError, match=r"store\.error"):
        await attempt.run()
    assert len(attempt.server.parts) == 6
    assert attempt.time.now == 1 + 2 + 4 + 8 + 16


async def test_a_refused_part_is_not_sent_again(attempt: Try) -> None:
    """What will be refused again is not repeated."""
    attempt.server.faults = ["refused"]
    with pytest.raises(ApiError, match="403"):
        await attempt.run()
    assert len(attempt.server.parts) == 1


async def test_a_proxy_that_refuses_parts_is_named(attempt: Try) -> None:
    """A 413 that is not Mattermost's comes from the proxy, and says which of its limits to raise."""
    attempt.server.faults = ["proxy"]
    with pytest.raises(ApiError, match="client_max_body_size"):
        await attempt.run()


def test_the_settings_that_are_needed() -> None:
    """File attachments on, and the largest file at least the archive."""
    assert settings_needed({"FileSettings": {"EnableFileAttachments": True, "MaxFileSize": 10}}, 10) == {}
    assert settings_needed({"FileSettings": {"EnableFileAttachments": False, "MaxFileSize": 9}}, 10) == {
        "FileSettings": {"EnableFileAttachments": True, "MaxFileSize": 10}
    }


async def test_settings_are_changed_where_that_is_wanted(attempt: Try) -> None:
    """The owner is told what is needed, and the import goes on when the server has it."""
    attempt.server.files = {"EnableFileAttachments": False, "MaxFileSize": 1}

    async def change(settings: dict[str, Any]) -> None:
        attempt.server.files |= settings["FileSettings"]

    archive = await attempt.run(change_settings=change)
    assert attempt.server.files == {"EnableFileAttachments": True, "MaxFileSize": archive.size_bytes}


async def test_settings_that_stay_are_named(attempt: Try) -> None:
    """With a read-only configuration nothing is sent, and the message is what to set."""
    attempt.server.files["MaxFileSize"] = 1

    async def change(settings: dict[str, Any]) -> None:
        """Read-only: nothing changes."""

    with pytest.raises(OperationError, match=r"set FileSettings\.MaxFileSize = \d+ in its configuration"):
        await attempt.run(change_settings=change)
    assert attempt.server.parts == []


async def test_a_limit_that_stays_makes_several_jobs_of_one(attempt: Try) -> None:
    """Where the server keeps its limit on files, smaller ones are sent, and imported one after the other."""
    attempt.server.files["MaxFileSize"] = limit = 1 << 20
    attempt.server.jobs = [[{"status": "success"}]] * 10

    async def change(settings: dict[str, Any]) -> None:
        """Read-only: nothing changes."""

    lines = [
        b'{"type":"version","version":1}\n',
        *(USER_LINE[:-1] + os.urandom(20_000).hex().encode() for _ in range(120)),
    ]
    archive = await attempt.run(lines, change_settings=change)
    assert archive.lines == 121
    assert archive.size_bytes > 2 * limit
    assert len(attempt.server.orders) >= 3
    assert all(size <= limit for size in attempt.server.parts)
    notes = {now.note for now in attempt.progress if now.step == "importing"}
    assert all(
        note.startswith(("part 1, as the server takes no file of", "part 2,", "part 3,", "part 4,")) for note in notes
    )


async def test_progress_is_the_number_of_users(attempt: Try) -> None:
    """A job tells nothing of how far it is; the server's users do, counted from those that were there before."""
    attempt.server.users = 3
    attempt.server.jobs = [
        [
            {"status": "pending"},
            {"status": "in_progress", "users": 3},
            {"status": "in_progress", "users": 5},
            {"status": "success", "progress": 100, "users": 8},
        ]
    ]
    await attempt.run([USER_LINE] * 5)
    assert attempt.steps() == ["uploading", "waiting", "importing"]
    shown = [(progress.done, progress.total) for progress in attempt.progress if progress.step == "importing"]
    assert shown == [(0, 5), (2, 5), (5, 5)]


async def test_packing_shows_progress(attempt: Try) -> None:
    """A long file shows how many of its lines are written."""
    await attempt.run(incompressible(2_500_000))
    await asyncio.sleep(0)
    assert [progress.done for progress in attempt.progress if progress.step == "packing"] == [1000, 2000]


async def test_a_fresh_server_s_migrations_are_waited_for(attempt: Try) -> None:
    """The same file is imported again until the server's migrations are done, and it is said why."""
    failed = {"status": "error", "progress": -1, "data": {"error": MIGRATING, "line_number": "2"}}
    attempt.server.jobs = [[failed], [failed], [{"status": "success"}]]
    await attempt.run()
    assert len(attempt.server.orders) == 3
    assert len(attempt.server.parts) == 1
    assert any("migrates" in progress.note for progress in attempt.progress)


async def test_migrations_are_not_waited_for_for_ever(attempt: Try) -> None:
    """After five minutes the server is taken to be ill."""
    attempt.server.jobs = [[{"status": "error", "data": {"error": MIGRATING, "line_number": "2"}}]]
    with pytest.raises(OperationError, match="background migrations have not completed within 300 s"):
        await attempt.run()
    assert 300 <= attempt.time.now < 330


async def test_a_failed_line_is_shown(attempt: Try) -> None:
    """The error names the job's line and shows what stands in it, without the password."""
    attempt.server.jobs = [[{"status": "error", "data": {"error": "no such channel", "line_number": "2"}}]]
    with pytest.raises(OperationError, match="at line 2: no such channel") as caught:
        await attempt.run([b'{"type":"version","version":1}', USER_LINE])
    message = str(caught.value)
    assert 'line 2 is {"type":"user","user":{"username":"user0","email":"a@b.c","password":"…"}}' in message
    assert "can be run again" in message


@pytest.mark.parametrize("status", ["error", "canceled"])
async def test_a_job_that_fails_without_a_line(attempt: Try, status: str) -> None:
    """Without a line number the server's reason is what there is."""
    attempt.server.jobs = [[{"status": status, "data": {"error": "file not found"}}]]
    with pytest.raises(OperationError, match=f"ended with status {status}: file not found"):
        await attempt.run()


async def test_a_job_without_progress_is_given_up(attempt: Try) -> None:
    """The patience grows with the number of lines."""
    attempt.server.jobs = [[{"status": "in_progress"}] * 10_000]
    with pytest.raises(OperationError, match="has shown no progress for 650 s"):
        await attempt.run([USER_LINE] * 100)
    assert 650 <= attempt.time.now < 660


async def test_progress_renews_the_patience(attempt: Try) -> None:
    """A job may take far longer than the patience as long as users appear."""
    slow = [{"status": "in_progress", "users": minute // 5} for minute in range(0, 60 * 30, 1)]
    attempt.server.jobs = [[*slow, {"status": "success"}]]
    await attempt.run()
    assert attempt.time.now > 3000


async def test_a_server_that_restarts_during_the_job(attempt: Try) -> None:
    """A poll that fails is no failed job."""
    attempt.server.jobs = [[{"status": "gone"}] * 5 + [{"status": "success"}]]
    await attempt.run()


async def test_a_server_that_goes_away_for_good(attempt: Try) -> None:
    """After the patience the connection's own error is the result."""
    attempt.server.jobs = [[{"status": "gone"}] * 10_000]
    with pytest.raises(ServerUnreachableError):
        await attempt.run()


async def test_cancelling_stops_the_packing(attempt: Try) -> None:
    """An endless population is no longer packed once the import is cancelled."""
    begun, stopped = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def endless() -> Iterator[bytes]:
        loop.call_soon_threadsafe(begun.set)
        try:
            while True:
                yield USER_LINE
        finally:
            loop.call_soon_threadsafe(stopped.set)

    task = asyncio.create_task(attempt.run(endless()))
    async with asyncio.timeout(10):
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await stopped.wait()


def test_a_full_disk_is_an_output_error() -> None:
    """What the operating system says, and how to name another place."""
    with pytest.raises(OutputError, match=r"No space left on device.*TMPDIR"):
        write_archive(Path("/dev/full"), [b"x" * 1000] * 1000)


def test_a_line_can_be_looked_up(tmp_path: Path) -> None:
    """Lines are counted from 1 and cut to what fits a message; there is none behind the last."""
    archive = write_archive(tmp_path / "a.zip", [b'{"a":1}', b'{"b":"%s"}' % (b"x" * 1000)])
    assert archive.line(1) == '{"a":1}'
    assert len(archive.line(2)) == 301
    assert archive.line(3) == ""
