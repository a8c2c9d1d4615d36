"""Processes that outlive the command that starts them, kept by a supervisord (http://supervisord.org) per cluster.

It is found again by its socket; what it left behind when it was killed is found by a variable in its environment, which
every process below it inherits, or by the session it was in. Its folder holds ``supervisord.conf``, one file per
program in ``programs/``, its socket, its log.
"""

from __future__ import annotations

import os
import shlex
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from threading import RLock
from typing import Any
from xmlrpc.client import Fault, ServerProxy, Transport

import psutil
from supervisor.xmlrpc import Faults

from mattermost_load_test.errors import ClusterError, OperationError, OutputError

MARK = "LTOPS_CLUSTER_DIRECTORY"
"""The variable in the environment of every process of a cluster; its value is the cluster's folder."""

START_S = 60.0
CALL_S = 90.0
"""How long supervisord may take for an answer: longer than any program may take to end."""

ASK_S = 10.0
"""How long it may take to say how it and its programs are."""

END_S = 30.0
LOG_BYTES_MAX = 10_000_000
LOGS_KEPT = 3
_SOCKET_PATH_MAX = 100  # of 107 in Linux; supervisord binds to the path with its process id behind it
_POLL_S = 0.05
_NOT_INHERITED = ("MMLOADTEST_", "LTOPS_")
"""Variables that rule a command, and are none of its processes' business; one may hold a password."""


@dataclass(frozen=True, slots=True)
class Program:
    """A process to be kept.

    `command` is no shell's; `account` is the user it runs as, ours if None; `restart` says whether it is started again
    when it ends by itself; a `log` of None leaves its output to itself. `stop_s` is how long it has to end after
    `stop_signal` before it is killed.
    """

    name: str
    command: Sequence[str]
    directory: Path
    log: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    account: str | None = None
    restart: bool = False
    stop_signal: str = "TERM"
    stop_s: int = 20

    def section(self) -> str:
        """Return the program's file, as supervisord reads it."""
        values = {
            "command": shlex.join(self.command),
            "directory": str(self.directory),
            "environment": ",".join(f"{name}={_quoted(value)}" for name, value in self.environment.items()),
            "autostart": "false",
            "autorestart": "unexpected" if self.restart else "false",
            "startsecs": "0",
            "stopsignal": self.stop_signal,
            "stopwaitsecs": str(self.stop_s),
            "stopasgroup": "false",
            "killasgroup": "true",
            "redirect_stderr": "true",
            "stdout_logfile": str(self.log),
            "stdout_logfile_maxbytes": str(LOG_BYTES_MAX),
            "stdout_logfile_backups": str(LOGS_KEPT),
            "user": self.account or "",
        }
        lines = [f"{key}={value.replace('%', '%%')}" for key, value in values.items() if value]
        return "\n".join([f"[program:{self.name}]", *lines]) + "\n"


def _quoted(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


@dataclass(frozen=True, slots=True)
class ProgramState:
    """How a program is: its `state` in supervisord's words, its process id (0: none), its exit code once it ended.

    `since_s` is when it was last started, or ended, in seconds since the epoch; -1 as exit code stands for a signal.
    """

    state: str
    pid: int
    exit_code: int
    since_s: float

    @property
    def running(self) -> bool:
        """Whether its process is there."""
        return self.state in ("STARTING", "RUNNING", "STOPPING")


class Supervisor:
    """The supervisord of a cluster."""

    def __init__(self, cluster_directory: Path) -> None:
        self.cluster_directory = cluster_directory
        self.directory = cluster_directory / "supervisor"
        self._configuration = self.directory / "supervisord.conf"
        self._programs = self.directory / "programs"
        self._socket = self.directory / "socket"
        self._pid = self.directory / "pid"
        self._lock = RLock()

    def check_path(self) -> None:
        """Raise `ClusterError` when the folder's path is too long for a socket in it."""
        if len(str(self._socket)) > _SOCKET_PATH_MAX:
            raise ClusterError(
                f"the path {self.cluster_directory} is too long: a socket below it must not exceed "
                f"{_SOCKET_PATH_MAX} characters; set LTOPS_HOME to a shorter folder, or choose a shorter name"
            )

    def runs(self) -> bool:
        """Say whether it is there and answers."""
        if not self._socket.exists():
            return False
        try:
            with self._connection(ASK_S) as supervisor:
                return bool(supervisor.getState()["statename"] == "RUNNING")
        except OperationError:
            return False

    def lives(self) -> bool:
        """Say whether its process is there, be it that it does not answer."""
        return bool(self._itself())

    def start(self) -> None:
        """Start it unless it runs; what an earlier one left behind is ended first.

        Raises `OperationError` when it does not come up, `OutputError` when its files cannot be written.
        """
        if self.runs():
            return
        self.check_path()
        self.end_leftovers()
        self._write_configuration()
        environment = {name: value for name, value in os.environ.items() if not name.startswith(_NOT_INHERITED)}
        command = [sys.executable, "-m", "supervisor.supervisord", "-c", str(self._configuration)]
        try:
            ended = subprocess.run(
                command,
                cwd=self.directory,
                env=environment | {MARK: str(self.cluster_directory)},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
                timeout=START_S,
            )
        except subprocess.TimeoutExpired as error:
            raise OperationError(f"supervisord did not start within {START_S:g} s; run the command again") from error
        deadline_s = time.monotonic() + START_S
        while ended.returncode == 0 and not self.runs() and time.monotonic() < deadline_s:
            time.sleep(_POLL_S)
        if not self.runs():
            raise OperationError(f"supervisord did not start: {(ended.stderr or ended.stdout).strip() or 'no reason'}")

    def _write_configuration(self) -> None:
        try:
            for directory in (self.directory, self._programs):
                directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            _write(self._configuration, self._sections())
        except OSError as error:
            raise OutputError(f"{error.filename or self.directory} cannot be written: {error.strerror}") from error

    def _sections(self) -> str:
        """Return supervisord's own configuration."""
        log = self.directory / "supervisord.log"
        user = "user=root\n" if os.geteuid() == 0 else ""  # said, or it warns of running as root
        text = (
            f"[unix_http_server]\nfile={self._socket}\nchmod=0700\n\n"
            f"[supervisord]\nlogfile={log}\nlogfile_maxbytes={LOG_BYTES_MAX}\nlogfile_backups=1\npidfile={self._pid}\n"
            f"childlogdir={self.directory}\nidentifier=ltops-{self.cluster_directory.name}\nnocleanup=true\n"
            f"umask=077\nsilent=true\n{user}\n"
            "[rpcinterface:supervisor]\n"
            "supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface\n\n"
            f"[include]\nfiles={self._programs}/*.conf\n"
        )
        return text.replace("%", "%%")

    def is_current(self, program: Program) -> bool:
        """Say whether a program runs as it is described."""
        path = self._programs / f"{program.name}.conf"
        if not path.is_file() or path.read_text() != program.section():
            return False
        state = self.states().get(program.name)
        return state is not None and state.running

    def replace(self, program: Program) -> None:
        """Start a program anew; one of the same name is ended first. Raises `OperationError`."""
        with self._lock:
            self.drop(program.name)
            try:
                _write(self._programs / f"{program.name}.conf", program.section())
            except OSError as error:
                raise OutputError(f"{error.filename} cannot be written: {error.strerror}") from error
            with self._connection() as supervisor:
                supervisor.reloadConfig()
                supervisor.addProcessGroup(program.name)
                try:
                    supervisor.startProcess(program.name, False)
                except Fault as fault:
                    raise OperationError(f"{program.command[0]} could not be started: {fault.faultString}") from fault

    def drop(self, name: str) -> None:
        """End a program, if there is such a one, and forget it; raises `OperationError`."""
        with self._lock, self._connection() as supervisor:
            with suppress(Fault):
                supervisor.stopProcess(name)
            with suppress(Fault):
                supervisor.removeProcessGroup(name)
            (self._programs / f"{name}.conf").unlink(missing_ok=True)
            supervisor.reloadConfig()

    def stop_program(self, name: str) -> None:
        """Ask a program to end, without waiting for it; nothing to do when it has ended. Raises `OperationError`."""
        with self._connection() as supervisor:
            try:
                supervisor.stopProcess(name, False)
            except Fault as fault:
                if fault.faultCode not in (Faults.NOT_RUNNING, Faults.BAD_NAME):
                    raise OperationError(f"{name} could not be stopped: {fault.faultString}") from fault

    def states(self) -> dict[str, ProgramState]:
        """Return how each program is, by name; raises `OperationError` when supervisord does not answer."""
        with self._connection(ASK_S) as supervisor:
            return {info["name"]: _state(info) for info in supervisor.getAllProcessInfo()}

    def shut_down(self) -> list[str]:
        """End all programs and supervisord itself, and return in words what could not be ended."""
        itself = self._itself()
        with suppress(OperationError):
            self.states()  # one that does not answer is not waited for
            with self._connection() as supervisor:
                supervisor.stopAllProcesses()  # all at once, where a shutdown ends one after the other
                supervisor.shutdown()
            _until_ended(itself, END_S)
        return self.end_leftovers()

    def end_leftovers(self) -> list[str]:
        """End every process of the cluster that is left, and return in words those that stay."""
        left = self._processes()
        for process in left:
            with suppress(psutil.Error):
                process.terminate()
        alive = _until_ended(left, 5.0)
        for process in alive:
            with suppress(psutil.Error):
                process.kill()
        alive = _until_ended(alive, 5.0)
        return [f"process {process.pid} could not be ended: kill -9 {process.pid}" for process in alive]

    def _itself(self) -> list[psutil.Process]:
        """Return supervisord's process, none where it is gone."""
        session = self._session()
        with suppress(psutil.Error, ProcessLookupError):
            if session > 0 and self._owns(process := psutil.Process(session), session):
                return [process]
        return []

    def _processes(self) -> list[psutil.Process]:
        """Return the processes of the cluster."""
        session, found = self._session(), []
        for process in psutil.process_iter():
            with suppress(psutil.Error, ProcessLookupError):
                if process.pid != os.getpid() and self._owns(process, session):
                    found.append(process)
        return found

    def _owns(self, process: psutil.Process, session: int) -> bool:
        """Say whether a process is of the cluster: by its mark, or, where its title lies over that, by its session."""
        directory = self.cluster_directory
        if process.environ().get(MARK) == str(directory):
            return True
        return os.getsid(process.pid) == session and Path(process.cwd()).is_relative_to(directory)

    def _session(self) -> int:
        """Return the session of supervisord's processes, -1 if there was none; supervisord leads it."""
        try:
            return int(self._pid.read_text())
        except (OSError, ValueError):
            return -1

    @contextmanager
    def _connection(self, timeout_s: float = CALL_S) -> Iterator[Any]:
        """Give supervisord's own calls, each of which may take so long; raises `OperationError` for one it leaves."""
        transport = _SocketTransport(self._socket, timeout_s)
        try:
            yield ServerProxy("http://supervisor", transport=transport).supervisor
        except Fault as fault:
            raise OperationError(f"supervisord refused: {fault.faultString}") from fault
        except (OSError, HTTPException) as error:
            raise OperationError(self._silence(error)) from error
        finally:
            transport.close()

    def _silence(self, error: Exception) -> str:
        """Return in words why there is no answer, and what to do about it."""
        name = self.cluster_directory.name
        if self.lives():
            pid = self._session()
            return (
                f"the supervisord of the cluster {name}, process {pid}, does not answer ({error}); if it stays so, end "
                f"it by `kill -9 {pid}`, and `ltops deploy -c {name}` starts all again"
            )
        return (
            f"the processes of the cluster {name} are not supervised any more ({error}): `ltops deploy -c {name}` "
            "starts them again"
        )


class _SocketTransport(Transport):
    """XML-RPC through a socket in the file system, each answer awaited for so long and no longer."""

    def __init__(self, path: Path, timeout_s: float) -> None:
        super().__init__()
        self._path = path
        self._timeout_s = timeout_s

    def make_connection(self, host: Any) -> HTTPConnection:
        """Return the one connection to the socket, whatever host is said; `close` closes it."""
        kept = self._connection[1]
        if kept is None:
            kept = _SocketConnection(self._path, self._timeout_s)
            self._connection = (host, kept)
        return kept


class _SocketConnection(HTTPConnection):
    """HTTP through a socket in the file system."""

    def __init__(self, path: Path, timeout_s: float) -> None:
        super().__init__("localhost", timeout=timeout_s)
        self._path = path

    def connect(self) -> None:
        """Connect; raises OSError."""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


def _state(info: Mapping[str, Any]) -> ProgramState:
    moment_s = float(info["start"] if info["pid"] else info["stop"])
    return ProgramState(info["statename"], info["pid"], info["exitstatus"], moment_s)


def _until_ended(processes: Sequence[psutil.Process], timeout_s: float) -> list[psutil.Process]:
    """Wait until processes have ended, be it that nobody has taken note of it, and return those that have not."""
    deadline_s = time.monotonic() + timeout_s
    while (left := [one for one in processes if not _has_ended(one)]) and time.monotonic() < deadline_s:
        time.sleep(_POLL_S)
    return left


def _has_ended(process: psutil.Process) -> bool:
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def _write(path: Path, text: str) -> None:
    """Write a file that only its owner reads; raises OSError."""
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(fd, "w") as file:
        file.write(text)
