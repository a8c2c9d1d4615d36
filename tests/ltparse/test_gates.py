"""`ltparse results --fail-on`: exit code 99, failed gates first, nothing undecided passes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import Result

from .runs import BASELINE, RUN, Load, run, write_run

FAILED, PASSED = "errors > 1", "p95 > 1s"


def judged(*arguments: str | Path) -> Result:
    """Run `ltparse results` on the original's log with two gates, one of which fails."""
    return run("results", "-f", RUN, "--fail-on", PASSED, "--fail-on", FAILED, *arguments)


def test_a_gate_that_fails_ends_with_99() -> None:
    """The results are shown all the same; the message names the gates that failed, with their figures."""
    made = judged()
    assert made.exit_code == 99
    assert "Score: " in made.stdout
    assert made.stderr == "Error: 1 gate did not pass:\n  errors > 1: failed: errors is 430 > 1\n"


def test_gates_that_pass_end_with_0() -> None:
    """Gates that hold nothing against the run are shown as passed."""
    made = run("results", "-f", RUN, "--fail-on", PASSED)
    assert (made.exit_code, made.stderr) == (0, "")
    assert made.stdout.startswith("--------- Gates ------------\npassed: p95 > 1s: passed: p95 is ")


@pytest.mark.parametrize("display", ["text", "markdown", "json", "csv", "junit"])
def test_failed_gates_come_first_in_every_display(display: str) -> None:
    """In each format the failed gate stands before the passed one, and both before the routes."""
    shown = judged("-d", display).stdout.replace("&gt;", ">")
    if display == "json":
        assert [gate["gate"] for gate in json.loads(shown)["gates"]] == [FAILED, PASSED]
    else:
        assert shown.index(FAILED) < shown.index(PASSED) < shown.index("GET /channels/[channel id]/members")


def test_gates_from_a_file(tmp_path: Path) -> None:
    """A file of gates is used beside --fail-on; what it cannot hold is refused with its line."""
    gates = tmp_path / "gates.txt"
    gates.write_text(f"# ours\n{PASSED}\n\n{FAILED}\n")
    made = run("results", "-f", RUN, "--gates", gates, "--fail-on", "hits < 1", "-d", "json")
    assert made.exit_code == 99
    assert [gate["gate"] for gate in json.loads(made.stdout)["gates"]] == [FAILED, "hits < 1", PASSED]
    gates.write_text("p95 > 1s\nlatency > 3ms\n")
    refused = run("results", "-f", RUN, "--gates", gates)
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert f"{gates}:2:1:\n  latency > 3ms\n  ^\nthere is no figure latency" in refused.stderr


def test_a_gates_file_that_cannot_be_read(tmp_path: Path) -> None:
    """Missing, empty, or no text: each is one message with exit code 2, before the log is read."""
    empty, binary = tmp_path / "empty.txt", tmp_path / "binary.txt"
    empty.touch()
    binary.write_bytes(b"\xff\xfe\x00")
    for path, words in (
        (tmp_path / "none.txt", "cannot be read: No such file"),
        (tmp_path, "cannot be read: Is a directory"),
        (empty, "there is no gate in this file"),
        (binary, "it is not text in UTF-8"),
    ):
        refused = run("results", "-f", tmp_path / "none.log", "--gates", path)
        assert refused.exit_code == 2
        assert words in refused.stderr
        assert refused.stderr.count("Error: ") == 1


def test_a_gate_that_cannot_be_read_is_refused_before_the_log() -> None:
    """The place and what was expected are in the message."""
    refused = run("results", "-f", "none.log", "--fail-on", "p95 > 500")
    assert refused.exit_code == 2
    assert "--fail-on:1:7:\n  p95 > 500\n        ^\nexpected a number with its unit" in refused.stderr


def test_a_gate_on_a_comparison_needs_a_baseline() -> None:
    """It is refused, not passed."""
    for gate in ("p95 > baseline+10%", "p95 significantly worse"):
        refused = run("results", "-f", RUN, "--fail-on", gate)
        assert refused.exit_code == 2
        assert f"the gate '{gate}' compares with a baseline, and there is none" in refused.stderr


def test_significantly_worse(tmp_path: Path) -> None:
    """A slow-down of a third fails, an equal run passes."""
    old = write_run(tmp_path / "old.log", {"GET /a": Load(2000), "GET /b": Load(2000)}, instance="old", seed=1)
    same = write_run(tmp_path / "same.log", {"GET /a": Load(2000), "GET /b": Load(2000)}, instance="same", seed=2)
    slow = write_run(tmp_path / "slow.log", {"GET /a": Load(2000), "GET /b": Load(2000, 53.0)}, instance="slow", seed=3)
    gates = ("--fail-on", "median significantly worse", "--fail-on", 'route:"GET /a" p95 significantly worse')
    assert run("results", "-f", same, "-b", old, *gates).exit_code == 0
    failed = run("results", "-f", slow, "-b", old, *gates)
    assert failed.exit_code == 99
    assert "median significantly worse: failed: GET /b is worse by +" in failed.stderr
    assert "1 gate" in failed.stderr


def test_too_few_samples_fail(tmp_path: Path) -> None:
    """A gate on a route without requests, or a percentile with too few, fails and says so."""
    log = write_run(tmp_path / "run.log", {"GET /a": Load(99)})
    made = run(
        "results",
        "-f",
        log,
        "--fail-on",
        'route:"GET /a" p99 > 1s',
        "--fail-on",
        'route:"GET /b" p95 > 1s',
        "-d",
        "json",
    )
    assert made.exit_code == 99
    assert [gate["outcome"] for gate in json.loads(made.stdout)["gates"]] == ["too few samples"] * 2


def test_what_the_originals_logs_do_not_tell_never_passes() -> None:
    """They hold neither times nor whether the agent kept up."""
    made = run("results", "-f", RUN, "--fail-on", "saturated", "--fail-on", "throughput < 1/s", "-d", "json")
    assert made.exit_code == 99
    assert [gate["outcome"] for gate in json.loads(made.stdout)["gates"]] == ["cannot be decided"] * 2


def test_the_verdict_in_text_and_markdown_is_asked_for() -> None:
    """Without --verdict a comparison stays what it is; with it, each route has its word, each change its interval."""
    plain = run("results", "-f", RUN, "-b", BASELINE, "-d", "markdown")
    with_verdict = run("results", "-f", RUN, "-b", BASELINE, "-d", "markdown", "--verdict")
    assert "Verdict" not in plain.stdout
    assert "### Verdict: " in with_verdict.stdout
    assert "| Metric | Baseline | Actual | Delta | Delta % | Verdict |" in with_verdict.stdout
    assert "vanished" in with_verdict.stdout
    assert "[slower" in run("results", "-f", BASELINE, "-b", RUN, "--verdict").stdout
    assert run("results", "-f", RUN, "--verdict").exit_code == 2


def test_thresholds_are_options(tmp_path: Path) -> None:
    """A change of a tenth is one or none, as the user says."""
    old = write_run(tmp_path / "old.log", {"GET /a": Load(5000)}, instance="old", seed=1)
    slow = write_run(tmp_path / "slow.log", {"GET /a": Load(5000, 46.0)}, instance="slow", seed=2)
    gate = ("results", "-f", slow, "-b", old, "--fail-on", "median significantly worse")
    assert run(*gate).exit_code == 99
    assert run(*gate, "--ignore-below-percent", "30").exit_code == 0
    assert run(*gate, "--ignore-below-ms", "20").exit_code == 0
    assert run(*gate, "--ignore-below-ms", "nan").exit_code == 2


def test_a_baseline_that_is_the_same_run_is_refused(tmp_path: Path) -> None:
    """By path, by another path to it, and as a copy."""
    copy, link = tmp_path / "copy.log", tmp_path / "link.log"
    copy.write_bytes(RUN.read_bytes())
    link.symlink_to(RUN)
    for baseline in (RUN, copy, link):
        refused = run("results", "-f", RUN, "-b", baseline)
        assert refused.exit_code == 2
        assert "is what it would be compared with; name the log of another run" in refused.stderr
