"""Loading by the server's command line: a server that still migrates, a program that shows no progress."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from mattermost_load_test.config import ConnectionConfiguration
from mattermost_load_test.errors import OperationError
from mattermost_load_test.loadtest.bulk.loaders import CliLoader
from mattermost_load_test.logs import Log
from mattermost_load_test.mattermost.importing import ImportOptions, ImportProgress
from mattermost_load_test.mattermost.opening import open_transport
from mattermost_load_test.mattermost.rest import Client
from mattermost_load_test.mattermost.transport import TransportOptions

LINES = [
    b'{"type":"version","version":1}\n',
    b'{"type":"team","team":{"name":"crew","display_name":"Crew","type":"O"},"version":1}\n',
]
IMPATIENT = ImportOptions(poll_s=0.05, patience_s=1.0, patience_per_line_s=0.0, migration_poll_s=0.05)

Installed = Any
"""An `Installed` of the conftest above."""


@asynccontextmanager
async def loader(embedded: Any, add_person: Any, installed: Installed, **settings: object) -> AsyncIterator[CliLoader]:
    """Give a loader for a server by a program that does as `settings` say."""
    boss = await add_person(embedded, "boss")
    installed.belongs_to(embedded.url, boss.token, **settings)
    connection = ConnectionConfiguration(mattermost_install_dir=str(installed.folder))
    async with open_transport(TransportOptions(embedded.url)) as transport:
        admin = Client(transport)
        await admin.login("boss", "Loadtestpassword1")
        yield CliLoader(admin, connection, IMPATIENT, Log())


async def test_a_server_that_migrates_is_waited_for(embedded: Any, add_person: Any, installed: Installed) -> None:
    """The program is called until the server takes schemes, as with the import job; the wait is told."""
    shown: list[ImportProgress] = []
    options = {"migrating": 2}
    async with loader(embedded, add_person, installed, **options) as cli:
        patient = CliLoader(cli.admin, cli.connection, ImportOptions(poll_s=0.05, migration_poll_s=0.05), cli.log)
        archive = await patient.load(LINES, shown.append)
    assert archive.lines == 2
    assert len(installed.calls) == 3
    assert embedded.state.teams.by_name["crew"]
    assert [now.note for now in shown if now.step == "waiting"] == [
        "the server migrates its data after its first start"
    ] * 2


async def test_a_program_without_progress_is_ended(embedded: Any, add_person: Any, installed: Installed) -> None:
    """One that hangs is given up after its patience, and does not run on."""
    async with loader(embedded, add_person, installed, hangs=True) as cli:
        with pytest.raises(OperationError, match=r"has shown no progress for 1 s"):
            await cli.load(LINES, lambda now: None)
    for call in installed.calls:
        with pytest.raises(ProcessLookupError):
            os.kill(call["pid"], 0)


async def test_a_server_too_busy_to_tell_is_no_reason_to_stop(
    embedded: Any, add_person: Any, installed: Installed
) -> None:
    """While the program imports, the server may not say how far it is: the import goes on."""
    shown: asyncio.Queue[ImportProgress] = asyncio.Queue()
    async with loader(embedded, add_person, installed, naps_s=4) as cli:
        patient = CliLoader(cli.admin, cli.connection, ImportOptions(poll_s=0.05), cli.log)
        loading = asyncio.create_task(patient.load(LINES, shown.put_nowait))
        await asyncio.wait_for(shown.get(), 20)
        await embedded.faults.turn(error_rate=1.0)
        for _ in range(5):
            await asyncio.wait_for(shown.get(), 20)
        await embedded.faults.turn(error_rate=0.0)
        await asyncio.wait_for(loading, 20)
    assert embedded.state.teams.by_name["crew"]


async def test_an_interrupted_load_ends_the_program(embedded: Any, add_person: Any, installed: Installed) -> None:
    """Ctrl-C does not leave an import running that nobody knows of."""
    async with loader(embedded, add_person, installed, hangs=True) as cli:
        waiting = ImportOptions(poll_s=0.05)
        loading = asyncio.create_task(
            CliLoader(cli.admin, cli.connection, waiting, cli.log).load(LINES, lambda now: None)
        )
        async with asyncio.timeout(20):
            while not installed.calls:  # noqa: ASYNC110 - a program is not ours to signal from
                await asyncio.sleep(0.02)
        loading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await loading
    with pytest.raises(ProcessLookupError):
        os.kill(installed.calls[0]["pid"], 0)
