"""Another machine as the server's host, reached by SSH.

Its key must be among the known hosts (`~/.ssh/known_hosts`, `/etc/ssh/ssh_known_hosts`): a host that is unknown, or has
another key than it is known by, is refused. paramiko blocks, so everything happens in threads.
"""

from __future__ import annotations

import asyncio
import contextlib
import getpass
import logging
import shlex
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import paramiko
from pydantic import SecretStr

from mattermost_load_test.config import ConnectionConfiguration
from mattermost_load_test.errors import ConfigurationError, ServerHostError
from mattermost_load_test.loadtest.host.shell import KEPT_OUTPUT_BYTES, Ended, last_words

PORT = 22
CONNECT_S = 15.0
SHORT_COMMAND_S = 30.0
KEEPALIVE_S = 30
CHUNK_BYTES = 32768
SYSTEM_KNOWN_HOSTS = Path("/etc/ssh/ssh_known_hosts")

# What its thread meets is raised where it is waited for; without a handler logging would write tracebacks to stderr.
logging.getLogger("paramiko").addHandler(logging.NullHandler())


@dataclass(frozen=True, slots=True)
class SshAddress:
    """Where a host is and who logs in there; without a key file, the SSH agent's and the user's own keys are tried."""

    host: str
    port: int
    username: str
    password: SecretStr
    key_file: str

    @classmethod
    def of(cls, connection: ConnectionConfiguration) -> SshAddress:
        """Return the address in a configuration; raises `ConfigurationError` for one that is none."""
        host, port = _host_and_port(connection.ssh_hostname_port)
        key_file = str(Path(connection.ssh_key).expanduser()) if connection.ssh_key else ""
        return cls(host, port, connection.ssh_username or getpass.getuser(), connection.ssh_password, key_file)

    def __str__(self) -> str:
        return f"{self.username}@{self.host}:{self.port}"


def _host_and_port(text: str) -> tuple[str, int]:
    """Split ``host``, ``host:port``, ``[address]:port`` or an IPv6 address; raises `ConfigurationError`."""
    host, colon, port = text.rpartition(":")
    if not colon or (":" in host and not host.endswith("]")):
        host, port = text, str(PORT)
    host = host.removeprefix("[").removesuffix("]")
    if not host or not port.isdecimal() or not 0 < int(port) < 1 << 16:
        raise ConfigurationError(f"ConnectionConfiguration.SSHHostnamePort must be a host or host:port, not {text!r}")
    return host, int(port)


@asynccontextmanager
async def ssh_host(address: SshAddress) -> AsyncIterator[SshHost]:
    """Log in and give the host; raises `ServerHostError` when it cannot be reached, is not known, or refuses."""
    client = await asyncio.to_thread(_connected, address)
    try:
        yield SshHost(client, str(address))
    finally:
        await asyncio.to_thread(client.close)


class SshHost:
    """Runs commands on another machine; `name` is user, host and port."""

    def __init__(self, client: paramiko.SSHClient, name: str) -> None:
        self.name = name
        self._client = client

    async def has(self, path: str) -> bool:
        """Say whether a program lies at `path`."""
        return (await self._short(f"test -x {shlex.quote(path)}")).code == 0

    async def run(self, command: Sequence[str], folder: str) -> Ended:
        """Run a command in `folder`; cancelled, it ends the command on the host, too."""
        pid: list[str] = []
        stopped = threading.Event()
        line = f"echo $$; cd {shlex.quote(folder)} && exec {shlex.join(command)}"
        running = asyncio.create_task(asyncio.to_thread(self._run, line, pid, stopped))
        try:
            return await asyncio.shield(running)
        except asyncio.CancelledError:
            stopped.set()
            with contextlib.suppress(ServerHostError):
                if pid:
                    await self._short(f"kill {pid[0]}")
            with contextlib.suppress(ServerHostError):
                await running
            raise

    @asynccontextmanager
    async def placed(self, file: Path) -> AsyncIterator[str]:
        """Copy a file into a folder of its own there, which is removed afterwards."""
        made = await self._short("mktemp -d")
        folder = made.output.strip()
        if made.code or not folder.startswith("/"):
            raise ServerHostError(f"{self.name} has no place for temporary files: {last_words(made.output)}")
        try:
            target = f"{folder}/{file.name}"
            await asyncio.to_thread(self._put, file, target)
            yield target
        finally:
            with contextlib.suppress(ServerHostError):  # what is left lies in a temporary folder
                await self._short(f"rm -rf {shlex.quote(folder)}")

    async def _short(self, line: str) -> Ended:
        """Run a command line that ends at once."""
        stopped = threading.Event()
        try:
            async with asyncio.timeout(SHORT_COMMAND_S):
                return await asyncio.to_thread(self._run, line, None, stopped)
        except TimeoutError as error:
            raise ServerHostError(f"{self.name} did not answer within {SHORT_COMMAND_S:g} s") from error
        finally:
            stopped.set()

    def _run(self, line: str, pid: list[str] | None, stopped: threading.Event) -> Ended:
        """Run a command line to its end, or until it is `stopped`; its first line of output is its `pid`."""
        with _translated(self.name), contextlib.closing(self._opened()) as channel:
            channel.set_combine_stderr(True)
            channel.settimeout(1.0)
            channel.exec_command(line)
            kept = bytearray()
            while not stopped.is_set():
                try:
                    chunk = channel.recv(CHUNK_BYTES)
                except TimeoutError:
                    continue
                if not chunk:
                    break
                kept += chunk
                if pid is not None and not pid and b"\n" in kept:
                    first, _, rest = bytes(kept).partition(b"\n")
                    pid.append(first.decode().strip())
                    kept = bytearray(rest)
                del kept[:-KEPT_OUTPUT_BYTES]
            code = -1 if stopped.is_set() else channel.recv_exit_status()
            return Ended(code, kept.decode("utf-8", "replace"))

    def _opened(self) -> paramiko.Channel:
        """Open a channel for a command."""
        transport = self._client.get_transport()
        if transport is None:
            raise paramiko.SSHException("the connection was closed")
        return transport.open_session(timeout=CONNECT_S)

    def _put(self, file: Path, target: str) -> None:
        """Copy a file there; raises `ServerHostError`."""
        with _translated(self.name), self._client.open_sftp() as sftp:
            sftp.put(str(file), target)


def _connected(address: SshAddress) -> paramiko.SSHClient:
    """Return a client that has logged in. Blocks."""
    client = paramiko.SSHClient()
    client.set_missing_host_key_policy(paramiko.RejectPolicy())
    with contextlib.suppress(OSError):
        client.load_system_host_keys(str(SYSTEM_KNOWN_HOSTS))
    with contextlib.suppress(OSError):
        client.load_system_host_keys()
    secret = address.password.get_secret_value() or None
    try:
        with _translated(str(address)):
            client.connect(
                address.host,
                address.port,
                address.username,
                password=secret,
                passphrase=secret,
                key_filename=address.key_file or None,
                timeout=CONNECT_S,
                banner_timeout=CONNECT_S,
                auth_timeout=CONNECT_S,
                allow_agent=not (address.key_file or secret),
                look_for_keys=not (address.key_file or secret),
            )
            transport = client.get_transport()
            assert transport is not None  # it has just connected
            transport.set_keepalive(KEEPALIVE_S)
    except BaseException:
        client.close()
        raise
    return client


@contextmanager
def _translated(name: str) -> Iterator[None]:
    """Raise `ServerHostError` in place of what paramiko raises, with what to do about it."""
    try:
        yield
    except paramiko.BadHostKeyException as error:
        raise ServerHostError(
            f"{name} has another key than the one it is known by: somebody may listen in. If the host was set up anew, "
            f"forget its old key: `ssh-keygen -R {error.hostname}`"
        ) from error
    except paramiko.AuthenticationException as error:
        raise ServerHostError(
            f"{name} refuses the login; check ConnectionConfiguration.SSHUsername, SSHKey and SSHPassword"
        ) from error
    except paramiko.SSHException as error:
        if "not found in known_hosts" in str(error):
            raise ServerHostError(
                f"the key of {name} is not among the known hosts: log in once by hand (`ssh {_by_hand(name)}`) and "
                "compare its fingerprint"
            ) from error
        raise ServerHostError(f"the SSH connection to {name} failed: {error}") from error
    except (OSError, EOFError) as error:
        reason = getattr(error, "strerror", None) or str(error) or "connection closed"
        raise ServerHostError(
            f"{name} cannot be reached by SSH ({reason}); check ConnectionConfiguration.SSHHostnamePort and SSHKey"
        ) from error


def _by_hand(name: str) -> str:
    """Return the arguments of `ssh` for a host."""
    host, _, port = name.rpartition(":")
    return host if port == str(PORT) else f"-p {port} {host}"
