"""Host keys that consoles show are pinned by `create`, and by `deploy` before its first connection."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from tests.ltops.terraform.conftest import Aws, Refuse, as_ec2_answer, as_ec2_error, console

from mattermost_load_test.logs import Log
from mattermost_load_test.ltops.progress import Progress
from mattermost_load_test.ltops.providers.terraform_aws.pinning import after_pinning
from mattermost_load_test.ltops.store import Store

pytestmark = [pytest.mark.xdist_group("aws"), pytest.mark.timeout(300)]

Ops = Any
"""An `Ops` of the conftest above."""

CREATE = ("create", "-c", "demo", "-t", "terraform", "--allow-cidr", "203.0.113.7")
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILM+rvN+ot98qgEN796jTiQfZfG1KaT0PtFDJ/XFSqti"


def known_hosts(ops: Ops) -> Path:
    """Return where the cluster's host keys are kept."""
    path = ops.home / "demo" / "known_hosts"
    assert isinstance(path, Path)
    return path


def test_keys_are_pinned(checked: Ops, aws: Aws, refuse: Refuse, monkeypatch: pytest.MonkeyPatch) -> None:
    """By `create` where they are shown by then, else by `deploy`, before the first of its stages is looked at."""
    ec2 = refuse({"GetConsoleOutput": as_ec2_answer(console(KEY))}, behind=aws.url)
    checked.environment["AWS_ENDPOINT_URL_EC2"] = ec2.url
    said = checked.good(*CREATE).stderr
    assert "Host keys pinned as the instances' consoles show them: app-0, loadtest-0, metrics-0, proxy-0" in said
    pinned = known_hosts(checked).read_text()
    assert pinned.splitlines() == [f"192.0.2.{n} {KEY} instance console" for n in (1, 2, 3, 4)]
    known_hosts(checked).unlink()
    for name, value in checked.environment.items():
        monkeypatch.setenv(name, value)
    progress = Progress(Console(file=io.StringIO()), Log(), None, verbose=False)
    stages = after_pinning(Store(checked.home).load("demo"), iter([[]]), progress)
    assert next(iter(stages)) == []
    assert known_hosts(checked).read_text() == pinned


def test_consoles_that_we_may_not_read(checked: Ops, aws: Aws, refuse: Refuse) -> None:
    """It is told why, and the cluster is made all the same."""
    denied = refuse({"GetConsoleOutput": as_ec2_error(403, "UnauthorizedOperation")}, behind=aws.url)
    checked.environment["AWS_ENDPOINT_URL_EC2"] = denied.url
    said = checked.good(*CREATE).stderr
    assert "WARNING: host keys are pinned at the first connection, since the consoles are not to be had: AWS" in said
    assert "GetConsoleOutput: UnauthorizedOperation" in said
    assert not known_hosts(checked).exists()
