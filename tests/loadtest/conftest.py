"""What the agent's tests share: a clock that is moved by hand, a server's own command line, an OpenSSH."""

from __future__ import annotations

import asyncio
import getpass
import heapq
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import pytest

START_S = 20.0
"""Within which a daemon must answer."""


class ClockTimer:
    """Something that a `FakeClock` will do."""

    def __init__(self, callback: Callable[[], object]) -> None:
        self.callback: Callable[[], object] | None = callback

    def cancel(self) -> None:
        """See to it that it does not happen."""
        self.callback = None


class FakeClock:
    """A clock that stands still until `advance` moves it; an `impatient` one lets every sleep end at once instead."""

    def __init__(self, now_s: float = 1000.0, *, impatient: bool = False) -> None:
        self.slept_s: list[float] = []
        self._now_s = now_s
        self._impatient = impatient
        self._timers: list[tuple[float, int, ClockTimer]] = []
        self._order = count()

    def now_s(self) -> float:
        """Return the time it stands at."""
        return self._now_s

    def call_at(self, due_s: float, callback: Callable[[], object]) -> ClockTimer:
        """Keep `callback` for when the clock is moved to `due_s`."""
        timer = ClockTimer(callback)
        heapq.heappush(self._timers, (due_s, next(self._order), timer))
        return timer

    async def sleep(self, duration_s: float) -> None:
        """Return once the clock was moved that far, or at once and moving it so if it is impatient."""
        self.slept_s.append(duration_s)
        if self._impatient:
            self._now_s += duration_s
            await asyncio.sleep(0)
            return
        woken = asyncio.get_running_loop().create_future()
        self.call_at(self._now_s + duration_s, lambda: woken.done() or woken.set_result(None))
        await woken

    @property
    def pending(self) -> int:
        """How many timers are set."""
        return sum(timer.callback is not None for _, _, timer in self._timers)

    async def advance(self, duration_s: float) -> None:
        """Move the clock, from timer to timer, letting tasks run in between."""
        until_s = self._now_s + duration_s
        await self.settle()
        while self._timers and self._timers[0][0] <= until_s:
            due_s, _, timer = heapq.heappop(self._timers)
            if timer.callback is None:
                continue
            self._now_s = max(self._now_s, due_s)
            timer.callback()
            await self.settle()
        self._now_s = until_s

    async def settle(self) -> None:
        """Let every task go on as far as it can without time or I/O."""
        for _ in range(20):
            await asyncio.sleep(0)


@pytest.fixture
def clock() -> FakeClock:
    """Give a clock that stands still until it is moved."""
    return FakeClock()


@pytest.fixture
def impatient_clock() -> FakeClock:
    """Give a clock whose sleeps end at once, and are remembered in `slept_s`."""
    return FakeClock(impatient=True)


@dataclass
class Installed:
    """A folder where a server seems to be installed: `bin/mattermost` is `host/program.py`, which tells its calls."""

    folder: Path

    @property
    def calls(self) -> list[dict[str, Any]]:
        """What the program was called with, one after the other."""
        called = self.folder / "called"
        return [json.loads(line) for line in called.read_text().splitlines()] if called.exists() else []

    def belongs_to(self, url: str, token: str, **more: object) -> Installed:
        """Say which server it is the program of, and whose token it uses instead of the database."""
        settings = {"url": url, "token": token, "called": str(self.folder / "called"), **more}
        (self.folder / "config" / "config.json").write_text(json.dumps(settings))
        return self

    def add_program(self, name: str) -> None:
        """Put a program of this name beside the others."""
        program = self.folder / "bin" / name
        program.write_text(f'#!/bin/sh\nexec {sys.executable} {Path(__file__).parent / "host" / "program.py"} "$@"\n')
        program.chmod(0o755)


@pytest.fixture
def installed(tmp_path: Path) -> Installed:
    """Give a folder with the server's command line, which belongs to no server yet."""
    folder = tmp_path / "mattermost"
    for name in ("bin", "config"):
        (folder / name).mkdir(parents=True)
    installed = Installed(folder)
    installed.add_program("mattermost")
    return installed


@dataclass
class OpenSsh:
    """An OpenSSH on loopback that lets in who has `key`, and a home folder that knows it."""

    port: int
    key: Path
    home: Path
    username: str

    @property
    def known_hosts(self) -> Path:
        """The file of known hosts of that home."""
        return self.home / ".ssh" / "known_hosts"

    @property
    def keys(self) -> dict[str, object]:
        """The configuration keys that lead there."""
        return {
            "LocalCommands": False,
            "SSHHostnamePort": f"127.0.0.1:{self.port}",
            "SSHUsername": self.username,
            "SSHKey": str(self.key),
        }


def answers(port: int, process: subprocess.Popen[bytes]) -> None:
    """Wait until something listens on a port."""
    until_s = time.monotonic() + START_S
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            assert process.poll() is None, "it ended"
            assert time.monotonic() < until_s
            time.sleep(0.02)
        else:
            return


@pytest.fixture
def until_listening() -> Callable[[int, subprocess.Popen[bytes]], None]:
    """Give what waits until a process listens on a port of loopback."""
    return answers


def new_key(path: Path) -> Path:
    """Make a key pair."""
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True)
    return path


@pytest.fixture
def openssh(tmp_path: Path) -> Iterator[OpenSsh]:
    """Run an OpenSSH server of one's own, with a host key that a fresh home folder knows."""
    daemon = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin")
    if daemon is None:
        assert os.environ.get("CI") != "true", "CI lacks sshd"
        pytest.skip("there is no sshd: apt-get install openssh-server")
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # its service would make it
    folder = tmp_path / "ssh"
    (folder / "home" / ".ssh").mkdir(parents=True)
    host_key, key = new_key(folder / "host"), new_key(folder / "user")
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    (folder / "config").write_text(
        f"ListenAddress 127.0.0.1:{port}\nHostKey {host_key}\nAuthorizedKeysFile {key}.pub\nPidFile none\nUsePAM no\n"
        "StrictModes no\nPasswordAuthentication no\nPermitRootLogin yes\nSubsystem sftp internal-sftp\n"
    )
    ssh = OpenSsh(port, key, folder / "home", getpass.getuser())
    ssh.known_hosts.write_text(f"[127.0.0.1]:{port} {host_key.with_suffix('.pub').read_text()}")
    process = subprocess.Popen([daemon, "-D", "-e", "-f", str(folder / "config")], stderr=subprocess.DEVNULL)
    try:
        answers(port, process)
        yield ssh
    finally:
        process.terminate()
        process.wait()
