"""PostgreSQL for a real Mattermost: its data in the cluster's folder, or beside it where root must not own it.

Started by root it runs under an account of its own, which cannot reach into a cluster's folder (0700): its data is in
a folder below /var/tmp then, and the link in the cluster's folder says which.
"""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
from pydantic import SecretStr

from mattermost_load_test.errors import DatabaseError, OperationError, OutputError, UsageError
from mattermost_load_test.ltops.cluster import Instance
from mattermost_load_test.ltops.providers.local.layout import HOST, LocalDetails, folder, made, need_free
from mattermost_load_test.ltops.providers.local.programs import ended
from mattermost_load_test.ltops.steps import Step, Tell
from mattermost_load_test.ltops.store import Cluster
from mattermost_load_test.ltops.supervision import MARK, Program, Supervisor

NAME = "db-0"
USER = "mmuser"
DATABASE = "mattermost"
CONNECTIONS_MAX = 300
START_S = 60.0
_LINK = "data"
_ACCOUNTS = ("postgres", "nobody")
_POLL_S = 0.1


def postgres_programs() -> Path:
    """Return the folder of PostgreSQL's programs; raises `UsageError` with how to get them."""
    found = shutil.which("postgres")
    if found is not None and (Path(found).parent / "initdb").exists():
        return Path(found).parent
    versions = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/postgres"),
        key=lambda path: float(path.parts[-3]) if path.parts[-3].replace(".", "").isdigit() else 0.0,
    )
    if versions:
        return versions[-1].parent
    raise UsageError(
        "a real Mattermost needs a database, and there is no PostgreSQL on this machine: install it "
        "(Debian, Ubuntu: apt-get install postgresql), or name one with --data-source"
    )


def account() -> str | None:
    """Return the account that PostgreSQL runs under, None for our own."""
    if os.geteuid() != 0:
        return None
    for name in _ACCOUNTS:
        try:
            return pwd.getpwnam(name).pw_name
        except KeyError:
            continue
    raise UsageError("PostgreSQL refuses to run as root, and there is no account postgres or nobody")


class LocalDatabase:
    """The PostgreSQL of a cluster."""

    def __init__(self, cluster: Cluster, details: LocalDetails) -> None:
        self._cluster = cluster
        self._programs = postgres_programs()
        self._account = account()
        self._port = details.port(NAME)
        details.database_password = details.database_password or secrets.token_urlsafe(24)
        self._password = details.database_password
        self._directory = folder(cluster.directory, NAME)

    @property
    def instance(self) -> Instance:
        """The instance that it is."""
        return Instance(role="db", index=0, address=f"{HOST}:{self._port}")

    @property
    def data_source(self) -> SecretStr:
        """Where it is, as Mattermost is told."""
        login = f"{USER}:{quote(self._password, safe='')}"
        return SecretStr(f"postgres://{login}@{HOST}:{self._port}/{DATABASE}?sslmode=disable&connect_timeout=10")

    def step(self, supervisor: Supervisor) -> Step:
        """Return the step that makes its data, starts it, and makes the database in it."""

        def start(tell: Tell) -> None:
            made(self._directory)
            if not (self._data() / "PG_VERSION").exists():
                tell("making its data")
                self._make_data()
            supervisor.drop(NAME)
            need_free(self._port, NAME)
            program = self._program()
            supervisor.replace(program)
            tell("waiting for it")
            self._wait(supervisor, program)

        def is_pending() -> bool:
            return not (supervisor.runs() and supervisor.is_current(self._program()))

        return Step(NAME, "start PostgreSQL", start, is_pending)

    def _data(self) -> Path:
        return self._directory / _LINK / "postgres"

    def _program(self) -> Program:
        data = self._data().resolve()
        command = [str(self._programs / "postgres"), "-D", str(data), "-p", str(self._port)]
        settings = {
            "listen_addresses": HOST,
            "unix_socket_directories": "",
            "max_connections": str(CONNECTIONS_MAX),
            "shared_buffers": "256MB",
        }
        for setting, value in settings.items():
            command += ["-c", f"{setting}={value}"]
        return Program(
            NAME,
            command,
            data.parent,
            self._directory / "postgres.log",
            {MARK: str(self._cluster.directory)},
            account=self._account,
            restart=True,
            stop_signal="INT",
        )

    def _make_data(self) -> None:
        """Make the place for the data, then the data; what an earlier attempt left is made anew."""
        place = self._place()
        remove_data(self._cluster.directory, keep_link=True)
        made(place)
        owner = {} if self._account is None else _as_account(self._account)
        if owner:
            os.chown(place, owner["user"], owner["group"])
        password = place / "password"
        try:
            password.touch(mode=0o600)
            password.write_text(self._password)
            if owner:
                os.chown(password, owner["user"], owner["group"])
            self._initdb(place, password, owner)
        except OSError as error:
            raise OutputError(f"{error.filename or place} cannot be written: {error.strerror}") from error
        finally:
            password.unlink(missing_ok=True)

    def _place(self) -> Path:
        """Return the folder for the data, linked to before it is made, so that it is found again whatever happens."""
        link = self._directory / _LINK
        if link.is_symlink():
            return link.readlink()
        if self._account is None:
            return made(link)
        place = Path("/var/tmp") / f"ltops-{self._cluster.name}-{secrets.token_hex(6)}"  # noqa: S108  # made 0700
        link.symlink_to(place)
        return place

    def _initdb(self, place: Path, password: Path, owner: dict[str, Any]) -> None:
        command = [str(self._programs / "initdb"), "-D", str(place / "postgres"), "-U", USER, "--pwfile", str(password)]
        command += ["-A", "scram-sha-256", "-E", "UTF8", "--locale=C.UTF-8"]
        ran = subprocess.run(command, cwd=place, capture_output=True, text=True, check=False, **owner)
        if ran.returncode:
            said = (ran.stderr.strip() or ran.stdout.strip()).splitlines()[-1:]
            raise OperationError(f"initdb failed: {said[0] if said else 'it said nothing'}")

    def _wait(self, supervisor: Supervisor, program: Program) -> None:
        """Wait until it takes connections, and make Mattermost's database."""
        deadline_s = time.monotonic() + START_S
        while True:
            try:
                with psycopg.connect(
                    host=HOST, port=self._port, user=USER, password=self._password, dbname="postgres", autocommit=True
                ) as connection:
                    there = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
                    if there is None:
                        connection.execute(f"CREATE DATABASE {DATABASE}")
                    return
            except psycopg.Error as error:
                if reason := ended(supervisor, program):
                    raise OperationError(reason) from error
                if time.monotonic() > deadline_s:
                    raise DatabaseError(f"PostgreSQL did not come up within {START_S:g} s: {error}") from error
            time.sleep(_POLL_S)


def _as_account(name: str) -> dict[str, Any]:
    entry = pwd.getpwnam(name)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": [], "umask": 0o077}


def remove_data(cluster_directory: Path, *, keep_link: bool = False) -> None:
    """Remove a database's data wherever it is; raises `OperationError` with what stays."""
    link = folder(cluster_directory, NAME) / _LINK
    place = link.readlink() if link.is_symlink() else link
    if place.is_dir():
        try:
            shutil.rmtree(place)
        except OSError as error:
            raise OperationError(f"{error.filename} could not be removed: {error.strerror}") from error
    if link.is_symlink() and not keep_link:
        link.unlink()
