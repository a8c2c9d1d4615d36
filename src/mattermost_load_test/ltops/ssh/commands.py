"""Commands on a host, run to their end."""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

import paramiko

from mattermost_load_test.errors import OperationError
from mattermost_load_test.ltops.ssh.connection import Connection

SHORT_S = 60.0
"""How long a command may take that is expected to end at once."""

CHUNK_BYTES = 1 << 16
WORDS_MAX = 400
LOGGED_MAX = 160
_NO_END = -1


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended; `complaint` is what it wrote on stderr."""

    code: int
    output: bytes
    complaint: str

    @property
    def text(self) -> str:
        """What it wrote on stdout, without the last end of line."""
        return self.output.decode(errors="replace").rstrip("\n")

    @property
    def last_words(self) -> str:
        """What it said last, for a message."""
        said = [line.strip() for line in f"{self.text}\n{self.complaint}".splitlines() if line.strip()]
        return said[-1][:WORDS_MAX] if said else "it said nothing"


def run(
    connection: Connection,
    command: str,
    data: bytes | BinaryIO = b"",
    *,
    timeout_s: float = SHORT_S,
    sent: Callable[[int], None] = lambda size_bytes: None,
    quiet: bool = False,
) -> Ended:
    """Run a line of shell, with `data` as its input, to its end, whatever that is.

    The line is logged unless `quiet`, what it is given never. `sent` is told the bytes sent so far. Raises `HostError`
    when the host cannot be reached or the connection is lost, `OperationError` when it takes longer than `timeout_s`.
    """
    log = (lambda words: None) if quiet else connection.log
    log(f"{connection.login.name}$ {_short(command)}")
    deadline_s = time.monotonic() + timeout_s
    with connection.channel() as channel:
        channel.settimeout(1.0)
        channel.exec_command(command)
        _feed(channel, data, deadline_s, sent)
        output, complaint = _drain(channel, deadline_s)
        if not channel.status_event.wait(max(0.0, deadline_s - time.monotonic())):
            raise OperationError(f"{connection.login}: not done within {timeout_s:g} s: {_short(command)}")
        code = channel.recv_exit_status()
        transport = channel.get_transport()
        if code == _NO_END and not (transport is not None and transport.is_active()):
            raise connection.lost()
    ended = Ended(code, bytes(output), complaint.decode(errors="replace"))
    if code or complaint:
        log(f"{connection.login.name}: exit code {code}: {ended.last_words}")
    return ended


def run_well(
    connection: Connection,
    command: str,
    data: bytes | BinaryIO = b"",
    *,
    timeout_s: float = SHORT_S,
    quiet: bool = False,
) -> Ended:
    """Run a line of shell that must end with 0; raises `OperationError` with its last words when it does not."""
    ended = run(connection, command, data, timeout_s=timeout_s, quiet=quiet)
    if ended.code:
        raise OperationError(
            f"{connection.login.name}: exit code {ended.code} of `{_short(command, 80)}`: {ended.last_words}"
        )
    return ended


def as_root(script: str) -> str:
    """Return the line that runs lines of shell as root, whoever has logged in; the first that fails ends them."""
    return f'$(test "$(id -u)" = 0 || echo sudo -n) sh -euc {shlex.quote(script)}'


def _feed(channel: paramiko.Channel, data: bytes | BinaryIO, deadline_s: float, told: Callable[[int], None]) -> None:
    """Send a command its input; one that ends without reading all of it is no error here."""
    sent = 0
    try:
        for chunk in _chunks(data):
            view = memoryview(chunk)
            while view and time.monotonic() < deadline_s:
                try:
                    count = channel.send(view)  # type: ignore[arg-type]  # any buffer will do
                except TimeoutError:
                    continue
                view = view[count:]
                sent += count
            told(sent)
        channel.shutdown_write()
    except OSError:
        return


def _chunks(data: bytes | BinaryIO) -> Iterator[bytes]:
    if isinstance(data, bytes):
        yield data
        return
    while chunk := data.read(CHUNK_BYTES):
        yield chunk


def _drain(channel: paramiko.Channel, deadline_s: float) -> tuple[bytearray, bytearray]:
    """Read what a command writes, both ways, until its end or the deadline."""
    output, complaint = bytearray(), bytearray()
    while time.monotonic() < deadline_s:
        while channel.recv_stderr_ready():
            complaint += channel.recv_stderr(CHUNK_BYTES)
        try:
            chunk = channel.recv(CHUNK_BYTES)
        except TimeoutError:
            continue
        if not chunk:
            break
        output += chunk
    while time.monotonic() < deadline_s:
        try:
            chunk = channel.recv_stderr(CHUNK_BYTES)
        except TimeoutError:
            continue
        if not chunk:
            break
        complaint += chunk
    return output, complaint


def _short(command: str, length: int = LOGGED_MAX) -> str:
    line = " ".join(command.split())
    return line if len(line) <= length else f"{line[:length]} …"
