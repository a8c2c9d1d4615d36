"""`ltparse results`: what is shown for the logs that were named, and what is said about bad ones."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mattermost_load_test.ltparse.cli import cli
from mattermost_load_test.timings.records import LOGIN_TAG, TIMINGS_TAG, Sample, timings_line

from .runs import run_as_anybody

DATA = Path(__file__).parent.parent / "data" / "ltparse"
RUN, BASELINE = str(DATA / "small-run.log"), str(DATA / "small-baseline.log")
RESULTS_PAGE = Path(__file__).parent.parent.parent / "docs" / "results.md"


def run(*arguments: str | Path, stdin: bytes = b"") -> Result:
    """Run `ltparse results` with these arguments."""
    return CliRunner().invoke(cli, ["results", *map(str, arguments)], input=stdin, prog_name="ltparse")


def line(instance: str, start_s: float = 0.0, *, tag: str = TIMINGS_TAG, route: str = "GET /users/me") -> bytes:
    """Return a line of timings with one sample, `start_s` into an hour of a known day."""
    start_s += 1_700_000_000
    return timings_line([Sample(route, start_s * 1000, 2.0)], tag, instance, start_s + 1) + b"\n"


def write(path: Path, *lines: bytes) -> Path:
    """Write a log of these lines and return its path."""
    path.write_bytes(b"".join(lines))
    return path


def hits(result: Result) -> int:
    """Return the number of requests in a JSON report."""
    assert result.exit_code == 0, result.stderr
    return sum(route["hits"] for route in json.loads(result.stdout)["routes"])


def refused(result: Result, *words: str) -> None:
    """Check that `result` is one message with exit code 2, no traceback, and these words in it."""
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.count("Error: ") == 1
    assert "Traceback" not in result.stderr
    for word in words:
        assert word in result.stderr


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        (["-f", RUN], "small-run.text"),
        (["--file", RUN, "--display", "text", "--verbose"], "small-run.verbose.text"),
        (["-f", RUN, "-d", "markdown"], "small-run.markdown"),
        (["-f", RUN, "-d", "markdown", "-v"], "small-run.verbose.markdown"),
        (["-f", RUN, "-f", BASELINE, "-d", "markdown", "--aggregate"], "aggregate.markdown"),
        (["-f", RUN, "-f", BASELINE, "-d", "markdown"], "aggregate.markdown"),
        (["-f", str(DATA), "-d", "markdown"], "aggregate.markdown"),
    ],
)
def test_reports_on_the_originals_logs_are_the_originals(arguments: list[str], name: str) -> None:
    """Standard output is, byte for byte, what the original prints."""
    result = run(*arguments)
    assert result.exit_code == 0
    assert result.stdout_bytes == (DATA / name).read_bytes()


@pytest.mark.parametrize(("flags", "name"), [([], "comparison"), (["-v"], "comparison.verbose")])
def test_a_comparison_is_the_originals(flags: list[str], name: str) -> None:
    """A comparison is the original's but for the cell end it forgot."""
    shown = run("-f", RUN, "-b", BASELINE, "-d", "markdown", *flags).stdout
    without_end = re.sub(r"^(\| Hits \|(?: [^|\n]+ \|){3} [^|\n]+) \|$", r"\1", shown, flags=re.MULTILINE)
    assert without_end == (DATA / f"{name}.markdown").read_text()


def test_a_log_can_come_on_standard_input() -> None:
    """Without --file, or with -, the log is read from standard input."""
    expected = (DATA / "small-run.text").read_text()
    assert run(stdin=Path(RUN).read_bytes()).stdout == expected
    assert run("-f", "-", stdin=Path(RUN).read_bytes()).stdout == expected


def test_of_several_instances_the_one_whose_timings_begin_last_is_shown(tmp_path: Path) -> None:
    """One log shows one instance, always the same, and a note says how many there are."""
    log = write(tmp_path / "four.log", line("a"), line("b"), line("c"), line("d"), line("a"), line("b"), line("b"))
    result = run("-f", log, "-d", "json")
    assert hits(result) == 1
    assert [one["instance_id"] for one in json.loads(result.stdout)["instances"] if one["shown"]] == ["d"]
    assert "showing 1 of 4 instances, d," in result.stderr
    assert "WARNING" not in result.stderr


def test_all_instances_of_a_log_are_merged_on_request(tmp_path: Path) -> None:
    """--aggregate merges, on both sides of a comparison."""
    new = write(tmp_path / "new.log", line("a"), line("b"))
    old = write(tmp_path / "old.log", line("x"), line("y"), line("y"))
    result = run("-f", new, "-b", old, "--aggregate", "-d", "json")
    assert hits(result) == 2
    assert json.loads(result.stdout)["routes"][0]["baseline"]["hits"] == 3
    assert result.stderr == ""
    alone = run("-f", new, "-b", old, "-d", "json")
    assert json.loads(alone.stdout)["routes"][0]["baseline"]["hits"] == 2
    assert alone.stderr.count("showing 1 of 2 instances") == 2


def test_two_agents_logs_are_merged(tmp_path: Path) -> None:
    """Several files, or the folder they lie in, mean all their instances."""
    first = write(tmp_path / "agent-0.log", line("a"), line("a"))
    second = write(tmp_path / "agent-1.log", line("b"))
    write(tmp_path / "results.txt", b"Score: 1.00\n")
    (tmp_path / "deeper").mkdir()
    write(tmp_path / "deeper" / "agent-2.log", line("c"))
    for arguments in (["-f", first, "-f", second], ["-f", tmp_path]):
        result = run(*arguments, "-d", "json")
        assert hits(result) == 3
        assert result.stderr == ""


def test_an_instance_in_two_files_is_counted_once(tmp_path: Path) -> None:
    """Of two copies of an instance's log the fuller counts, and a warning names both."""
    lesser = write(tmp_path / "a-copy.log", line("one"), line("two"))
    fuller = write(tmp_path / "b.log", line("one"), line("one"), line("one"))
    result = run("-f", tmp_path, "-d", "json")
    assert hits(result) == 4
    expected = f"instance one is in two logs and counted once: from {fuller} (3 requests), not {lesser} (1)"
    assert result.stderr == f"WARNING: {expected}\n"
    assert json.loads(result.stdout)["warnings"] == [expected]


def test_runs_that_did_not_overlap_are_named_when_merged(tmp_path: Path) -> None:
    """Merging yesterday's run with today's is done, and said."""
    log = write(tmp_path / "run.log", line("early"), line("late", 600), line("long"), line("long", 600))
    result = run("-f", log, "--aggregate", "-d", "json")
    assert hits(result) == 4
    (warning,) = json.loads(result.stdout)["warnings"]
    assert "did not overlap in time" in warning
    assert "early (2023-11-14 22:13:20Z to 2023-11-14 22:13:21Z), late (2023-11-14 22:23:20Z" in warning
    assert "long" not in warning


def test_login_samples_are_in_no_figure(tmp_path: Path) -> None:
    """Old readers and ours show the same figures; the login phase has a place of its own in the JSON."""
    log = write(tmp_path / "run.log", line("a", tag=LOGIN_TAG, route="POST /users/login"), line("a"))
    shown = json.loads(run("-f", log, "-d", "json").stdout)
    assert [route["name"] for route in shown["routes"]] == ["GET /users/me"]
    assert [route["name"] for route in shown["login_routes"]] == ["POST /users/login"]


def test_settings_come_along_without_secrets() -> None:
    """The JSON has the run's configuration, passwords masked."""
    result = run("-f", RUN, "-d", "json")
    shown = json.loads(result.stdout)["settings"]
    assert shown["UserEntitiesConfiguration"]["NumActiveEntities"] == 100
    assert shown["ConnectionConfiguration"]["AdminEmail"] == "success+ltadmin@simulator.amazonses.com"
    assert "ltpassword" not in result.stdout
    assert "mostest" not in result.stdout


def test_a_cut_off_log_is_shown_with_a_warning(tmp_path: Path) -> None:
    """What an agent that was killed left is shown as far as it goes."""
    log = write(tmp_path / "cut.log", line("a"), b"from another program\n", line("a"), line("a")[:-30])
    result = run("-f", log, "-d", "json")
    assert hits(result) == 2
    assert f"WARNING: {log}: left out line 2 that no load test wrote\n" in result.stderr
    assert f"WARNING: {log}: line 4, the last one, is cut off; everything before it was read\n" in result.stderr


def test_a_missing_file(tmp_path: Path) -> None:
    """A file that is not there is named."""
    refused(run("-f", tmp_path / "none.log"), str(tmp_path / "none.log"), "there is no such file")


def test_an_empty_file(tmp_path: Path) -> None:
    """An empty file, or input, is called empty."""
    refused(run("-f", write(tmp_path / "empty.log")), "empty.log is empty")
    refused(run(), "standard input is empty")


def test_a_file_without_timings(tmp_path: Path) -> None:
    """A file that is no log, or one of a run that never began, says what it lacks."""
    refused(run("-f", write(tmp_path / "a.log", b'{"msg":"x"}\n' * 3)), "a.log: no timings in its 3 lines")
    refused(run("-f", write(tmp_path / "b.txt", b"hello\n")), "no timings", "left out line 1")
    only_login = write(tmp_path / "c.log", line("a", tag=LOGIN_TAG))
    refused(run("-f", only_login), "timings of the login phase only")
    refused(run("-f", RUN, "-f", only_login), "timings of the login phase only")


def test_timings_without_a_route(tmp_path: Path) -> None:
    """Where the original shows a score of 0.00 for no routes at all, there is an error."""
    refused(run("-f", write(tmp_path / "a.log", b'{"tag":"timings","timings":{"Routes":{}}}\n')), "no timings")


def test_a_folder_without_results(tmp_path: Path) -> None:
    """A folder in which nothing holds timings is named, empty or not."""
    refused(run("-f", tmp_path), str(tmp_path), "no file in this folder holds timings")
    write(tmp_path / "notes.txt", b"hello\n")
    refused(run("-f", tmp_path), "no file in this folder holds timings")


def test_a_baseline_without_a_common_route(tmp_path: Path) -> None:
    """Two runs that have nothing in common cannot be compared."""
    new, old = write(tmp_path / "new.log", line("a")), write(tmp_path / "old.log", line("b", route="POST /posts"))
    refused(run("-f", new, "-b", old), "no route in common", "POST /posts", "GET /users/me")
    refused(run("-f", new, "-b", tmp_path / "none.log"), "none.log: there is no such file")


def test_standard_input_is_read_once() -> None:
    """A log and its baseline cannot both come on standard input."""
    refused(run("-f", "-", "-b", "-", stdin=line("a")), "standard input can be read only once")
    assert run("-f", RUN, "-b", "-", stdin=Path(BASELINE).read_bytes()).exit_code == 0


def test_an_unknown_format() -> None:
    """A format that does not exist is answered with those that do."""
    refused(run("-f", RUN, "-d", "pie"), "'text', 'markdown', 'json'")


def test_an_unreadable_file(tmp_path: Path) -> None:
    """A file without permission is one message, on its own and in a folder."""
    log = write(tmp_path / "secret.log", line("a"))
    log.chmod(0)
    for path in (log, tmp_path):
        made = run_as_anybody("results", "-f", path)
        assert made.returncode == 2
        assert made.stderr == f"Error: {log} cannot be read: Permission denied\n"


@pytest.mark.parametrize("command", ["results", "merge", "inspect"])
def test_help_names_every_option_and_shows_examples(command: str) -> None:
    """The help is the one in docs/results.md."""
    shown = CliRunner().invoke(cli, [command, "--help"], prog_name="ltparse").stdout
    assert f"```text\n$ ltparse {command} --help\n{shown}```" in RESULTS_PAGE.read_text()
    assert f"ltparse {command} " in shown.partition("Examples:")[2]


COMMAND = [str(Path(sys.executable).parent / "ltparse"), "results", "-f", RUN]


def test_the_installed_command() -> None:
    """As a process of its own, the command prints the same bytes."""
    shown = subprocess.run(COMMAND, capture_output=True)
    assert (shown.returncode, shown.stderr) == (0, b"")
    assert shown.stdout == (DATA / "small-run.text").read_bytes()


def test_a_full_disk_under_standard_output() -> None:
    """A report that cannot be written ends with one message and exit code 1."""
    with Path("/dev/full").open("wb") as full:
        failed = subprocess.run(COMMAND, stdout=full, stderr=subprocess.PIPE, text=True)
    assert failed.returncode == 1
    assert failed.stderr.startswith("Error: the disk is full")
    assert failed.stderr.count("\n") == 1


def test_a_reader_that_went_away() -> None:
    """As in ``ltparse results | head -1``, nothing is complained of when nobody reads on."""
    with subprocess.Popen(COMMAND, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as command:
        assert command.stdout is not None
        assert command.stderr is not None
        command.stdout.close()
        assert command.stderr.read() == b""
