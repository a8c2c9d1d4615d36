"""`ltops loadtest --fail-on`: gates on the results of all agents together."""

from __future__ import annotations

from typing import Any

import pytest

Ops = Any
"""An `Ops` of the conftest beside."""

pytestmark = pytest.mark.slow


def test_gates_decide_the_exit_code(ops: Ops) -> None:
    """One that fails ends the command with 99, first in the report, which is kept; gates are for one run only."""
    ops.good("create", "-c", "demo", "--type", "local", "--loadtest-count", "2")
    ops.good("deploy", "-c", "demo")
    gates = ("--fail-on", "max > 0.001ms", "--fail-on", "hits < 1")
    ended = ops.run("loadtest", "-c", "demo", "--start-in", "15", *gates)
    assert ended.code == 99, ended.stderr
    assert ended.error.startswith("1 gate did not pass:\n  max > 0.001ms: failed: max is ")
    assert ended.stdout.startswith("--------- Gates ------------\nFAILED: max > 0.001ms")
    assert "passed: hits < 1" in ended.stdout
    assert "\ngate crossed: max > 0.001ms: max is " in ended.stderr, "told while the run went on"
    assert "gate crossed: hits" not in ended.stderr
    assert (ops.home / "demo" / "results" / "summary.txt").read_text() == ended.stdout
    assert ops.status("demo")["run"]["exit_codes"] == [0, 0]


def test_gates_that_cannot_be_used_are_refused_before_anything_is_done(ops: Ops) -> None:
    """Whatever the cluster is."""
    for option, gate in (("--fail-on", "p95 > 500"), ("--abort-on", "p95 > 500"), ("--fail-on", "p95 > baseline")):
        ended = ops.run("loadtest", "-c", "none", option, gate)
        assert ended.code == 2
        assert "p95 >" in ended.error
