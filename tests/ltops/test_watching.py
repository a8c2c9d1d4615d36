"""What agents' logs tell while a run lasts, and the gates that all of them together cross."""

from __future__ import annotations

from pathlib import Path

from mattermost_load_test.gates import GatesSoFar, parse
from mattermost_load_test.ltops.watching import AgentWatch, total
from mattermost_load_test.timings.health import Activity, HealthLimits, health_line
from mattermost_load_test.timings.records import LOGIN_TAG, TIMINGS_TAG, Sample, timings_line


def timings(*durations_ms: float, at_s: float = 1.0, error: str | None = None, tag: str = TIMINGS_TAG) -> bytes:
    """Return a line of timings of one route."""
    samples = [Sample("GET /a", 1000.0 * at_s, duration_ms, error) for duration_ms in durations_ms]
    return timings_line(samples, tag, "any", at_s + 1) + b"\n"


def test_gates_are_crossed_by_all_agents_together() -> None:
    """One agent's slow requests weigh as many as they are; health is each agent's own, and named."""
    gates = GatesSoFar([parse(text, "x") for text in ("mean > 100ms", "saturated", "throughput < 90% of intended")])
    one, two = (AgentWatch(name, lambda: 5.0, gates) for name in ("loadtest-0", "loadtest-1"))
    one.feed(timings(300.0))
    assert [result.gate.text for result in gates.crossed()] == ["mean > 100ms"]
    two.feed(timings(10.0, 10.0, 10.0, 10.0))
    assert gates.crossed() == []
    one.feed(health_line("a", 5.0, 1.0, [], HealthLimits(), Activity(5, 100, 100.0)) + b"\n")
    two.feed(health_line("b", 5.0, 2000.0, [], HealthLimits(), Activity(5, 60, 100.0)) + b"\n")
    saturated, throughput = gates.crossed()
    assert saturated.reason.startswith("loadtest-1: lateness p99 is 2,000 ms")
    assert throughput.reason == "80.0% of the intended actions were done"
    assert total([one, two]).requests == 5


def test_logins_and_foreign_lines_cross_nothing() -> None:
    """Nor do lines that are broken, or cut anywhere."""
    gates = GatesSoFar([parse("max > 1ms", "x")])
    watch = AgentWatch("loadtest-0", lambda: 5.0, gates)
    for line in (timings(9.0, tag=LOGIN_TAG), b"no JSON\n", b'{"tag":"timings"}\n', b'{"tag":"health"}\n', b"[1]\n"):
        watch.feed(line)
    assert gates.crossed() == []
    whole = timings(9.0)
    watch.feed(whole[:50])
    assert gates.crossed() == []
    watch.feed(whole[50:])
    assert len(gates.crossed()) == 1


def test_a_run_that_is_picked_up_again_knows_what_was_crossed_before(tmp_path: Path) -> None:
    """What was copied of the log counts."""
    (tmp_path / "log").write_bytes(timings(9.0))
    gates = GatesSoFar([parse("max > 1ms", "x")])
    AgentWatch("loadtest-0", lambda: 5.0, gates).catch_up(tmp_path / "log")
    assert len(gates.crossed()) == 1
