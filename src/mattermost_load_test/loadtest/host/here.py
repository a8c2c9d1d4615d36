"""The machine of the agent as the host of the server, too."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from mattermost_load_test.errors import ServerHostError
from mattermost_load_test.loadtest.host.shell import KEPT_OUTPUT_BYTES, Ended

END_S = 10.0  # for a command to end by itself when it is told to
CHUNK_BYTES = 8192


class ThisHost:
    """Runs commands as processes of this machine."""

    name = "this host"

    async def has(self, path: str) -> bool:
        """Say whether a program lies at `path`."""
        return await asyncio.to_thread(os.access, path, os.X_OK)

    async def run(self, command: Sequence[str], folder: str) -> Ended:
        """Run a command in `folder`, in a process group of its own, which ends with it."""
        try:
            process = await asyncio.create_subprocess_exec(
                *command,
                cwd=folder,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            raise ServerHostError(
                f"{command[0]} cannot be run in {folder} ({error.strerror}); check "
                "ConnectionConfiguration.MattermostInstallDir"
            ) from error
        assert process.stdout is not None  # it was asked for
        try:
            output = await _end_of(process.stdout)
            return Ended(await process.wait(), output)
        finally:
            await _finish(process)

    @asynccontextmanager
    async def placed(self, file: Path) -> AsyncIterator[str]:
        """Give the file's own path."""
        yield str(file)


async def _end_of(stream: asyncio.StreamReader) -> str:
    """Read a stream to its end and return the last of it."""
    kept = bytearray()
    while chunk := await stream.read(CHUNK_BYTES):
        kept += chunk
        del kept[:-KEPT_OUTPUT_BYTES]
    return kept.decode("utf-8", "replace")


async def _finish(process: asyncio.subprocess.Process) -> None:
    """End a process that still runs, and what it started."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        if process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), END_S)
