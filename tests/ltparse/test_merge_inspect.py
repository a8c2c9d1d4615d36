"""`ltparse merge` and `ltparse inspect`, and the progress bars of long reads."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from mattermost_load_test.ltparse.cli.inputs import LONG_READ_BYTES

from .runs import BASELINE, BEGAN_S, RUN, Load, run, write_run

TOO_LONG = "x" * 300
ROUTES = {"GET /users/me": Load(), "POST /posts": Load(300, 60.0, 0.02)}


def figures(*arguments: str | Path) -> object:
    """Return the routes that `ltparse results` shows."""
    shown = run("results", *arguments, "--aggregate", "-d", "json")
    assert shown.exit_code == 0, shown.stderr
    document = json.loads(shown.stdout)
    return document["routes"], document["login_routes"], document["score"]


def test_a_merged_log_has_the_figures_of_its_parts(tmp_path: Path) -> None:
    """Two agents' logs in one say what both say together."""
    first = write_run(tmp_path / "agent-0.log", ROUTES, instance="a")
    second = write_run(tmp_path / "agent-1.log", ROUTES, instance="b", seed=2, began_s=BEGAN_S + 1)
    merged = tmp_path / "run.log"
    made = run("merge", first, second, "-o", merged)
    assert (made.exit_code, made.stderr) == (0, "")
    assert "of 2 instances" in made.stdout
    assert figures("-f", merged) == figures("-f", first, "-f", second)
    moments = [json.loads(line)["ts"] for line in merged.read_bytes().splitlines()]
    assert moments == sorted(moments)


def test_a_folder_is_merged(tmp_path: Path) -> None:
    """A folder means the files in it; those without results add nothing."""
    (tmp_path / "logs").mkdir()
    write_run(tmp_path / "logs" / "a.log", ROUTES, instance="a")
    write_run(tmp_path / "logs" / "b.log", ROUTES, instance="b")
    (tmp_path / "logs" / "notes.txt").write_text("hello\n")
    assert run("merge", tmp_path / "logs", "-o", tmp_path / "all.log").exit_code == 0
    assert figures("-f", tmp_path / "all.log") == figures("-f", tmp_path / "logs")


def test_logs_of_the_original_are_merged_without_their_passwords(tmp_path: Path) -> None:
    """The original logged passwords in clear; the merged log masks them, and its figures are the same."""
    merged = tmp_path / "run.log"
    assert run("merge", RUN, BASELINE, "-o", merged).exit_code == 0
    assert b"ltpassword" in RUN.read_bytes()
    assert b"ltpassword" not in merged.read_bytes()
    assert figures("-f", merged) == figures("-f", RUN, "-f", BASELINE)


def test_an_instance_in_two_logs_is_merged_once(tmp_path: Path) -> None:
    """From the log that has more of it, with a warning."""
    whole = write_run(tmp_path / "whole.log", ROUTES)
    part = tmp_path / "part.log"
    part.write_bytes(b"".join(whole.read_bytes().splitlines(keepends=True)[:4]))
    made = run("merge", part, whole, "-o", tmp_path / "run.log")
    assert made.stderr == f"WARNING: instance one is in two logs and taken from {whole}, not from {part}\n"
    assert figures("-f", tmp_path / "run.log") == figures("-f", whole)


def test_broken_lines_are_left_out(tmp_path: Path) -> None:
    """What no reader could use is not carried along."""
    log = write_run(tmp_path / "cut.log", ROUTES)
    content = log.read_bytes()
    log.write_bytes(b"hello\n" + content[:-30])
    assert run("merge", log, "-o", tmp_path / "run.log").exit_code == 0
    shown = run("results", "-f", tmp_path / "run.log")
    assert (shown.exit_code, shown.stderr) == (0, "")


def test_bad_input_to_merge(tmp_path: Path) -> None:
    """A missing log, logs without timings, an output that is one of them, no folder: nothing is left half-made."""
    empty = tmp_path / "empty.log"
    empty.touch()
    nothing = tmp_path / "nothing"
    nothing.mkdir()
    log = write_run(tmp_path / "run.log", ROUTES)
    before = log.read_bytes()
    for arguments, code, words in (
        ((tmp_path / "none.log", "-o", tmp_path / "x.log"), 2, "there is no such file"),
        ((empty, "-o", tmp_path / "x.log"), 2, "no timings in"),
        ((nothing, "-o", tmp_path / "x.log"), 2, "there is no file in this folder"),
        ((tmp_path / TOO_LONG, "-o", tmp_path / "x.log"), 2, "cannot be read: File name too long"),
        ((log, "-o", tmp_path / TOO_LONG), 1, "cannot be written: File name too long"),
        ((log, "-o", log), 2, "it would be overwritten"),
        ((log, "-o", tmp_path / "no" / "x.log"), 1, "cannot be written: No such file"),
        ((log, "-o", "/dev/full"), 1, "cannot be written: No space left on device"),
    ):
        refused = run("merge", *arguments)
        assert refused.exit_code == code
        assert words in refused.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty.log", "nothing", "run.log"]
    assert log.read_bytes() == before


def test_inspect_tells_what_a_log_holds(tmp_path: Path) -> None:
    """Instances, phases with their times, requests and errors."""
    log = write_run(tmp_path / "run.log", {"GET /a": Load(600), "GET /b": Load(1, 1.0, 1.0)})
    made = run("inspect", log)
    assert made.stdout.splitlines() == [
        f"{log}: 16 lines, 1 instance",
        "  instance one",
        "    login  2026-11-18 11:06:40Z, 9.0 s: 10 requests on 1 route, 0 errors",
        "    run    2026-11-18 11:06:50Z, 59.9 s: 601 requests on 2 routes, 1 error",
    ]


def test_inspect_tells_what_a_log_lacks() -> None:
    """The original's logs have no times of requests."""
    assert "no times of requests: nothing can be shown over time" in run("inspect", RUN).stdout


def test_inspect_shows_warnings_and_empty_files(tmp_path: Path) -> None:
    """What is wrong with a log is said, a file without timings is one without instances."""
    log = write_run(tmp_path / "run.log", ROUTES)
    log.write_bytes(b"hello\n" + log.read_bytes()[:-30])
    (tmp_path / "empty.log").touch()
    shown = run("inspect", tmp_path).stdout
    assert "empty.log: 0 lines, 0 instances\n" in shown
    assert "WARNING: " in shown
    assert "is cut off" in shown
    assert run("inspect", tmp_path / "none").exit_code == 2


def test_inspect_as_json(tmp_path: Path) -> None:
    """For programs."""
    log = write_run(tmp_path / "run.log", ROUTES)
    (found,) = json.loads(run("inspect", log, "-d", "json").stdout)
    (instance,) = found["instances"]
    assert [phase["name"] for phase in instance["phases"]] == ["login", "run"]
    assert instance["phases"][1]["started_s"] == BEGAN_S + 10
    assert instance["has_times"] is True


@pytest.mark.parametrize("terminal", [True, False])
def test_long_reads_have_a_progress_bar_on_a_terminal_only(tmp_path: Path, terminal: bool) -> None:
    """A terminal on standard error sees how far the reading is; a pipe sees nothing of it."""
    log = write_run(tmp_path / "long.log", ROUTES)
    padding = b'{"level":"info","ts":1,"msg":"' + b"x" * 1_000_000 + b'"}\n'
    with log.open("ab") as stream:
        stream.writelines([padding] * (LONG_READ_BYTES // len(padding) + 1))
    command = [str(Path(sys.executable).parent / "ltparse"), "results", "-f", str(log), "-d", "csv"]
    reader, writer = pty.openpty() if terminal else os.pipe()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100"}
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=writer, env=environment)
    os.close(writer)
    seen = os.read(reader, 65536) if terminal else b"".join(iter(lambda: os.read(reader, 65536), b""))
    os.close(reader)
    assert done.returncode == 0
    assert done.stdout.startswith(b"kind,name")
    assert (b"long.log" in seen) is terminal
