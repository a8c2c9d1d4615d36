"""The pipelines of docs/ci.md, run as they stand there: a first one without a baseline, a second one with."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml
from tests.small_population import SMALL_POPULATION

PAGE = (Path(__file__).parent.parent.parent / "docs" / "ci.md").read_text()
DEADLINE_S = 100.0
NOT_HERE = ("pip install", "gh pr comment", "curl ")  # what reaches out of this machine

CONFIGURATION = {
    "LoadtestEnviromentConfig": SMALL_POPULATION | {"NumUsers": 20},
    "UserEntitiesConfiguration": {
        "TestLengthMinutes": 0.1,
        "NumActiveEntities": 20,
        "ActionRateMilliseconds": 2000,
        "MaxLatenessMilliseconds": 60_000,
        "MaxLoopLagMilliseconds": 60_000,
        "MaxCPUPercent": 1000.0,
    },
    "ResultsConfiguration": {"PProfDelayMinutes": 0},
}
"""A run of six seconds, on a machine that may be busy with other things."""


def block(language: str, number: int = 0) -> str:
    """Return a block of the page."""
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL)[number]


class Runner:
    """Runs the scripts of a pipeline in a folder of their own, as a CI's runner does."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.summary = folder / "summary.md"
        binaries = str(Path(sys.executable).parent)
        inherited = {
            name: value for name, value in os.environ.items() if not name.startswith(("MMLOADTEST_", "LTOPS_"))
        }
        self._environment = inherited | {
            "PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}",
            "LTOPS_HOME": str(folder / "home"),
            "GITHUB_STEP_SUMMARY": str(self.summary),
            "CI_COMMIT_BRANCH": "main",
            "CI_DEFAULT_BRANCH": "main",
        }
        (folder / "loadtestconfig.json").write_text(json.dumps(CONFIGURATION))
        (folder / "gates.txt").write_text(block("text"))

    def run(self, script: str) -> subprocess.CompletedProcess[str]:
        """Run one script, as GitHub's runner and GitLab's do."""
        return subprocess.run(
            ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", script],
            cwd=self.folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=DEADLINE_S,
        )

    def said(self, ended: subprocess.CompletedProcess[str]) -> str:
        """Return what a script complained of, and the agents behind it."""
        outputs = (self.folder / "home" / "ci" / "results").glob("output-*")
        return "\n".join([ended.stderr, *(path.read_text() for path in outputs)])

    def judged(self, script: str) -> str:
        """Run what judges the run: it passes, or fails by its gates; return the report."""
        ended = self.run(script)
        assert ended.returncode in (0, 99), ended.stderr  # two runs on a busy machine may well differ
        assert "<title>" in (self.folder / "report.html").read_text()
        assert ElementTree.parse(self.folder / "junit.xml").getroot().tag == "testsuites"
        return (self.folder / "report.md").read_text()


def scripts(pipeline: str, steps: list[Any]) -> dict[str, str]:
    """Return the scripts of a pipeline that can be run here, by name or number."""
    found = {str(step.get("name")): step["run"] for step in steps if "run" in step}
    assert found, pipeline
    return {name: script for name, script in found.items() if not script.startswith(NOT_HERE)}


def github() -> dict[str, str]:
    """Return the scripts of the GitHub example."""
    return scripts("github", yaml.safe_load(block("yaml", 0))["jobs"]["load"]["steps"])


def gitlab() -> dict[str, Any]:
    """Return the GitLab example's job."""
    (job,) = yaml.safe_load(block("yaml", 1)).values()
    assert isinstance(job, dict)
    return job


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_pipelines_do_what_they_say(tmp_path: Path) -> None:
    """GitHub's runs without a baseline and makes one; GitLab's, in the same folder, compares with it."""
    runner = Runner(tmp_path)
    steps = github()
    assert list(steps) == ["Run", "Judge", "Show", "Make it the baseline", "Clean up"]
    ran = runner.run(steps["Run"])
    try:
        assert ran.returncode == 0, runner.said(ran)
        assert "Delta" not in runner.judged(steps["Judge"])
        assert runner.run(steps["Show"]).returncode == 0
        assert runner.summary.read_text() == (tmp_path / "report.md").read_text()
        assert runner.run(steps["Make it the baseline"]).returncode == 0
    finally:
        assert runner.run(steps["Clean up"]).returncode == 0
    *before, judge, keep = gitlab()["script"]
    try:
        for script in before:
            ended = runner.run(script)
            assert ended.returncode == 0, runner.said(ended)
        report = runner.judged(judge)
        assert "### Verdict: " in report
        assert "| p95 significantly worse |" in report
        assert runner.run(keep).returncode == 0
        assert not (tmp_path / "run.log").exists()
    finally:
        assert runner.run(gitlab()["after_script"][0]).returncode == 0
    assert list((tmp_path / "home").iterdir()) == []


def test_both_pipelines_run_the_same_commands() -> None:
    """What is tried for one holds for the other."""
    ours, theirs = github(), gitlab()
    assert ours["Run"].splitlines() == theirs["script"][:4]
    assert ours["Judge"].split() == theirs["script"][4].split()
    assert ours["Clean up"] == theirs["after_script"][0]
