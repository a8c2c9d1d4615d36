"""What can go wrong before or during a run: each one message saying what to do, no traceback, and its exit code."""

from __future__ import annotations

import asyncio
import json
import os
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.self_signed import self_signed

from mattermost_load_test.timings.reading import read_log

AgentHere = Any
"""An `Agent` of the conftest beside."""


@pytest.fixture(params=["all", "check"])
def command(request: pytest.FixtureRequest) -> str:
    """Give each command that speaks to a server."""
    return str(request.param)


async def test_a_server_that_is_not_there(agent: AgentHere, command: str) -> None:
    """A refused connection ends with 3 and names the key to look at."""
    agent.set(ConnectionConfiguration_ServerURL="http://127.0.0.1:1")
    ended = await agent.run(command)
    assert ended.code == 3
    assert "http://127.0.0.1:1" in ended.error
    assert "ConnectionConfiguration.ServerURL" in ended.error


async def test_a_host_that_is_unknown(agent: AgentHere, command: str) -> None:
    """A name that nobody knows ends with 3, too."""
    agent.set(ConnectionConfiguration_ServerURL="http://nowhere.invalid:8065")
    ended = await agent.run(command)
    assert ended.code == 3
    assert "nowhere.invalid" in ended.error


async def test_a_wrong_admin_password(agent_here: AgentHere, command: str) -> None:
    """The message names the account, the keys and the command to make one, never the password."""
    assert (await agent_here.run("basic")).code == 0
    agent_here.set(ConnectionConfiguration_AdminPassword="wrongsecret")
    ended = await agent_here.run(command)
    assert ended.code == 3
    assert "success+ltadmin@simulator.amazonses.com" in ended.error
    assert "AdminPassword" in ended.error
    assert "mmctl" in ended.error
    assert "wrongsecret" not in ended.stdout + ended.stderr


async def test_an_admin_who_is_none(agent_here: AgentHere, command: str) -> None:
    """An ordinary account is not taken for the admin."""
    assert (await agent_here.run("basic")).code == 0
    agent_here.set(
        ConnectionConfiguration_AdminEmail="success+user1@simulator.amazonses.com",
        ConnectionConfiguration_AdminPassword="Loadtestpassword1",
    )
    ended = await agent_here.run(command)
    assert ended.code == 3
    assert "is no system admin" in ended.error


async def test_a_server_that_answers_html(agent_here: AgentHere, embedded: Any, command: str) -> None:
    """A proxy's page in place of an answer is told as what it is."""
    await embedded.faults.turn(html_rate=1.0)
    ended = await agent_here.run(command)
    assert ended.code == 3
    assert "HTML" in ended.error


async def test_a_web_site_that_is_no_mattermost(agent: AgentHere, command: str) -> None:
    """A page with status 200 is not taken for a server."""
    page = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 13\r\nConnection: close\r\n\r\n<html></html>"
    async with listener(page) as port:
        agent.set(ConnectionConfiguration_ServerURL=f"http://127.0.0.1:{port}")
        ended = await agent.run(command)
    assert ended.code == 3
    assert "is not a Mattermost" in ended.error


async def test_a_server_that_hangs(agent_here: AgentHere, embedded: Any, command: str) -> None:
    """No answer within the request time-out ends with 3; it never waits for ever."""
    agent_here.set(ConnectionConfiguration_RequestTimeoutSeconds=0.3)
    await embedded.faults.turn(hang_rate=1.0)
    ended = await agent_here.run(command)
    assert ended.code == 3
    assert "RequestTimeoutSeconds" in ended.error


async def test_a_certificate_nobody_signed(agent: AgentHere, command: str, tmp_path: Path) -> None:
    """The message names the two keys that help."""
    async with listener(b"", self_signed(tmp_path).server) as port:
        agent.set(ConnectionConfiguration_ServerURL=f"https://127.0.0.1:{port}")
        ended = await agent.run(command)
    assert ended.code == 3
    assert "certificate" in ended.error
    assert "CAFile" in ended.error
    assert "SkipCertificateVerification" in ended.error


@asynccontextmanager
async def listener(answer: bytes, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """Run something that gives every connection the same answer; gives its port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def test_a_port_in_use(agent: AgentHere) -> None:
    """`loadtest server` on a taken port is wrong use: 2, and the port is named."""
    async with listener(b"") as port:
        ended = await agent.run("server", "--port", str(port), "--empty")
    assert ended.code == 2
    assert str(port) in ended.error


async def test_a_full_disk_at_the_start(agent_here: AgentHere) -> None:
    """A log that cannot take its first line ends the run with 1 before anything is done to the server."""
    agent_here.set(LogSettings_FileLocation="/dev/full")
    ended = await agent_here.run("all")
    assert ended.code == 1
    assert "No space left" in ended.error
    assert "/dev/full" in ended.error


async def test_a_full_stdout(agent_here: AgentHere) -> None:
    """`loadtest all > /full/disk` says so instead of losing the samples silently."""
    full = os.open("/dev/full", os.O_WRONLY)
    ended = await agent_here.run("all", stdout=full)
    os.close(full)
    assert ended.code == 1
    assert "stdout" in ended.error


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Give a disk of 64 kB of its own; needs to be root."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", disk], capture_output=True)
    if mounted.returncode:
        pytest.skip("mounting a small disk needs root")
    yield disk
    subprocess.run(["umount", disk], check=True)


@pytest.mark.slow
async def test_a_disk_that_fills_during_the_run(agent_here: AgentHere, small_disk: Path) -> None:
    """The run ends with 1 and its report; every line that was written is whole and readable."""
    log = small_disk / "loadtest.log"
    agent_here.set(LogSettings_FileLocation=log, UserEntitiesConfiguration_TestLengthMinutes=5)
    ended = await agent_here.run("all")
    assert ended.code == 1
    assert "No space left" in ended.error
    assert log.read_bytes().endswith(b"\n")
    with log.open("rb") as stream:
        read = read_log(stream, str(log))
    assert read.warnings == ()
    (instance,) = read.instances.values()
    assert instance.timings.hits > 0
    assert f"Total Hits: {instance.timings.routes['POST /channels/members/me/view'].hits}" in ended.stderr


async def test_a_folder_that_cannot_be_written(agent_here: AgentHere) -> None:
    """A log file below a file is an error that names its key."""
    agent_here.set(LogSettings_FileLocation="loadtestconfig.json/loadtest.log")
    ended = await agent_here.run("all")
    assert ended.code == 1
    assert "LogSettings.FileLocation" in ended.error


async def test_a_report_that_cannot_be_written(agent_here: AgentHere) -> None:
    """The report is shown all the same, and the message says how to make the file again."""
    (agent_here.folder / "results.txt").mkdir()
    ended = await agent_here.run("all")
    assert ended.code == 1
    assert "Scenario    all" in ended.stderr
    assert "ltparse results --file" in ended.error


@pytest.mark.parametrize("command", ["all", "check", "genbulkload", "server"])
async def test_a_broken_configuration(agent: AgentHere, command: str) -> None:
    """Every command names each problem of the file with its place and ends with 2."""
    agent.configure({"UserEntitiesConfiguration": {"NumActiveEntitys": 5, "TestLengthMinutes": "long"}})
    ended = await agent.run(command)
    assert ended.code == 2
    assert "NumActiveEntities" in ended.stderr
    assert "TestLengthMinutes" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("command", ["all", "check", "genbulkload"])
async def test_no_configuration(agent: AgentHere, command: str) -> None:
    """Without a file the message says where it is looked for; 2."""
    (agent.folder / "loadtestconfig.json").unlink()
    ended = await agent.run(command)
    assert ended.code == 2
    assert "--config" in ended.error


async def test_a_configuration_named_that_is_not_there(agent: AgentHere) -> None:
    """`--config` counts before and behind the command."""
    for arguments in (("--config", "other.json", "check"), ("check", "--config", "other.json")):
        ended = await agent.run(*arguments)
        assert ended.code == 2
        assert "other.json" in ended.error


def test_a_working_folder_that_was_removed(tmp_path: Path) -> None:
    """What stands in a folder that is gone is told to leave it."""
    command = (
        f'cd "{tmp_path}" && rmdir "{tmp_path}" && exec "{sys.executable}" -m mattermost_load_test.loadtest.cli check'
    )
    ended = subprocess.run(["sh", "-c", command], capture_output=True, text=True)
    assert (ended.returncode, ended.stderr) == (
        2,
        "Error: the current folder was removed: change to one that is there\n",
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ("nonsense",),
        ("server", "--latency", "slow"),
        ("server", "--latency", "nan"),
        ("server", "--error-rate", "2"),
        ("server", "--error-rate", "nan"),
        ("server", "--outage-for", "inf"),
        ("server", "--users", "0"),
        ("server", "--empty", "--users", "5"),
        ("server", "--server-version", "3"),
        ("all", "--nonsense"),
    ],
)
async def test_wrong_use(agent: AgentHere, arguments: tuple[str, ...]) -> None:
    """A command, option or value that there is not ends with 2 and the usage."""
    ended = await agent.run(*arguments)
    assert ended.code == 2
    assert "Usage: loadtest" in ended.stderr
    assert ended.error


async def test_a_reader_that_goes_away(agent_here: AgentHere) -> None:
    """`loadtest all | head -1` ends the run in order instead of writing into nothing."""
    read, write = os.pipe()
    running = await agent_here.start("all", stdout=write)
    os.close(write)
    first = await asyncio.to_thread(os.read, read, 4096)
    os.close(read)
    ended = await running.ended()
    assert json.loads(first.splitlines()[0])["msg"] == "Running test"
    assert ended.code == 1
    assert "stdout" in ended.error


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&- >&- 2>&-"])
async def test_streams_that_are_closed(agent_here: AgentHere, closed: str) -> None:
    """Started without streams, as some supervisors do, a run is a run: its log and report are in their files."""
    agent_here.set(UserEntitiesConfiguration_ActionRateMilliseconds=1000)
    command = f'exec "{sys.executable}" -m mattermost_load_test.loadtest.cli basic {closed}'
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MMLOADTEST_")}
    process = await asyncio.create_subprocess_shell(
        command, cwd=agent_here.folder, env=environment | agent_here.environment
    )
    async with asyncio.timeout(60.0):
        assert await process.wait() == 0
    with agent_here.log.open("rb") as stream:
        read = read_log(stream, "log")
    assert read.warnings == ()
    assert "Scenario    basic" in (agent_here.folder / "results.txt").read_text()


async def test_websockets_that_cannot_be_had(agent_here: AgentHere) -> None:
    """A wrong WebsocketURL costs no request: the failed attempts are told, counted, and the summary warns."""
    agent_here.set(
        ConnectionConfiguration_WebsocketURL="ws://127.0.0.1:1", UserEntitiesConfiguration_ActionRateMilliseconds=1000
    )
    ended = await agent_here.run("basic")
    assert ended.code == 0, ended.stderr
    assert "failed to connect" in ended.stderr
    assert "WARNING: no websocket got an event" in ended.stderr
    assert len([line for line in ended.lines if line.get("kind") == "websocket: connection"]) == 1
