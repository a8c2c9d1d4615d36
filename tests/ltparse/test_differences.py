"""A comparison says by name what else than the server differs."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from mattermost_load_test.timings.records import Origin

from .runs import BASELINE, RUN, Load, run, write_run

SETTINGS: dict[str, Any] = {
    "LoadtestEnviromentConfig": {"NumUsers": 200},
    "UserEntitiesConfiguration": {"NumActiveEntities": 100, "ActionRateMilliseconds": 1000},
    "ConnectionConfiguration": {"ServerURL": "http://a", "MaxIdleConns": 100},
    "LogSettings": {"FileLocation": "a.log"},
}


def warnings(tmp_path: Path, settings: dict[str, Any], **options: Any) -> list[str]:
    """Return the warnings of comparing a run of these settings with one of `SETTINGS`."""
    old = write_run(tmp_path / "old.log", {"GET /a": Load()}, instance="old", settings=SETTINGS)
    new = write_run(tmp_path / "new.log", {"GET /a": Load()}, instance="new", settings=settings, **options)
    result = run("results", "-f", new, "-b", old, "-d", "json")
    found: list[str] = json.loads(result.stdout)["warnings"]
    assert result.stderr == "".join(f"WARNING: {text}\n" for text in found)
    return found


def test_equal_settings_say_nothing(tmp_path: Path) -> None:
    """Where the server is and where the log goes does not matter, nor does a key that only one of them knows."""
    settings = SETTINGS | {
        "ConnectionConfiguration": {"ServerURL": "http://b", "MaxIdleConns": 100, "New": 1},
        "LogSettings": {"FileLocation": "b.log"},
    }
    assert warnings(tmp_path, settings) == []


def test_settings_that_differ_are_named(tmp_path: Path) -> None:
    """Each key with both values."""
    settings = SETTINGS | {"UserEntitiesConfiguration": {"NumActiveEntities": 150, "ActionRateMilliseconds": 900}}
    (warning,) = warnings(tmp_path, settings)
    assert warning.startswith("run and baseline were set differently")
    assert "UserEntitiesConfiguration.NumActiveEntities (100 → 150)" in warning
    assert "UserEntitiesConfiguration.ActionRateMilliseconds (1000 → 900)" in warning


def test_many_that_differ_are_counted(tmp_path: Path) -> None:
    """Ten are named."""
    many = {f"Key{number}": number for number in range(15)}
    old = write_run(tmp_path / "old.log", {"GET /a": Load()}, instance="old", settings={"A": many})
    new = write_run(tmp_path / "new.log", {"GET /a": Load()}, instance="new", settings={"A": dict.fromkeys(many, -1)})
    (warning,) = json.loads(run("results", "-f", new, "-b", old, "-d", "json").stdout)["warnings"]
    assert warning.endswith("A.Key9 (9 → -1) and 5 more")


def test_lengths_that_differ_are_named(tmp_path: Path) -> None:
    """A run half as long as its baseline is told of."""
    assert warnings(tmp_path, SETTINGS, length_s=25.0) == ["run and baseline differ in length: 60 s → 25 s"]


def test_versions_and_scenarios_that_differ_are_named(tmp_path: Path) -> None:
    """What played, which version of the tool, on which version of the server; the origin stands in reports, too."""
    origins = {"old": Origin("all", "1.0.0", "5.37.0"), "new": Origin("basic", "1.1.0", "5.38.0 build 4711")}
    old, new = (
        write_run(tmp_path / f"{name}.log", {"GET /a": Load()}, instance=name, origin=origin)
        for name, origin in origins.items()
    )
    made = json.loads(run("results", "-f", new, "-b", old, "-d", "json").stdout)
    assert made["warnings"] == [
        "run and baseline differ in their scenario: all → basic",
        "run and baseline differ in the server's version: 5.37.0 → 5.38.0 build 4711",
        "run and baseline differ in the version of loadtest: 1.0.0 → 1.1.0",
    ]
    assert made["instances"][0]["origin"] == asdict(origins["new"])
    said = "basic on Mattermost 5.38.0 build 4711, by loadtest 1.1.0"
    assert f"    {said}\n" in run("inspect", new).stdout
    assert said in run("results", "-f", new, "-d", "html").stdout


def test_a_log_that_does_not_tell_its_versions_differs_in_none(tmp_path: Path) -> None:
    """Older logs, and the original's, have no such line."""
    old = write_run(tmp_path / "old.log", {"GET /a": Load()}, instance="old")
    new = write_run(tmp_path / "new.log", {"GET /a": Load()}, instance="new", origin=Origin("all", "1.0.0", "5.37.0"))
    assert json.loads(run("results", "-f", new, "-b", old, "-d", "json").stdout)["warnings"] == []
    assert json.loads(run("results", "-f", old, "-d", "json").stdout)["instances"][0]["origin"] is None


def test_numbers_of_agents_that_differ_are_named(tmp_path: Path) -> None:
    """Two agents against one."""
    old = write_run(tmp_path / "old.log", {"GET /a": Load()}, instance="old")
    one = write_run(tmp_path / "one.log", {"GET /a": Load()}, instance="one")
    two = write_run(tmp_path / "two.log", {"GET /a": Load()}, instance="two")
    result = run("results", "-f", one, "-f", two, "-b", old)
    assert "WARNING: run and baseline differ in their number of agents: 1 → 2\n" in result.stderr


def test_warnings_stand_in_reports_with_a_verdict(tmp_path: Path) -> None:
    """What is posted to a change has them in it; the plain comparison stays what it is."""
    old = write_run(tmp_path / "old.log", {"GET /a": Load()}, instance="old", settings={"A": {"B": 1}})
    new = write_run(tmp_path / "new.log", {"GET /a": Load()}, instance="new", settings={"A": {"B": 2}})
    for display in ("markdown", "text", "html"):
        made = run("results", "-f", new, "-b", old, "-d", display, *(["--verdict"] if display != "html" else []))
        assert "A.B (1 → 2)" in made.stdout
    assert "A.B" not in run("results", "-f", new, "-b", old, "-d", "markdown").stdout


def test_the_originals_logs_have_settings_too() -> None:
    """The two recorded runs were not of the same kind: that is said."""
    said = run("results", "-f", RUN, "-b", BASELINE).stderr
    assert "UserEntitiesConfiguration.NumActiveEntities (500 → 100)" in said
    assert said.count("\n") == 1
