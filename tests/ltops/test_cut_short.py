"""Commands that are killed halfway: what they leave is known, and the next command finishes or removes it."""

from __future__ import annotations

from typing import Any

import pytest

Ops = Any
"""An `Ops` of the conftest beside."""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]


def killed_in_creation(ops: Ops) -> None:
    """Kill `create` as soon as it has written what its supervisord reads."""
    creating = ops.start("create", "-c", "demo", "--type", "local")
    ops.until((ops.home / "demo" / "supervisor" / "supervisord.conf").exists, "its files are there")
    creating.kill()
    creating.communicate()
    assert creating.returncode == -9
    assert ops.status("demo")["phase"] == "creating"


def test_a_creation_that_was_killed_goes_on(ops: Ops) -> None:
    """`deploy` says what to do first, the same `create` finishes it, and the cluster is as any other."""
    killed_in_creation(ops)
    ended = ops.run("deploy", "-c", "demo")
    assert (ended.code, ended.error) == (2, "the creation of demo did not end: repeat `ltops create`, then deploy")
    ops.good("create", "-c", "demo", "--type", "local")
    ops.good("deploy", "-c", "demo")
    assert ops.status("demo")["well"]


def test_a_creation_that_was_killed_is_removed(ops: Ops) -> None:
    """Also where its supervisord came up after the command was gone: no process and no file is left."""
    killed_in_creation(ops)
    ops.good("delete", "-c", "demo", "--yes")
    assert (list(ops.home.iterdir()), ops.processes()) == ([], [])
