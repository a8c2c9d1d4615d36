"""Jobs of the embedded server, above all the bulk import.

A job waits a moment before it starts, as on a real server (which takes up to 15 s), and works in small steps, so that
the server goes on answering meanwhile.
"""

from __future__ import annotations

import asyncio
import io
import zipfile
from collections.abc import Iterator
from pathlib import PurePosixPath

from mattermost_load_test.embedded.importer import Importer, ImportFailure
from mattermost_load_test.embedded.state import State
from mattermost_load_test.embedded.tables.work import (
    CANCEL_REQUESTED,
    CANCELED,
    ERROR,
    IN_PROGRESS,
    PENDING,
    SUCCESS,
    Job,
)

IMPORT = "import_process"

START_DELAY_S = 0.3
"""How long a job waits; a real server looks for new jobs every 15 s."""

LINES_AT_ONCE = 50
"""How many lines are imported before other work has its turn."""


class JobWorker:
    """Carries out the jobs of a server, one after the other."""

    def __init__(self, state: State, start_delay_s: float = START_DELAY_S) -> None:
        self._state = state
        self._start_delay_s = start_delay_s
        self._waiting: asyncio.Queue[Job] = asyncio.Queue()

    def submit(self, job: Job) -> None:
        """Take a new job."""
        self._state.work.jobs[job.id] = job
        self._waiting.put_nowait(job)

    async def run(self) -> None:
        """Carry out jobs as they come, until cancelled."""
        while True:
            job = await self._waiting.get()
            await asyncio.sleep(self._start_delay_s)
            if job.status == CANCEL_REQUESTED:
                job.status = CANCELED
            if job.status == PENDING:
                await self._carry_out(job)

    async def _carry_out(self, job: Job) -> None:
        job.status = IN_PROGRESS
        job.start_at = job.last_activity_at = self._state.now_ms()
        failure = await self._import(job) if job.type == IMPORT else None
        job.last_activity_at = self._state.now_ms()
        if job.status == CANCEL_REQUESTED:
            job.status = CANCELED
        elif failure is None:
            job.status = SUCCESS
            job.progress = 100 if self._state.version.modern else 0
        else:
            self._fail(job, failure)

    def _fail(self, job: Job, failure: ImportFailure) -> None:
        job.status = ERROR
        job.progress = -1
        if self._state.version.modern:
            details = f", {failure.details}" if failure.details else ""
            text = f"Error during job execution. — BulkImport: {failure.message}{details}"
        else:
            text = failure.message + (f" — {failure.details}" if failure.details else "")
        job.data["error"] = text
        if failure.line_number:
            job.data["line_number"] = str(failure.line_number)

    async def _import(self, job: Job) -> ImportFailure | None:
        name = job.data.get("import_file")
        if name is None:
            return _no_file("missing_file", "import_file parameter is missing.")
        archive = self._state.work.imports.get(name)
        if archive is None:
            return _no_file("file_exists", "file does not exists.")
        try:
            with zipfile.ZipFile(io.BytesIO(archive)) as opened:
                inside = [entry for entry in opened.namelist() if PurePosixPath(entry).suffix == ".jsonl"]
                if not inside:
                    return _no_file("missing_jsonl", "JSONL file is missing.")
                with opened.open(inside[0]) as lines:
                    failure = await self._import_lines(job, iter(lines))
        except zipfile.BadZipFile as error:
            return _no_file("open_file", "failed to open file.", str(error))
        if failure is None:
            self._state.work.imports.pop(name, None)
        return failure

    async def _import_lines(self, job: Job, lines: Iterator[bytes]) -> ImportFailure | None:
        importer = Importer(self._state, None)
        for number, line in enumerate(lines, start=1):
            if line.strip() and not importer.take(line):
                return importer.result.failure
            if number % LINES_AT_ONCE == 0:
                job.last_activity_at = self._state.now_ms()
                await asyncio.sleep(0)
                if job.status == CANCEL_REQUESTED:
                    break
        return None


def _no_file(name: str, message: str, details: str = "") -> ImportFailure:
    return ImportFailure(0, f"import_process.worker.do_job.{name}", f"Unable to process import: {message}", details)
