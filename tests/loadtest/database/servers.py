"""PostgreSQL and MariaDB from Debian, started in a directory of their own on a free port, for tests and benchmarks.

Neither runs as root: started by root, they run under the accounts that their packages made.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pymysql
from pydantic import SecretStr

from mattermost_load_test.loadtest.database.datasource import DataSource, parse

START_TIMEOUT_S = 60
SCHEMAS = Path(__file__).parents[2] / "data" / "schema"


class NotInstalledError(Exception):
    """A database is not on this machine; the text says how to get it."""


def free_port() -> int:
    """Return a TCP port of this host that nothing listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


class Server:
    """A database server that can be started, killed and started again on the same data."""

    account = ""
    command: list[str]

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None
        if os.geteuid() == 0:
            entry = pwd.getpwnam(self.account)
            os.chown(directory, entry.pw_uid, entry.pw_gid)

    def run(self, *command: str) -> None:
        """Run a command of the server's package to its end, under its account."""
        ended = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=self.directory, **self._as_account()
        )
        if ended.returncode:
            raise RuntimeError(f"{command[0]} failed: {ended.stdout.decode(errors='replace')}")

    def start(self) -> None:
        """Start the server and wait until it answers."""
        with (self.directory / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                self.command, stdout=log, stderr=log, cwd=self.directory, **self._as_account()
            )
        deadline = time.monotonic() + START_TIMEOUT_S
        while not self.answers():
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(0.05)
            if self.process.returncode is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{self.command[0]} did not start: {(self.directory / 'server.log').read_text()}")

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End the server, by default in good order."""
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(START_TIMEOUT_S)
            self.process = None

    def _as_account(self) -> dict[str, Any]:
        """Return what makes a child process run under the server's account."""
        if os.geteuid() != 0:
            return {}
        entry = pwd.getpwnam(self.account)
        return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": [], "umask": 0o077}

    def answers(self) -> bool:
        """Say whether the server takes connections."""
        raise NotImplementedError

    def kill(self) -> None:
        """End the server as a crash would."""
        raise NotImplementedError

    def create(self, name: str, schema: str) -> DataSource:
        """Make a database with the tables of a server's version and return where it is."""
        raise NotImplementedError


class Postgres(Server):
    """PostgreSQL, without waiting for the disk."""

    account = "postgres"

    def __init__(self, directory: Path, programs: Path) -> None:
        super().__init__(directory)
        data = str(directory / "data")
        self.run(
            str(programs / "initdb"), "-D", data, "-U", "mmuser", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-N"
        )
        self.command = [str(programs / "postgres"), "-D", data, "-p", str(self.port), "-k", str(directory), "-F"]
        self.command += ["-c", "listen_addresses=127.0.0.1", "-c", "full_page_writes=off", "-c", "max_wal_size=4GB"]

    def answers(self) -> bool:
        """Say whether the server takes connections."""
        try:
            self._connect("postgres").close()
        except psycopg.OperationalError:
            return False
        return True

    def kill(self) -> None:
        """End every process of the server at once, without a checkpoint."""
        self.stop(signal.SIGQUIT)

    def create(self, name: str, schema: str) -> DataSource:
        """Make a database with the tables of a server's version and return where it is."""
        with self._connect("postgres") as connection:
            connection.execute(f'CREATE DATABASE "{name}"')  # type: ignore[arg-type]  # a name of our own
        with self._connect(name) as connection:
            connection.execute((SCHEMAS / f"postgres-{schema}.sql").read_bytes())
        url = f"postgres://mmuser:mostest@127.0.0.1:{self.port}/{name}?sslmode=disable&connect_timeout=10"
        return parse("postgres", SecretStr(url))

    def _connect(self, database: str) -> psycopg.Connection[Any]:
        return psycopg.connect(
            host=str(self.directory), port=self.port, user="mmuser", dbname=database, autocommit=True
        )


class Maria(Server):
    """MariaDB, which is what Debian has of MySQL."""

    account = "mysql"

    def __init__(self, directory: Path, program: str) -> None:
        super().__init__(directory)
        data, self._socket = str(directory / "data"), str(directory / "mysql.sock")
        self.run(
            "mariadb-install-db",
            "--no-defaults",
            f"--datadir={data}",
            "--auth-root-authentication-method=normal",
            "--innodb-use-native-aio=0",  # the kernel has few of its handles, and several of these servers run at once
            "--skip-test-db",
        )
        self.command = [program, "--no-defaults", f"--datadir={data}", f"--socket={self._socket}"]
        self.command += [f"--port={self.port}", "--bind-address=127.0.0.1", "--innodb-flush-log-at-trx-commit=2"]
        self.command += ["--innodb-use-native-aio=0"]

    def answers(self) -> bool:
        """Say whether the server takes connections (asked of its socket: PyMySQL leaves one open that is refused)."""
        with socket.socket(socket.AF_UNIX) as probe:
            try:
                probe.connect(self._socket)
            except OSError:
                return False
        return True

    def kill(self) -> None:
        """End the server at once."""
        self.stop(signal.SIGKILL)

    def create(self, name: str, schema: str) -> DataSource:
        """Make a database with the tables of a server's version and return where it is."""
        with contextlib.closing(self._connect()) as connection, connection.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE `{name}` CHARACTER SET utf8mb4")
            cursor.execute("CREATE OR REPLACE USER 'mmuser'@'%' IDENTIFIED BY 'mos@t/est'")
            cursor.execute("GRANT ALL ON *.* TO 'mmuser'@'%'")
            cursor.execute(f"USE `{name}`")
            for statement in (SCHEMAS / f"mysql-{schema}.sql").read_text().split(";\n"):
                if statement.strip():
                    cursor.execute(statement)
        parameters = "charset=utf8mb4,utf8&readTimeout=20s&writeTimeout=20s&timeout=20s"
        return parse("mysql", SecretStr(f"mmuser:mos@t/est@tcp(127.0.0.1:{self.port})/{name}?{parameters}"))

    def _connect(self) -> pymysql.Connection[Any]:
        return pymysql.connect(unix_socket=self._socket, user="root", autocommit=True)


def postgres_programs() -> Path:
    """Return the directory of PostgreSQL's programs; raises `NotInstalledError`."""
    found = shutil.which("postgres")
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: float(path.parts[-3]))
    if found is None and not versions:
        raise NotInstalledError("no PostgreSQL here: apt-get install postgresql")
    return Path(found).parent if found else versions[-1].parent


def maria_program() -> str:
    """Return the path of MariaDB's server; raises `NotInstalledError`."""
    found = shutil.which("mariadbd", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if found is None or shutil.which("mariadb-install-db") is None:
        raise NotInstalledError("no MariaDB here: apt-get install mariadb-server")
    return found


@contextlib.contextmanager
def running(kind: str) -> Iterator[Server]:
    """Run a server of `kind`, ``postgres`` or ``mysql``, in a new directory; raises `NotInstalledError`."""
    programs = postgres_programs() if kind == "postgres" else maria_program()
    # directly below /tmp: its account must reach it, and a socket's path is short
    with tempfile.TemporaryDirectory(prefix=f"lt-{kind}-", dir="/tmp") as directory:
        server = Postgres(Path(directory), programs) if isinstance(programs, Path) else Maria(Path(directory), programs)
        try:
            server.start()
            yield server
        finally:
            server.stop(signal.SIGINT if kind == "postgres" else signal.SIGTERM)
