"""psql or mysql on a database, the password handed over by environment or file, never by command line."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import SecretStr

from mattermost_load_test.errors import UsageError

_PACKAGES = {"psql": "postgresql-client", "mysql": "mariadb-client"}


@dataclass(frozen=True, slots=True)
class DatabaseLogin:
    """Where a database is and as whom to come; `host` is a path for a MySQL's socket. `ssl_mode` is libpq's word."""

    host: str
    port: int | None
    database: str
    user: str
    password: SecretStr
    ssl_mode: str = ""


def driver_of(data_source: SecretStr) -> Literal["postgres", "mysql"]:
    """Return the kind of database that a data source names, by its form."""
    text = data_source.get_secret_value()
    return "mysql" if "@tcp(" in text or "@unix(" in text else "postgres"


def open_psql(login: DatabaseLogin, arguments: Sequence[str]) -> int:
    """Run psql on this process's terminal and return its exit code; raises `UsageError` where it is not installed."""
    command = [_program("psql"), "-h", login.host, "-U", login.user, "-d", login.database]
    command += [] if login.port is None else ["-p", str(login.port)]
    environment = os.environ | {"PGPASSWORD": login.password.get_secret_value()}
    if login.ssl_mode:
        environment["PGSSLMODE"] = login.ssl_mode
    return subprocess.run([*command, *arguments], env=environment, check=False).returncode


def open_mysql(login: DatabaseLogin, arguments: Sequence[str]) -> int:
    """Run mysql likewise, with a file of options that is gone afterwards."""
    handle, name = tempfile.mkstemp(prefix="ltops-", suffix=".cnf")  # 0600
    try:
        with os.fdopen(handle, "w") as file:
            password = login.password.get_secret_value().replace("\\", "\\\\").replace('"', '\\"')
            file.write(f'[client]\npassword="{password}"\n')
        command = [_program("mysql"), f"--defaults-extra-file={name}", "-u", login.user, "-D", login.database]
        command += ["-S", login.host] if login.port is None else ["-h", login.host, "-P", str(login.port)]
        return subprocess.run([*command, *arguments], check=False).returncode
    finally:
        Path(name).unlink(missing_ok=True)


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise UsageError(f"{name} is not on this machine: apt-get install {_PACKAGES[name]}")
    return found
