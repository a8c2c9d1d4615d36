"""A bulk load: the way it goes, what it will cost, how far it is, and what is left out where a server lacks it."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field

from mattermost_load_test.config import ConnectionConfiguration
from mattermost_load_test.errors import OperationError
from mattermost_load_test.loadtest.bulk.cost import sampled_cost
from mattermost_load_test.loadtest.bulk.loaders import CliLoader, Loader, RestLoader
from mattermost_load_test.loadtest.bulk.method import CLI, choose
from mattermost_load_test.loadtest.bulk.pace import ImportPace
from mattermost_load_test.loadtest.setup.joining import Tell
from mattermost_load_test.logs import Log
from mattermost_load_test.mattermost.importing import MIGRATING, ImportOptions
from mattermost_load_test.mattermost.models import Json, ServerVersion
from mattermost_load_test.mattermost.rest import Client
from mattermost_load_test.mattermost.transport import ServerTransport

POLL_S = 0.5
SCHEME_LINE = '"type":"scheme"'

LinesOf = Callable[[bool], Iterable[bytes]]
"""Gives the lines to load, with or without permission schemes."""


@dataclass(frozen=True, slots=True)
class Needed:
    """How many teams, channels and users a server lacks, and the lines that bring them."""

    teams: int
    channels: int
    users: int
    lines: LinesOf


@dataclass(frozen=True, slots=True)
class BulkLoad:
    """Loads lines into the server that `admin` is logged in to, telling `log` what is done and `tell` how far it is.

    `change_settings` is asked to make the changes of settings that an import needs.
    """

    admin: Client
    transport: ServerTransport
    connection: ConnectionConfiguration
    version: ServerVersion
    log: Log
    tell: Tell
    change_settings: Callable[[Json], Awaitable[object]]
    options: ImportOptions = field(default_factory=lambda: ImportOptions(poll_s=POLL_S))

    async def run(self, needed: Needed) -> None:
        """Load what is needed; raises what a `Loader` raises."""
        loader = self._loader()
        await self._tell_cost(needed)
        try:
            await self._load(loader, needed.lines(True))
        except OperationError as error:
            if SCHEME_LINE not in str(error) or MIGRATING in str(error):  # the line at fault stands in the message
                raise
            self.log.warn("The server takes no permission schemes: loading the population without", error=str(error))
            await self._load(loader, needed.lines(False))

    def _loader(self) -> Loader:
        """Choose the way, and say which and why."""
        choice = choose(self.connection.bulk_load_method, self.version)
        self.log.info(f"Bulk load by {choice.method}: {choice.reason}", method=choice.method)
        if choice.method == CLI:
            return CliLoader(self.admin, self.connection, self.options, self.log)
        return RestLoader(self.admin, self.change_settings, self.options)

    async def _tell_cost(self, needed: Needed) -> None:
        """Say what is to be imported, and what it will cost the server where users are among it."""
        estimate: dict[str, object] = {}
        if needed.users:
            self.tell("measuring what a user costs the server")
            cost = await sampled_cost(self.transport, self.connection, self.transport.server)
            estimate = {
                "server_cpu_estimate_s": round(needed.users * cost.most_s, 1),
                "server_cpu_per_user_s": round(cost.most_s, 4),
                "measured": cost.measured,
            }
        self.log.info(
            "Importing what the server lacks of the population",
            teams=needed.teams,
            channels=needed.channels,
            users=needed.users,
            **estimate,
        )

    async def _load(self, loader: Loader, lines: Iterable[bytes]) -> None:
        """Load `lines`, telling how far it is."""
        pace = ImportPace(time.monotonic)
        archive = await loader.load(lines, lambda now: self.tell(f"import: {pace.words(now)}"))
        self.log.info("Imported", lines=archive.lines, users=archive.user_lines, bytes=archive.size_bytes)
