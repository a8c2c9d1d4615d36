"""Local clusters with the embedded server, from nothing to results, and to nothing again."""

from __future__ import annotations

from typing import Any

import pytest

Ops = Any
"""An `Ops` of the conftest beside."""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]


def test_from_nothing_to_results_and_to_nothing_again(ops: Ops) -> None:
    """Create, deploy, loadtest, status, delete: the report is shown and kept, and at the end nothing is left."""
    ops.good("create", "-c", "demo", "--type", "local")
    ops.good("deploy", "-c", "demo", "--users", "30")
    ended = ops.good("loadtest", "-c", "demo")
    assert "Timings Report" in ended.stdout
    assert (ops.home / "demo" / "results" / "summary.txt").read_text() == ended.stdout
    found = ops.status("demo")
    assert found["well"]
    assert found["run"]["exit_codes"] == [0]
    assert found["run"]["score"] > 0
    assert found["users"] == 30
    ops.good("delete", "demo")
    assert list(ops.home.iterdir()) == []
    assert ops.processes() == []


def test_deploying_again_changes_nothing(ops: Ops) -> None:
    """What is as it should be is left alone: the process is the same one, and the command says so."""
    ops.good("create", "--name", "demo", "-t", "local")
    ops.good("deploy", "-c", "demo")
    before = sorted(process.pid for process in ops.processes())
    assert "Nothing to do" in ops.good("deploy", "-c", "demo").stderr
    assert sorted(process.pid for process in ops.processes()) == before


def test_addresses_of_what_is_served(ops: Ops) -> None:
    """On this machine `forward` prints an address as it is; a cluster without a database says so."""
    ops.good("create", "-c", "demo", "--type", "local")
    ops.good("deploy", "-c", "demo")
    url = ops.state("demo")["site_url"]
    assert ops.good("forward", "app", "-c", "demo").stdout == f"app-0: {url}\n"
    ended = ops.run("forward", "db", "-c", "demo")
    assert (ended.code, ended.error) == (2, "the cluster demo has no database that is known here")
    assert ops.run("forward", "app", "-c", "demo", "-i", "1").code == 2


def test_options_of_other_kinds_are_refused(ops: Ops) -> None:
    """Each by its name."""
    ops.good("create", "-c", "demo", "--type", "local")
    ended = ops.run("deploy", "-c", "demo", "--agent-image", "registry.example.com/agent:1")
    assert (ended.code, ended.error) == (2, "--agent-image means nothing for a cluster of type local")
