"""`ltops db` on a cluster whose database is a MySQL: a real MariaDB, opened with its own command line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psutil
import pytest
from tests.loadtest.database.servers import Maria

Ops = Any
"""An `Ops` of the conftest beside."""

PASSWORD = "mos@t/est"

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]


def command_lines() -> list[str]:
    """Return the command lines of all processes of the machine."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        found.append(" ".join(process.info["cmdline"] or ()))
    return found


def test_mysql_is_opened_with_its_password_in_no_process_list(solo: Ops, maria: Maria) -> None:
    """Arguments behind -- go through, the exit code is the client's, and the file with the password is gone after."""
    maria.create("shell", "5.37")
    source = f"mmuser:{PASSWORD}@tcp(127.0.0.1:{maria.port})/shell?charset=utf8mb4"
    solo.good("create", "-c", "own", "--type", "local", "--server-url", solo.state("demo")["site_url"])
    solo.good("deploy", "-c", "own", "--data-source", source)
    assert solo.state("own")["driver"] == "mysql"
    before = set(Path("/tmp").glob("ltops-*.cnf"))
    asking = solo.start("db", "-c", "own", "--", "-N", "-e", "SELECT 40 + 2, DATABASE(), SLEEP(3)")
    solo.until(lambda: any("SLEEP(3)" in line and "--defaults-extra-file" in line for line in command_lines()), "asks")
    assert not [line for line in command_lines() if PASSWORD in line]
    (file,) = set(Path("/tmp").glob("ltops-*.cnf")) - before
    assert file.stat().st_mode & 0o777 == 0o600
    stdout, stderr = asking.communicate()
    assert (asking.returncode, stdout.split()) == (0, ["42", "shell", "0"]), stderr
    assert not file.exists()
    assert solo.run_apart("db", "-c", "own", "--", "-e", "nonsense").code == 1
    shown = solo.good("status", "-c", "own").stdout
    assert "mysql mmuser:" in shown
    assert PASSWORD not in shown
