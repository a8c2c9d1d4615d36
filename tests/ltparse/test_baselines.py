"""`--baseline` several times: each is a run of its own, their mean is compared with, their variation counts."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from statistics import fmean

import pytest

from .runs import Load, run, write_run

DAYS_MS = (40.0, 46.0, 38.0)


@pytest.fixture(scope="module")
def days(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Return the logs of three runs, which lie some eight per cent apart; the last has a route more."""
    folder = tmp_path_factory.mktemp("days")
    logs = []
    for number, median_ms in enumerate(DAYS_MS):
        routes = {"GET /a": Load(1200, median_ms), "GET /b": Load(1200, median_ms)}
        routes |= {"GET /gone": Load(30)} if number == 2 else {}
        logs.append(write_run(folder / f"{number}.log", routes, instance=f"day{number}", seed=number + 1))
    return logs


def against(days: list[Path]) -> list[str]:
    """Return the options that name these runs as baselines."""
    return [part for day in days for part in ("-b", str(day))]


@pytest.fixture
def slower(tmp_path: Path) -> Path:
    """Return a run that is slower than all of them, by less than they differ from one another."""
    return write_run(tmp_path / "now.log", {"GET /a": Load(1200, 50.0), "GET /b": Load(1200, 50.0)}, seed=9)


def test_what_one_baseline_calls_worse_several_call_unclear(days: list[Path], slower: Path) -> None:
    """The runs themselves tell how far runs lie apart; a gate goes by that, too."""
    gate = ("--fail-on", "median significantly worse", "-d", "json")
    alone = run("results", "-f", slower, "-b", days[0], *gate)
    beside = run("results", "-f", slower, *against(days), *gate)
    assert (alone.exit_code, beside.exit_code) == (99, 0)
    assert [route["verdict"] for route in json.loads(alone.stdout)["routes"]] == ["slower", "slower"]
    assert [route["verdict"] for route in json.loads(beside.stdout)["routes"]] == ["unclear", "unclear"]


def test_what_lies_beyond_them_all_is_worse(days: list[Path], tmp_path: Path) -> None:
    """Three times as slow is more than days make."""
    slow = write_run(tmp_path / "slow.log", {"GET /a": Load(1200, 120.0), "GET /b": Load(1200, 40.0)}, seed=9)
    made = run("results", "-f", slow, *against(days), "--verdict", "--fail-on", "median significantly worse")
    assert made.exit_code == 99
    assert "Route: GET /a [slower]" in made.stdout
    assert "Route: GET /b [slower]" not in made.stdout
    assert "99th Percentile: " in made.stdout
    assert "Route: GET /gone [vanished]" in made.stdout


def test_the_baseline_is_their_mean(days: list[Path], slower: Path) -> None:
    """Every figure is the mean over the runs that have the route, in JSON and CSV, and for gates."""
    each = [json.loads(run("results", "-f", day, "-d", "json").stdout)["routes"][0] for day in days]
    made = json.loads(run("results", "-f", slower, *against(days), "-d", "json").stdout)
    before = made["routes"][0]["baseline"]
    for figure in ("median_ms", "p95_ms", "p99_ms", "mean_ms", "max_ms", "error_rate"):
        assert before[figure] == pytest.approx(fmean(one[figure] for one in each))
    assert (before["hits"], made["baseline_runs"], made["baseline_only_routes"]) == (1200, 3, ["GET /gone"])
    shown = list(csv.DictReader(io.StringIO(run("results", "-f", slower, *against(days), "-d", "csv").stdout)))
    assert float(shown[0]["baseline_p95_ms"]) == pytest.approx(before["p95_ms"])
    moved_ms = made["routes"][0]["p95_ms"] - before["p95_ms"]
    for beside_ms, code in ((0.01, 0), (-0.01, 99)):
        gate = f'route:"GET /a" p95 > baseline+{moved_ms + beside_ms:.4f}ms'
        assert run("results", "-f", slower, *against(days), "--fail-on", gate).exit_code == code


def test_the_page_says_what_it_compares_with(days: list[Path], slower: Path) -> None:
    """The mean in figures and distributions; over time the first."""
    page = run("results", "-f", slower, *against(days), "-d", "html").stdout
    assert "compared with the mean of 3 runs (dashed; over time the first of them)" in page
    assert "compared with a baseline (dashed)" in run("results", "-f", slower, "-b", days[0], "-d", "html").stdout


def test_warnings_name_the_baseline(days: list[Path], tmp_path: Path) -> None:
    """What differs is said of each."""
    short = write_run(tmp_path / "now.log", {"GET /a": Load(1200)}, seed=9, length_s=20.0)
    said = run("results", "-f", short, *against(days[:2])).stderr
    assert said.splitlines() == [
        f"WARNING: {day}: run and baseline differ in length: 60 s → 20 s" for day in map(str, days[:2])
    ]


def test_a_run_named_twice_is_refused(days: list[Path], tmp_path: Path) -> None:
    """A run does not vary from itself: by path, and as a copy; nor is the run itself a baseline."""
    copy = tmp_path / "copy.log"
    copy.write_bytes(days[0].read_bytes())
    for twice in (days[0], copy):
        refused = run("results", "-f", days[1], "-b", days[0], "-b", twice)
        assert refused.exit_code == 2
        assert f"the baselines {days[0]} and {twice} are the same run; name each run once" in refused.stderr
    assert "is what it would be compared with" in run("results", "-f", copy, *against(days)).stderr


def test_every_baseline_is_kept_and_standard_input_is_read_once(days: list[Path], tmp_path: Path) -> None:
    """None is written over; two cannot both be piped in, one can."""
    last = tmp_path / "last.json"
    last.write_bytes(days[2].read_bytes())
    refused = run("results", "-f", days[0], "-b", days[1], "-b", last, "-o", last)
    assert (refused.exit_code, last.read_bytes()) == (2, days[2].read_bytes())
    assert run("results", "-f", days[0], "-b", "-", "-b", "-").exit_code == 2
    assert run("results", "-f", days[0], "-b", days[1], "-b", "-", stdin=last.read_bytes()).exit_code == 0
