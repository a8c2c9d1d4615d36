"""The ways to have a server import lines: its import job over REST, and its own command line."""

from __future__ import annotations

import asyncio
import re
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from mattermost_load_test.config import ConnectionConfiguration
from mattermost_load_test.errors import OperationError, ServerError
from mattermost_load_test.loadtest.host.server_cli import ServerCli, open_server_cli
from mattermost_load_test.loadtest.host.shell import Ended, last_words
from mattermost_load_test.logs import Log
from mattermost_load_test.mattermost.archive import Archive, write_plain
from mattermost_load_test.mattermost.importing import (
    MIGRATING,
    ImportContext,
    ImportOptions,
    ImportProgress,
    import_lines,
    session_refused,
    users_on,
)
from mattermost_load_test.mattermost.models import Json
from mattermost_load_test.mattermost.rest import Client

LINES_FILE = "loadtest.jsonl"
_LINE_NUMBER = re.compile(r"data file line (\d+)")

ShowProgress = Callable[[ImportProgress], object]


class Loader(Protocol):
    """A way to have a server import lines."""

    async def load(self, lines: Iterable[bytes], show: ShowProgress) -> Archive:
        """Import `lines` and return what was sent; its file is gone by then.

        Raises `OperationError` when the server does not import them, with the line at fault; what stands before it
        stays imported, and the same lines can be imported again.
        """
        ...


@dataclass(frozen=True, slots=True)
class RestLoader:
    """Loads by the server's import job; `change_settings` makes the changes of settings that it needs."""

    admin: Client
    change_settings: Callable[[Json], Awaitable[object]]
    options: ImportOptions

    async def load(self, lines: Iterable[bytes], show: ShowProgress) -> Archive:
        """See `Loader.load`."""
        context = ImportContext(self.options, progress=show)
        return await import_lines(self.admin, lines, context, change_settings=self.change_settings)


@dataclass(frozen=True, slots=True)
class CliLoader:
    """Loads by the server's own command line, on its host; how far it is, is asked of the server over REST."""

    admin: Client
    connection: ConnectionConfiguration
    options: ImportOptions
    log: Log

    async def load(self, lines: Iterable[bytes], show: ShowProgress) -> Archive:
        """See `Loader.load`; raises `ServerHostError` when the command line cannot be had, too."""
        with tempfile.TemporaryDirectory(prefix="loadtest-import-") as folder:
            archive = await asyncio.to_thread(write_plain, Path(folder) / LINES_FILE, lines)
            async with open_server_cli(self.connection) as cli:
                self.log.info("Importing by the server's command line", program=cli.name)
                ended = await self._imported(cli, archive, show)
            await self.admin.system.invalidate_caches()  # the running server does not know what was done beside it
            if ended.code:
                raise await asyncio.to_thread(import_error, cli.name, ended, archive)
        return archive

    async def _imported(self, cli: ServerCli, archive: Archive, show: ShowProgress) -> Ended:
        """Run the import, again and again while a fresh server still migrates its data and takes no schemes."""
        give_up_s = time.monotonic() + self.options.migration_patience_s
        while True:
            ended = await self._watched(cli, archive, show)
            if MIGRATING not in ended.output or time.monotonic() >= give_up_s:
                return ended
            show(ImportProgress("waiting", note="the server migrates its data after its first start"))
            await asyncio.sleep(self.options.migration_poll_s)

    async def _watched(self, cli: ServerCli, archive: Archive, show: ShowProgress) -> Ended:
        """Run the import and tell how many users there are more; ends it when there is no progress for too long."""
        users_before = await users_on(self.admin)
        patience_s = self.options.patience_s + self.options.patience_per_line_s * archive.lines
        users, give_up_s = users_before, time.monotonic() + patience_s
        running = asyncio.ensure_future(cli.import_file(archive.path, self.options.workers))
        try:
            while not running.done():
                await asyncio.wait([running], timeout=self.options.poll_s)
                now = await self._users_now(users)
                if now != users:
                    users, give_up_s = now, time.monotonic() + patience_s
                if time.monotonic() >= give_up_s:
                    raise OperationError(
                        f"{cli.name} has shown no progress for {patience_s:g} s; look into the server's log"
                    )
                show(ImportProgress("importing", max(0, users - users_before), archive.user_lines))
            return await running
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    async def _users_now(self, before: int) -> int:
        """Return how many users the server has; a server too busy to say, or away, has as many as before."""
        try:
            return await users_on(self.admin)
        except ServerError as error:
            if session_refused(error):
                raise
            return before


def import_error(name: str, ended: Ended, archive: Archive) -> OperationError:
    """Return the error for an import by command line that failed, with the line it stopped at. Blocks."""
    said = last_words(ended.output)
    match = _LINE_NUMBER.search(ended.output)
    if match is None:
        return OperationError(f"the import by {name} ended with {ended.code}: {said}")
    return OperationError(
        f"the import by {name} ended with {ended.code} at line {match[1]}: {said}\n"
        f"line {match[1]} is {archive.line(int(match[1]))}\n"
        "what stands before it is imported and stays; the same import can be run again once it is put right"
    )
