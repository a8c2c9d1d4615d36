"""A command or a shell on a host, on this process's terminal."""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import sys

import paramiko

from mattermost_load_test.ltops.own_terminal import LOST, READ_BYTES, raw, resizing, write
from mattermost_load_test.ltops.ssh.connection import Connection


def attach(connection: Connection, command: str) -> int:
    """Run a line of shell, or a shell if it is empty, with our stdin, stdout and stderr; return its exit code.

    On a terminal it gets one of the same size, which follows ours. Raises `HostError` when the host cannot be reached.
    """
    stdin = sys.stdin.fileno()
    with connection.channel() as channel:
        if os.isatty(stdin):
            _ask_terminal(channel)
        if command:
            channel.exec_command(command)
        else:
            channel.invoke_shell()
        with raw(stdin), resizing(stdin, lambda: _resized(channel, stdin)):
            _copy(channel, stdin)
        code = channel.recv_exit_status()
        return LOST if code < 0 else code


def _ask_terminal(channel: paramiko.Channel) -> None:
    columns, lines = shutil.get_terminal_size()
    channel.get_pty(os.environ.get("TERM", "xterm"), columns, lines)


def _resized(channel: paramiko.Channel, stdin: int) -> None:
    """Tell the other end our terminal's size."""
    size = os.get_terminal_size(stdin)
    with contextlib.suppress(paramiko.SSHException, OSError):
        channel.resize_pty(size.columns, size.lines)


def _copy(channel: paramiko.Channel, stdin: int) -> None:
    """Copy both ways until the command ends."""
    sources: list[paramiko.Channel | int] = [channel, stdin]
    while True:
        ready, _, _ = select.select(sources, [], [])
        if stdin in ready:
            keys = os.read(stdin, READ_BYTES)
            if keys:
                with contextlib.suppress(OSError):  # it has ended, and does not want them
                    channel.sendall(keys)
            else:
                sources.remove(stdin)
                channel.shutdown_write()
        if channel in ready and not _show(channel):
            return


def _show(channel: paramiko.Channel) -> bool:
    """Write what has come, and say whether more may come."""
    if channel.recv_stderr_ready():
        write(sys.stderr.fileno(), channel.recv_stderr(READ_BYTES))
        return True
    if channel.recv_ready():
        write(sys.stdout.fileno(), channel.recv(READ_BYTES))
        return True
    return not (channel.eof_received or channel.closed)
