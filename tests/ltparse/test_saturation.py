"""A saturated agent's run is never called good, and what agents tell of themselves is shown."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mattermost_load_test.timings.health import Activity, HealthLimits, WorkerHealth, health_line

from .runs import BEGAN_S, RUN, Load, run, write_run

WORKER = WorkerHealth(0, 50, lateness_p99_ms=12.5, loop_lag_p99_ms=3.25, cpu_percent=40.0)
ACTIVITY = Activity(entities=50, actions=900, actions_intended=1000.0, skipped=4)


def log(path: Path, lateness_p99_ms: float = 12.5, *, instance: str = "one", seed: int = 1) -> Path:
    """Write a run of one agent that told of itself three times."""
    write_run(path, {"GET /a": Load(500)}, instance=instance, seed=seed)
    ramp = Activity(entities=20, actions=100, actions_intended=120.0)
    with path.open("ab") as stream:
        for moment_s, activity in ((20.0, ramp), (40.0, ACTIVITY), (61.0, ACTIVITY)):
            told = (instance, BEGAN_S + 10 + moment_s, lateness_p99_ms, [WORKER], HealthLimits(), activity)
            stream.write(health_line(*told) + b"\n")
    return path


@pytest.mark.parametrize("display", ["text", "markdown", "json", "html", "junit"])
def test_a_saturated_run_is_never_called_good(tmp_path: Path, display: str) -> None:
    """Gates that pass and a baseline that is no better do not help."""
    new, old = log(tmp_path / "new.log", 2000.0, instance="new"), log(tmp_path / "old.log", instance="old")
    verdict = ["--verdict"] if display in ("text", "markdown") else []
    made = run("results", "-f", new, "-b", old, "-d", display, "--fail-on", "p95 > 10s", *verdict)
    assert made.exit_code == 0
    assert "WARNING: " in made.stderr
    assert "was saturated, these figures are not to be trusted: lateness p99 is 2,000 ms" in made.stderr
    assert "Not to be trusted: lateness p99 is 2,000 ms" in made.stdout
    assert "All gates passed" not in made.stdout


def test_a_saturated_run_fails_the_gate(tmp_path: Path) -> None:
    """`saturated` fails it, passes one whose agents kept up, and cannot be decided on an old log."""
    for lateness_ms, code in ((2000.0, 99), (12.5, 0)):
        path = tmp_path / f"{code}.log"
        assert run("results", "-f", log(path, lateness_ms), "--fail-on", "saturated").exit_code == code
    assert "cannot be decided" in run("results", "-f", RUN, "--fail-on", "saturated").stderr


def test_throughput_of_intended(tmp_path: Path) -> None:
    """Of two agents the actions of both count; where one does not tell, nothing is decided."""
    first, second = log(tmp_path / "a.log", instance="a"), log(tmp_path / "b.log", instance="b")
    silent = write_run(tmp_path / "c.log", {"GET /a": Load()}, instance="c")
    gate = ("--fail-on", "throughput < 91% of intended", "-d", "json")
    failed = run("results", "-f", first, "-f", second, *gate)
    assert failed.exit_code == 99
    assert json.loads(failed.stdout)["gates"][0]["reason"] == "90.0% of the intended actions were done"
    assert "does not tell" in run("results", "-f", first, "-f", silent, *gate).stderr


def test_what_agents_tell_is_in_the_json(tmp_path: Path) -> None:
    """Their last words, worker by worker."""
    (instance,) = json.loads(run("results", "-f", log(tmp_path / "run.log"), "-d", "json").stdout)["instances"]
    assert instance["saturation"] == []
    assert instance["health"] == {
        "lateness_p99_ms": 12.5,
        "actions": 900,
        "actions_intended": 1000.0,
        "skipped": 4,
        "workers": [
            {
                "worker": 0,
                "entities": 50,
                "lateness_p99_ms": 12.5,
                "loop_lag_p99_ms": 3.25,
                "cpu_percent": 40.0,
                "dropped_events": 0,
                "lost_lines": 0,
            }
        ],
    }


def test_what_agents_tell_is_on_the_page(tmp_path: Path) -> None:
    """Entities and delay over time, the phases found in them, and the workers."""
    shown = run("results", "-f", log(tmp_path / "run.log"), "-d", "html").stdout
    assert "User entities" in shown
    assert "The agents&#39; own delay" in shown
    assert 'class="band ramp"' in shown
    assert 'class="band steady"' in shown
    assert "900 of 1,000 (90.0%), 4 skipped" in shown
    assert "kept up" in shown
    assert "Worker processes" in shown


def test_a_merged_log_tells_it_too(tmp_path: Path) -> None:
    """`ltparse merge` keeps what agents told of themselves."""
    first, second = log(tmp_path / "a.log", 2000.0, instance="a"), log(tmp_path / "b.log", instance="b")
    merged = tmp_path / "all.log"
    assert run("merge", first, second, "-o", merged).exit_code == 0
    made = run("results", "-f", merged, "--aggregate", "-d", "json")
    assert json.loads(made.stdout)["saturation"] == [
        "agent a: lateness p99 is 2,000 ms, more than the 1,000 ms allowed "
        "(MaxLatenessMilliseconds, and at most the action interval)"
    ]


def test_inspect_tells_whether_agents_kept_up(tmp_path: Path) -> None:
    """Before anybody looks at figures."""
    assert "    kept up\n" in run("inspect", log(tmp_path / "a.log")).stdout
    assert "    saturated: lateness p99 is 2,000 ms" in run("inspect", log(tmp_path / "b.log", 2000.0)).stdout
