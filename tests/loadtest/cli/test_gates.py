"""`loadtest --fail-on` and `--abort-on`: a run that was not good enough ends with 99, or before its time."""

from __future__ import annotations

from typing import Any

import pytest

AgentHere = Any
"""An `Agent` of the conftest beside."""


async def test_gates_decide_the_exit_code(agent_here: AgentHere) -> None:
    """One that fails ends the run with 99; it stands first in the report, and the log tells when it was crossed."""
    ended = await agent_here.run("all", "--fail-on", "max > 0.001ms", "--fail-on", "error_rate > 50%")
    assert ended.code == 99
    report = (agent_here.folder / "results.txt").read_text()
    assert report.startswith("--------- Gates ------------\nFAILED: max > 0.001ms: failed: max is ")
    assert "passed: error_rate > 50%: passed: error_rate is 0.00% ≤ 50.00%" in report
    assert "Score: " in report
    assert ended.stderr.rstrip().rpartition("Error: ")[2].startswith("1 gate did not pass:\n  max > 0.001ms: failed")
    assert "gate crossed: max > 0.001ms" in agent_here.log.read_text()


async def test_gates_that_pass(agent_here: AgentHere) -> None:
    """A good run ends with 0, its gates shown."""
    agent_here.set(
        UserEntitiesConfiguration_ActionRateMilliseconds="2000",
        UserEntitiesConfiguration_MaxLoopLagMilliseconds="60000",
    )  # on a machine that is busy with other things
    gates = agent_here.folder / "gates.txt"
    gates.write_text("p95 > 60s\nthroughput < 1% of intended\nsaturated\n")
    ended = await agent_here.run("all", "--gates", str(gates))
    assert ended.code == 0, ended.stderr
    assert "passed: saturated: passed: every agent kept up" in ended.stderr


async def test_too_few_samples_fail_a_run(agent_here: AgentHere) -> None:
    """A route that nobody asked for passes nothing."""
    ended = await agent_here.run("all", "--fail-on", 'route:"GET /nowhere" p95 > 1s')
    assert ended.code == 99
    assert "too few samples: there was no request on GET /nowhere" in ended.stderr


@pytest.mark.slow
async def test_a_gate_ends_the_run_early(agent_here: AgentHere, embedded: Any) -> None:
    """After ten seconds of a run of a minute; what was measured until then is reported."""
    agent_here.set(UserEntitiesConfiguration_TestLengthMinutes="1")
    ended = await agent_here.run("all", "--abort-on", "max > 0.001ms")
    assert ended.code == 99
    assert "the run was ended early, as a gate was crossed: max > 0.001ms" in ended.stderr
    assert "FAILED: max > 0.001ms" in ended.stderr
    (stopped,) = ended.told("Stopping the entities")
    assert stopped["early"] is True


async def test_gates_that_cannot_be_used_are_refused_before_anything_is_done(agent_here: AgentHere) -> None:
    """Such as one that cannot be read, or one that compares."""
    for option, gate, words in (
        ("--fail-on", "p95 > 500", "expected a number with its unit"),
        ("--abort-on", "p59 > 500ms", "--abort-on:1:1:"),
        ("--fail-on", "p95 significantly worse", "compares with a baseline, and there is none"),
    ):
        ended = await agent_here.run("all", option, gate)
        assert ended.code == 2
        assert words in ended.stderr
    assert not agent_here.log.exists()
