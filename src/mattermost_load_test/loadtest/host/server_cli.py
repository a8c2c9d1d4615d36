"""The server's own command line, on the host that it runs on: `bin/mattermost`, before 5.0 `bin/platform`, `mmctl`.

It works on the server's database beside the server, so the running server's caches are stale afterwards.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from mattermost_load_test.config import ConnectionConfiguration
from mattermost_load_test.errors import ServerHostError
from mattermost_load_test.loadtest.host.here import ThisHost
from mattermost_load_test.loadtest.host.over_ssh import SshAddress, ssh_host
from mattermost_load_test.loadtest.host.shell import Ended, Host, last_words

PROGRAMS = ("bin/mattermost", "bin/platform")
REMOTE_CONTROL = "bin/mmctl"
UNKNOWN_COMMAND = ("unknown command", "unknown flag")
SOCKET_ADVICE = "; mmctl reaches the server by a socket of its host, which ServiceSettings.EnableLocalMode opens"


class ServerCli:
    """The command line of a server that is installed in `install_dir` on `host`; `config_file` may be empty."""

    def __init__(self, host: Host, install_dir: str, config_file: str, program: str) -> None:
        self._host = host
        self._install_dir = install_dir
        self._config_file = config_file
        self._program = program

    @property
    def name(self) -> str:
        """What messages call it."""
        return f"{self._install_dir}/{self._program} on {self._host.name}"

    async def import_file(self, file: Path, workers: int) -> Ended:
        """Import a file of lines, so many side by side (0: as many as the program likes); takes as long as it takes."""
        side_by_side = ("--workers", str(workers)) if workers else ()
        async with self._host.placed(file) as path:
            return await self._run("import", "bulk", path, "--apply", *side_by_side)

    async def create_admin(self, email: str, username: str, password: str) -> str:
        """Make a system admin, by `mmctl` where the program has no commands for users any more (6.0 and later).

        The password stands in the process list of the host meanwhile: give one that is good for nothing afterwards.
        Returns what was run, without the password; raises `ServerHostError` when it failed.
        """
        account = ("user", "create", "--email", email, "--username", username, "--password", password)
        ended = await self._run(*account, "--system_admin")
        if ended.code == 0 or not _lacks_command(ended):
            return _checked(f"{self._program} user create", ended)
        mmctl = f"{self._install_dir}/{REMOTE_CONTROL}"
        if not await self._host.has(mmctl):
            raise ServerHostError(f"{self.name} makes no users any more, and there is no {mmctl} beside it")
        ended = await self._host.run((mmctl, "--local", *account, "--system-admin"), self._install_dir)
        return _checked(f"{REMOTE_CONTROL} --local user create", ended)

    async def _run(self, *arguments: str) -> Ended:
        """Run the program in its folder, where it looks for its configuration and its data."""
        config = ("--config", self._config_file) if self._config_file else ()
        return await self._host.run((f"{self._install_dir}/{self._program}", *arguments, *config), self._install_dir)


def _lacks_command(ended: Ended) -> bool:
    """Say whether the program does not know what it was asked."""
    return any(words in ended.output for words in UNKNOWN_COMMAND)


def _checked(command: str, ended: Ended) -> str:
    """Return the command that ended well; raises `ServerHostError` for another."""
    if ended.code:
        advice = SOCKET_ADVICE if "local mode" in ended.output else ""
        raise ServerHostError(f"`{command}` ended with {ended.code}: {last_words(ended.output)}{advice}")
    return command


@asynccontextmanager
async def open_server_cli(connection: ConnectionConfiguration) -> AsyncIterator[ServerCli]:
    """Give the command line of the server in a configuration; raises `ServerHostError` when it cannot be had."""
    if connection.local_commands:
        yield await _found(ThisHost(), connection)
    elif connection.ssh_hostname_port:
        async with ssh_host(SshAddress.of(connection)) as host:
            yield await _found(host, connection)
    else:
        raise ServerHostError(
            "there is no way to the server's command line: LocalCommands is off and SSHHostnamePort is empty "
            "(ConnectionConfiguration)"
        )


async def _found(host: Host, connection: ConnectionConfiguration) -> ServerCli:
    """Return the command line that lies in the installation folder on `host`."""
    folder = connection.mattermost_install_dir.rstrip("/")
    for program in PROGRAMS:
        if await host.has(f"{folder}/{program}"):
            return ServerCli(host, folder, connection.config_file_loc, program)
    raise ServerHostError(_not_there(host, folder, PROGRAMS))


def _not_there(host: Host, folder: str, programs: Sequence[str]) -> str:
    """Return what to do where the server's command line is not found."""
    return (
        f"there is no {' nor '.join(programs)} in {folder} on {host.name}; name the folder that Mattermost is "
        "installed in by ConnectionConfiguration.MattermostInstallDir, and how to get there by LocalCommands and "
        "SSHHostnamePort"
    )
