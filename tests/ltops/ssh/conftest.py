"""A real OpenSSH on loopback, and a connection to it as `ltops` makes them to hosts."""

from __future__ import annotations

import contextlib
import getpass
import os
import select
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from mattermost_load_test.ltops.ssh.connection import Connection, Login

START_S = 20.0


@dataclass
class Sshd:
    """An sshd of one's own: where it listens, the key that it lets in, its host key."""

    folder: Path
    port: int
    key: Path
    host_key: Path
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it listens."""
        daemon = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin")
        assert daemon is not None
        self.process = subprocess.Popen(
            [daemon, "-D", "-e", "-f", str(self.folder / "config")], stderr=subprocess.DEVNULL
        )
        until_s = time.monotonic() + START_S
        while True:
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            assert self.process.poll() is None
            assert time.monotonic() < until_s
            time.sleep(0.02)

    def stop(self) -> None:
        """End it, its sessions go on."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait()

    def cut(self) -> None:
        """Break every session at once."""
        assert self.process is not None
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        for child in children:
            os.kill(int(child), signal.SIGKILL)


def new_key(path: Path) -> Path:
    """Make a key pair."""
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True)
    return path


@pytest.fixture
def sshd(tmp_path: Path) -> Iterator[Sshd]:
    """Run an OpenSSH server."""
    if shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin") is None:
        assert os.environ.get("CI") != "true", "CI lacks sshd"
        pytest.skip("there is no sshd: apt-get install openssh-server")
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # its service would make it
    folder = tmp_path / "sshd"
    folder.mkdir()
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    server = Sshd(folder, port, new_key(folder / "user"), new_key(folder / "host"))
    (folder / "config").write_text(
        f"ListenAddress 127.0.0.1:{port}\nHostKey {server.host_key}\nAuthorizedKeysFile {server.key}.pub\n"
        "PidFile none\nUsePAM no\nStrictModes no\nPasswordAuthentication no\nPermitRootLogin yes\n"
        "Subsystem sftp internal-sftp\n"
    )
    server.start()
    yield server
    server.stop()


@pytest.fixture
def login(sshd: Sshd, tmp_path: Path) -> Login:
    """Give how to log in there; the host has not been met yet."""
    return Login("app-0", "127.0.0.1", sshd.port, getpass.getuser(), sshd.key, tmp_path / "known_hosts")


@pytest.fixture
def connection(login: Login) -> Iterator[Connection]:
    """Give a connection; what it logs is in `lines`."""
    lines: list[str] = []
    made = Connection(login, lines.append)
    made.lines = lines  # type: ignore[attr-defined]
    yield made
    made.close()


@dataclass
class Line:
    """A line between here and a server: slow as it is told, cut after so many bytes from here, or silent."""

    target: int
    bytes_per_s: float | None = None
    cut_after: int | None = None
    carried: int = 0
    port: int = 0
    _sockets: list[socket.socket] = field(default_factory=list)

    def __enter__(self) -> Line:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *raised: object) -> None:
        self._listener.close()
        self.cut()

    def cut(self) -> None:
        """Break what goes over it."""
        for one in self._sockets:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        self._sockets.clear()

    def _serve(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", self.target))
            self._sockets += [near, far]
            threading.Thread(target=self._carry, args=(near, far), daemon=True).start()

    def _carry(self, near: socket.socket, far: socket.socket) -> None:
        with contextlib.suppress(OSError, ValueError):
            while True:
                ready, _, _ = select.select([near, far], [], [], 30)
                for source, other in ((near, far), (far, near)):
                    if source in ready:
                        if not (data := source.recv(1 << 14)):
                            raise OSError
                        if source is near:
                            self._count(len(data))
                        other.sendall(data)
        near.close()
        with contextlib.suppress(OSError):
            far.shutdown(socket.SHUT_WR)
            while far.recv(1 << 14):  # what was carried arrives
                pass
        far.close()

    def _count(self, size: int) -> None:
        self.carried += size
        if self.bytes_per_s:
            time.sleep(size / self.bytes_per_s)  # what makes it slow
        if self.cut_after is not None and self.carried > self.cut_after:
            self.cut_after = None
            raise OSError("cut")


def by(login: Login, line: Line) -> Connection:
    """Return a connection over a line."""
    return Connection(replace(login, port=line.port))
