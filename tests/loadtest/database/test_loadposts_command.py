"""`loadtest loadposts` as a process of its own, on a real database: to its end, and with the database gone halfway."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.loadtest.database import populating

from mattermost_load_test.loadtest.database.connection import Database
from mattermost_load_test.loadtest.database.filling import SessionWish, fill
from mattermost_load_test.loadtest.population.population import Population

DEADLINE_S = 100.0
NOBODY_LISTENS = "http://127.0.0.1:1"


def populated(database: Database) -> Population:
    """Put a population into a database and return it."""
    people: Population = populating.population()
    template = populating.serve(database, people)
    places = populating.teams_of(people), populating.channels_of(people)
    fill(database, people, *places, template, SessionWish(), lambda done, total: None, lambda: None)
    return people


async def start(folder: Path, database: Database, people: Population, posts: int) -> asyncio.subprocess.Process:
    """Start the command for a population whose server does not run."""
    source, environment = database.source, people.environment
    login = f"{source.user}:{source.password.get_secret_value()}"
    place = f"{source.host}:{source.port}"
    names = {
        "postgres": f"postgres://{login}@{place}/{source.database}?sslmode=disable",
        "mysql": f"{login}@tcp({place})/{source.database}",
    }
    configuration = {
        "ConnectionConfiguration": {
            "ServerURL": NOBODY_LISTENS,
            "DriverName": source.driver,
            "DataSource": names[source.driver],
        },
        "LoadtestEnviromentConfig": {
            "NumTeams": environment.num_teams,
            "NumChannelsPerTeam": environment.num_channels_per_team,
            "NumPosts": posts,
        },
    }
    (folder / "loadtestconfig.json").write_text(json.dumps(configuration))
    clean = {name: value for name, value in os.environ.items() if not name.startswith("MMLOADTEST_")}
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "mattermost_load_test.loadtest.cli",
        "loadposts",
        cwd=folder,
        env=clean,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def ended(process: asyncio.subprocess.Process) -> tuple[int | None, str, str]:
    """Wait for the end of a process, and return its exit code and what it said."""
    async with asyncio.timeout(DEADLINE_S):
        stdout, stderr = await process.communicate()
    return process.returncode, stdout.decode(), stderr.decode()


def count(database: Database) -> int:
    """Return how many posts there are."""
    return int(
        populating.rows(database, f"SELECT count(*) AS posts FROM {populating.table(database, 'posts')}")[0]["posts"]
    )


async def until_written(database: Database) -> None:
    """Wait until there are posts."""
    async with asyncio.timeout(DEADLINE_S):
        while not count(database):  # noqa: ASYNC110 — the database tells nobody
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("kind", ["postgres-11.6", "mysql-5.37"])
async def test_a_stopped_server_gets_its_history(
    kind: str, make_database: Callable[[str], Database], tmp_path: Path
) -> None:
    """The command needs no server, draws no bar without a terminal, says what it did, and twice adds nothing."""
    database = make_database(kind)
    people = populated(database)
    code, said, errors = await ended(await start(tmp_path, database, people, 800))
    assert (code, said) == (0, "Wrote 800 posts, 8 channels have their history\n"), errors
    assert "does not run, so it has nothing to forget" in errors
    assert "\x1b" not in errors
    code, said, errors = await ended(await start(tmp_path, database, people, 800))
    assert said == "Wrote 0 posts, 8 channels have their history; 800 were there already\n"
    assert count(database) == 800


@pytest.mark.slow
async def test_the_database_goes_away(mortal_postgres: Any, tmp_path: Path) -> None:
    """Killed under the command, the database is named, exit code 3; once it is back, the command completes its work."""
    database = Database(mortal_postgres.create("mortal", "5.37"))
    people = populated(database)
    process = await start(tmp_path, database, people, 80_000)
    await until_written(database)
    mortal_postgres.kill()
    code, _, errors = await ended(process)
    assert code == 3
    assert f"PostgreSQL at 127.0.0.1:{mortal_postgres.port} cannot be reached, or the connection was lost" in errors
    assert "run the command again" in errors
    assert "Traceback" not in errors
    mortal_postgres.start()
    there = count(database)
    assert 0 < there < 80_000
    assert there % 10_000 == 0
    code, said, errors = await ended(await start(tmp_path, database, people, 80_000))
    assert (code, count(database)) == (0, 80_000), errors
    assert said.startswith(f"Wrote {80_000 - there:,} posts, 8 channels have their history; {there:,} were there")
