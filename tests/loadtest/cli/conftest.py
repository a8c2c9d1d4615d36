"""The `loadtest` command as a process of its own, in a folder of its own, against embedded servers."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.small_population import SMALL_POPULATION

from mattermost_load_test.embedded.server import EmbeddedServer

DEADLINE_S = 60.0
"""How long a test waits for a process: far longer than any takes."""

SMALL = {
    "ConnectionConfiguration": {"AdminPassword": "adminsecret1", "RequestTimeoutSeconds": 10},
    "LoadtestEnviromentConfig": SMALL_POPULATION,
    "UserEntitiesConfiguration": {
        "TestLengthMinutes": 0.02,
        "NumActiveEntities": 10,
        "ActionRateMilliseconds": 300,
        "ActionRateMaxVarianceMilliseconds": 0,
        "MaxLatenessMilliseconds": 60_000,
    },
    "ResultsConfiguration": {"PProfDelayMinutes": 0},
}
"""A run of a second or so, by ten of twelve users who are all in all channels."""


@dataclass(frozen=True)
class Ended:
    """How a process ended."""

    code: int
    stdout: str
    stderr: str

    @property
    def lines(self) -> list[dict[str, Any]]:
        """The lines of stdout, each of which must be JSON."""
        return [json.loads(line) for line in self.stdout.splitlines()]

    def told(self, message: str) -> list[dict[str, Any]]:
        """Return the log's lines with this message."""
        return [line for line in self.lines if line.get("msg") == message]

    @property
    def error(self) -> str:
        """The one error message on stderr; nothing else may look like a mishap."""
        assert "Traceback" not in self.stderr, self.stderr
        found = [line for line in self.stderr.splitlines() if line.startswith("Error: ")]
        assert len(found) == 1, self.stderr
        return found[0].removeprefix("Error: ")


class Running:
    """A process that runs."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path) -> None:
        self.process = process
        self.log = log

    async def until_logged(self, text: str) -> None:
        """Wait until `text` stands in the process's log file."""
        async with asyncio.timeout(DEADLINE_S):
            while not self.log.exists() or text not in self.log.read_text():
                assert self.process.returncode is None, f"it ended before it said {text!r}"
                await asyncio.sleep(0.02)

    def signal(self, number: signal.Signals) -> None:
        """Send the process a signal."""
        self.process.send_signal(number)

    async def ended(self) -> Ended:
        """Wait for the end."""
        async with asyncio.timeout(DEADLINE_S):
            stdout, stderr = await self.process.communicate()
        assert self.process.returncode is not None
        return Ended(self.process.returncode, (stdout or b"").decode(), (stderr or b"").decode())


class Agent:
    """The command `loadtest` in a folder with a small configuration."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment: dict[str, str] = {}
        self.log = folder / "loadtest.log"
        self._started: list[asyncio.subprocess.Process] = []
        self.configure(SMALL)

    def configure(self, configuration: Mapping[str, Any]) -> None:
        """Write the configuration file."""
        (self.folder / "loadtestconfig.json").write_text(json.dumps(configuration))

    def set(self, **keys: object) -> None:
        """Set keys by environment, each named as `Section_Key`."""
        self.environment.update({f"MMLOADTEST_{key.upper()}": str(value) for key, value in keys.items()})

    def use(self, server: EmbeddedServer) -> Agent:
        """Point it at a server."""
        self.set(ConnectionConfiguration_ServerURL=server.url)
        return self

    async def start(self, *arguments: str, **files: Any) -> Running:
        """Start `loadtest` with these arguments; `files` may replace stdout and stderr, which are read else."""
        pipes = {"stdout": asyncio.subprocess.PIPE, "stderr": asyncio.subprocess.PIPE} | files
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "mattermost_load_test.loadtest.cli",
            *arguments,
            cwd=self.folder,
            env=clean_environment() | self.environment,
            stdin=asyncio.subprocess.DEVNULL,
            **pipes,
        )
        self._started.append(process)
        return Running(process, self.log)

    async def run(self, *arguments: str, **files: Any) -> Ended:
        """Run `loadtest` with these arguments to its end."""
        return await (await self.start(*arguments, **files)).ended()

    async def kill(self) -> None:
        """End what still runs."""
        for process in self._started:
            if process.returncode is None:
                with suppress(ProcessLookupError):
                    process.kill()
                await process.communicate()


def clean_environment() -> dict[str, str]:
    """Return the environment without what rules the command."""
    return {name: value for name, value in os.environ.items() if not name.startswith("MMLOADTEST_")}


@pytest.fixture
async def agent(tmp_path: Path) -> AsyncIterator[Agent]:
    """Give the command `loadtest`, whose processes end with the test."""
    agent = Agent(tmp_path)
    try:
        yield agent
    finally:
        await agent.kill()


@pytest.fixture
def agent_here(agent: Agent, embedded: EmbeddedServer) -> Agent:
    """Give the command pointed at an embedded server just installed."""
    return agent.use(embedded)
