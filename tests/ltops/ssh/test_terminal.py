"""Terminals and tunnels, against a real OpenSSH."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from tests.ltops.ssh.conftest import Sshd
from tests.ltops.terminals import DEADLINE_S, Terminal, on_terminal

from mattermost_load_test.errors import HostError, PortInUseError
from mattermost_load_test.ltops.ssh.connection import Connection, Login
from mattermost_load_test.ltops.ssh.tunnels import tunnel

PROGRAM = """
import sys
from pathlib import Path
from mattermost_load_test.ltops.ssh.connection import Connection, Login
from mattermost_load_test.ltops.ssh.terminal import attach
host, port, user, key, known, command = sys.argv[1:]
sys.exit(attach(Connection(Login("app-0", host, int(port), user, Path(key), Path(known))), command))
"""


def arguments(login: Login, command: str) -> list[str]:
    """Return the command line of a program that attaches to the host."""
    where = [login.host, str(login.port), login.user, str(login.key_file), str(login.known_hosts_file)]
    return [sys.executable, "-c", PROGRAM, *where, command]


def test_without_a_terminal(login: Login) -> None:
    """Input, output, complaints and the exit code go through as they are."""
    command = arguments(login, "cat; echo complaint >&2; tty; exit 9")
    ended = subprocess.run(command, input=b"\x00bytes\r\n\xff", capture_output=True, timeout=DEADLINE_S)
    assert (ended.returncode, ended.stdout) == (9, b"\x00bytes\r\n\xffnot a tty\n")
    assert ended.stderr == b"complaint\n"


def test_much_output(login: Login) -> None:
    """Nothing of it is lost at the end."""
    ended = subprocess.run(arguments(login, "seq 300000"), stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
    assert ended.stdout.splitlines()[-1] == b"300000"
    assert len(ended.stdout.splitlines()) == 300_000


@contextmanager
def terminal(login: Login, command: str) -> Iterator[Terminal]:
    """Give the program on a terminal."""
    with on_terminal(arguments(login, command)) as shown:
        yield shown


@pytest.mark.slow
def test_a_terminal_has_our_size(login: Login) -> None:
    """It is as big as ours, follows it, takes keys such as Ctrl-C, and its shell's exit code is ours."""
    with terminal(login, "") as shell:
        shell.type(b"stty size; echo ready\n")
        shell.until(b"31 97")
        shell.until(b"\nready")
        shell.resize(40, 120)
        shell.type(b"sleep 0.2; stty size\n")
        shell.until(b"40 120")
        shell.type(b"sh -c 'echo begun; exec sleep 100'\n")  # what is in front says it
        shell.until(b"\rbegun")
        shell.type(b"\x03")
        shell.type(b"echo 'over' now\n")
        shell.until(b"\rover now")
        shell.type(b"exit 6\n")
        assert shell.process.wait(DEADLINE_S) == 6


def test_the_connection_breaks(login: Login, sshd: Sshd) -> None:
    """It ends as ssh itself does."""
    with terminal(login, "echo begun; sleep 100") as shell:
        shell.until(b"begun")
        sshd.cut()
        assert shell.process.wait(DEADLINE_S) == 255


@pytest.fixture
def echoing() -> Iterator[int]:
    """Serve what sends back what it gets, and give its port."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                one, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=echo, args=(one,), daemon=True).start()

    def echo(one: socket.socket) -> None:
        with one:
            while data := one.recv(1 << 16):
                one.sendall(data)

    threading.Thread(target=serve, daemon=True).start()
    yield listener.getsockname()[1]
    listener.close()


def said_back(address: str, data: bytes) -> bytes:
    """Send something through a tunnel and return what comes back."""
    host, _, port = address.rpartition(":")
    back = b""
    with socket.create_connection((host, int(port)), timeout=DEADLINE_S) as one:
        sending = threading.Thread(target=one.sendall, args=(data,))
        sending.start()
        while len(back) < len(data) and (piece := one.recv(1 << 16)):
            back += piece
        sending.join()
    return back


def test_a_tunnel(connection: Connection, sshd: Sshd, echoing: int) -> None:
    """What goes in comes out, also when the connection under it was lost before; it listens on loopback."""
    data = os.urandom(2_000_000)
    with tunnel(connection, "127.0.0.1", echoing) as address:
        assert address.startswith("127.0.0.1:")
        assert said_back(address, data) == data
        sshd.cut()
        connection.close()
        assert said_back(address, b"again") == b"again"
    with pytest.raises(OSError, match="refused"):
        said_back(address, b"")


def test_a_tunnel_to_nowhere(connection: Connection, echoing: int) -> None:
    """Nothing listens there, or our port is taken: each has its message."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PortInUseError, match=rf"port {port} cannot be listened on"):
            tunnel(connection, "127.0.0.1", echoing, port).__enter__()
    with pytest.raises(HostError, match=rf"app-0 .* cannot reach 127\.0\.0\.1:{port}: Connect"):
        tunnel(connection, "127.0.0.1", port).__enter__()
