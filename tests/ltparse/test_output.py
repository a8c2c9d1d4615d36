"""`ltparse results`: formats for files and CI systems, and every way in which a file cannot be written."""

from __future__ import annotations

import csv
import io
import json
import stat
from pathlib import Path
from xml.etree import ElementTree

from .runs import BASELINE, DATA, RUN, Load, run, run_as_anybody, write_run

ROUTES = {"GET /users/me": Load(), "POST /posts": Load(300, 60.0, 0.02)}


def test_a_file_has_the_format_of_its_ending(tmp_path: Path) -> None:
    """Several outputs at once, each what --display prints; standard output stays empty."""
    for ending, display in (
        (".txt", "text"),
        (".md", "markdown"),
        (".json", "json"),
        (".csv", "csv"),
        (".xml", "junit"),
    ):
        path = tmp_path / f"report{ending}"
        made = run("results", "-f", RUN, "-o", path)
        assert (made.exit_code, made.stdout) == (0, ""), made.stderr
        assert path.read_text() == run("results", "-f", RUN, "-d", display).stdout
    assert (tmp_path / "report.txt").read_bytes() == (DATA / "small-run.text").read_bytes()


def test_several_files_and_the_terminal(tmp_path: Path) -> None:
    """--output may be given several times, and --display beside it."""
    paths = [tmp_path / "a.md", tmp_path / "a.json", tmp_path / "a.series.csv"]
    log = write_run(tmp_path / "run.log", ROUTES)
    made = run("results", "-f", log, *(part for path in paths for part in ("-o", path)), "-d", "text")
    assert made.exit_code == 0
    assert made.stdout.startswith("--------- Timings Report")
    assert [path.exists() for path in paths] == [True] * 3
    assert paths[2].read_text().startswith("run,start_s,width_s,offset_s")


def test_an_output_replaces_what_was_there_and_is_readable(tmp_path: Path) -> None:
    """The file has the permissions of any new file, and no half-made one lies beside it."""
    path = tmp_path / "report.json"
    path.write_text("old")
    assert run("results", "-f", RUN, "-o", path).exit_code == 0
    assert json.loads(path.read_text())["format"] == 1
    ordinary = tmp_path / "ordinary"
    ordinary.touch()
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE(ordinary.stat().st_mode)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["ordinary", "report.json"]


def test_csv_has_a_line_for_each_route() -> None:
    """Its figures are those of the JSON; gates, if any, come first."""
    arguments = ("results", "-f", RUN, "-b", BASELINE, "--fail-on", "hits < 1", "--fail-on", "errors > 1")
    rows = list(csv.DictReader(io.StringIO(run(*arguments, "-d", "csv").stdout)))
    document = json.loads(run(*arguments, "-d", "json").stdout)
    assert [(row["kind"], row["name"], row["verdict"]) for row in rows[:2]] == [
        ("gate", "errors > 1", "failed"),
        ("gate", "hits < 1", "passed"),
    ]
    routes = [row for row in rows if row["kind"] == "route"]
    assert [row["name"] for row in routes] == [route["name"] for route in document["routes"]]
    for row, route in zip(routes, document["routes"], strict=True):
        assert float(row["p95_ms"]) == route["p95_ms"]
        assert row["verdict"] == route["verdict"]
        assert row["baseline_hits"] == (str(route["baseline"]["hits"]) if route["baseline"] else "")
    assert [row["name"] for row in rows if row["kind"] == "baseline"] == document["baseline_only_routes"]


def test_series_has_a_line_for_each_interval(tmp_path: Path) -> None:
    """The intervals hold every request of the run, and the baseline's have the same width."""
    log = write_run(tmp_path / "run.log", ROUTES)
    old = write_run(tmp_path / "old.log", ROUTES, instance="old", seed=2, length_s=30.0)
    rows = list(csv.DictReader(io.StringIO(run("results", "-f", log, "-b", old, "-d", "series").stdout)))
    actual = [row for row in rows if row["run"] == "actual"]
    assert {row["width_s"] for row in rows} == {"1.0"}
    assert len(actual) == 60
    assert sum(int(row["samples"]) for row in actual) == sum(
        route["samples"] for route in json.loads(run("results", "-f", log, "-d", "json").stdout)["routes"]
    )
    assert len(rows) - len(actual) == 30


def test_series_of_a_log_without_times_is_refused() -> None:
    """The original's logs tell no times: that is said, and other formats work."""
    refused = run("results", "-f", RUN, "-d", "series")
    assert refused.exit_code == 2
    assert "their log does not tell when requests began" in refused.stderr


def test_junit_has_a_case_for_each_route_and_gates_as_failures(tmp_path: Path) -> None:
    """A gate on a route fails that route; others are cases of their own, first; failed cases lead."""
    log = write_run(tmp_path / "run.log", ROUTES)
    gates = ['route:"POST /posts" p95 > 1ms', "p95 > 1s", "error_rate > 0.1%", 'route:"GET /none" max > 1s']
    made = run("results", "-f", log, "-d", "junit", *(part for gate in gates for part in ("--fail-on", gate)))
    assert made.exit_code == 99
    suites = list(ElementTree.fromstring(made.stdout))
    assert [(suite.get("name"), suite.get("tests"), suite.get("failures")) for suite in suites] == [
        ("gates", "3", "2"),
        ("routes", "2", "1"),
    ]
    assert [case.get("name") for case in suites[0]] == ["error_rate > 0.1%", 'route:"GET /none" max > 1s', "p95 > 1s"]
    assert [case.get("name") for case in suites[1]] == ["POST /posts", "GET /users/me"]
    failure = suites[1][0].find("failure")
    assert failure is not None
    assert "p95 is" in str(failure.get("message"))


def test_an_ending_that_says_nothing_is_refused(tmp_path: Path) -> None:
    """The endings there are stand in the message, and nothing was read for it."""
    refused = run("results", "-f", tmp_path / "none.log", "-o", tmp_path / "report.pdf")
    assert refused.exit_code == 2
    assert "report.pdf: the ending of its name says no format" in refused.stderr
    assert ".series.csv" in refused.stderr


def test_an_output_in_no_folder_is_refused_before_reading(tmp_path: Path) -> None:
    """A mistyped folder is found before a long read."""
    refused = run("results", "-f", tmp_path / "none.log", "-o", tmp_path / "no" / "report.json")
    assert refused.exit_code == 1
    assert f"report.json cannot be written: there is no folder {tmp_path / 'no'}" in refused.stderr


def test_a_full_disk_is_one_message_and_the_other_files_are_written(tmp_path: Path) -> None:
    """What cannot be written is named; all else is."""
    full = tmp_path / "full.json"
    full.symlink_to("/dev/full")
    made = run("results", "-f", RUN, "-o", full, "-o", tmp_path / "b.json")
    assert made.exit_code == 1
    assert made.stderr == f"Error: {full} cannot be written: No space left on device\n"
    assert (tmp_path / "b.json").exists()


def test_an_output_without_permission(tmp_path: Path) -> None:
    """A folder that may not be written to, or not even be looked into, is one message."""
    for mode in (0o500, 0o000):
        tmp_path.chmod(mode)
        made = run_as_anybody("results", "-f", RUN, "-o", tmp_path / "a.json")
        assert made.returncode == 1
        assert made.stderr == f"Error: {tmp_path / 'a.json'} cannot be written: Permission denied\n"


def test_a_log_is_never_overwritten(tmp_path: Path) -> None:
    """An output that is one of the inputs is refused."""
    log = tmp_path / "run.json"
    log.write_bytes(RUN.read_bytes())
    for arguments in (("-f", log), ("-f", BASELINE, "-b", log)):
        refused = run("results", *arguments, "-o", log)
        assert refused.exit_code == 2
        assert "is one of the logs to be read" in refused.stderr
    assert log.read_bytes() == RUN.read_bytes()
