"""Runs on a cluster that is there: begun again, stopped, failing; and what becomes of their results."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

Ops = Any
"""An `Ops` of the conftest beside."""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

SOON = ("--start-in", "8")
"""What several agents are given instead of the time they may take at most: one that is late joins for the rest."""

LONG = ("--set", "UserEntitiesConfiguration.TestLengthMinutes=30")


def results(demo: Ops) -> Path:
    """Return the folder of the current run's results."""
    folder = demo.home / "demo" / "results"
    assert isinstance(folder, Path)
    return folder


def running(demo: Ops) -> dict[int, psutil.Process]:
    """Return the agents' processes by index; their workers, which are forks of them, are left out."""
    lines = {process: process.cmdline() for process in demo.processes()}
    agents = {process: line for process, line in lines.items() if "--agent-index" in line}
    forks = {process.pid for process in agents if process.ppid() in {parent.pid for parent in agents}}
    return {
        int(line[line.index("--agent-index") + 1]): process
        for process, line in agents.items()
        if process.pid not in forks
    }


def begin(demo: Ops, *more: str) -> subprocess.Popen[str]:
    """Begin a long run in a process that is left alone, and wait until users act."""
    laptop = demo.start("loadtest", "basic", "-c", "demo", *LONG, *more)
    log = results(demo) / "loadtest-out-loadtest-0.txt"
    earlier = log.stat().st_ino if log.exists() else 0
    demo.until(
        lambda: log.exists() and log.stat().st_ino != earlier and "Entities begin to act" in log.read_text(), "it runs"
    )
    assert isinstance(laptop, subprocess.Popen)
    return laptop


def test_the_population_is_loaded_once_and_results_are_kept(solo: Ops) -> None:
    """The hash of its settings decides, the seed included; results of a run before move into a folder by its start."""
    other = ("--set", f"LoadtestEnviromentConfig.Seed={time.time_ns() % 1_000_000}")  # another when it is tried again
    first = solo.good("loadtest", "basic", "-c", "demo", *other)
    assert "load the population" in first.stderr
    run_id = solo.state("demo")["run"]["id"]
    summary = (results(solo) / "summary.txt").read_text()
    assert summary == first.stdout
    second = solo.good("loadtest", "search", "-c", "demo", *other)
    assert "loaded already" in second.stderr
    assert (results(solo) / run_id / "summary.txt").read_text() == summary
    assert "POST /posts" not in second.stdout
    skipped = solo.good("loadtest", "basic", "-c", "demo", "--skip-bulk-load")
    assert "load the population" not in skipped.stderr
    changed = solo.good("loadtest", "basic", "-c", "demo")
    assert "load the population" in changed.stderr


def test_a_bulk_load_that_is_interrupted(solo: Ops) -> None:
    """It ends, there is no run, and --force-bulk-load had begun it although the population was there."""
    before = solo.state("demo")["run"]
    loading = solo.start("loadtest", "basic", "-c", "demo", "--force-bulk-load")
    log = solo.home / "demo" / "setup.log"
    earlier = log.stat().st_ino if log.exists() else 0
    solo.until(lambda: log.exists() and log.stat().st_ino != earlier, "it loads")
    loading.send_signal(signal.SIGINT)
    _, stderr = loading.communicate()
    assert loading.returncode == 130
    assert "Error: load the population: interrupted, so there is no run; the same command begins anew" in stderr
    solo.until(lambda: not [one for one in solo.processes() if "setup" in one.cmdline()], "its agent ends")
    assert solo.state("demo")["run"] == before


def test_a_run_is_stopped(pair: Ops) -> None:
    """--stop ends the agents in good order and fetches their reports, which is no failure; a second run is refused."""
    laptop = begin(pair, *SOON)
    assert pair.status("demo")["run"]["finished_at"] is None
    ended = pair.run("loadtest", "-c", "demo")
    assert ended.code == 2
    assert "--attach" in ended.error
    laptop.kill()
    laptop.communicate()
    ended = pair.good("loadtest", "-c", "demo", "--stop")
    assert "Timings Report" in ended.stdout
    assert pair.state("demo")["run"]["exit_codes"] == [130, 130]
    assert "interrupted" in (results(pair) / "report-loadtest-0.txt").read_text()
    ended = pair.run("loadtest", "-c", "demo", "--stop")
    assert (ended.code, "no run is under way" in ended.error) == (2, True)


def test_a_command_that_is_killed_while_it_starts_agents(pair: Ops) -> None:
    """The run is known before its first agent is: `status`, --attach and the next run tell what became of it."""
    (supervisor,) = [process for process in pair.processes() if "supervisor.supervisord" in process.cmdline()]
    earlier = (pair.state("demo")["run"] or {}).get("id")
    supervisor.suspend()  # agents are not started while it is
    laptop = pair.start("loadtest", "basic", "-c", "demo", "--skip-bulk-load")
    pair.until(lambda: (pair.state("demo")["run"] or {}).get("id") != earlier, "the run is known")
    laptop.kill()
    laptop.communicate()
    supervisor.resume()
    assert {agent["phase"] for agent in pair.status("demo")["agents"].values()} == {"lost"}
    ended = pair.run("loadtest", "-c", "demo", "--attach")
    assert ended.code == 1
    assert "2 agents failed:\n  loadtest-0: the agent was lost: its process is gone" in ended.error
    ended = pair.run("loadtest", "-c", "demo", "--stop")
    assert (ended.code, "no run is under way" in ended.error) == (2, True)


@contextlib.contextmanager
def without_folder(demo: Ops, instance: str) -> Iterator[None]:
    """Have a file where an instance's folder is to be."""
    folder = demo.home / "demo" / "instances" / instance
    folder.mkdir(mode=0o700, exist_ok=True)
    kept = folder.rename(folder.with_name("kept"))
    folder.write_text("no folder")
    yield
    folder.unlink()
    kept.rename(folder)


def test_agents_that_cannot_be_started(pair: Ops) -> None:
    """Where none was, there is no run; where some were, the run is there and can be stopped."""
    before = pair.state("demo")["run"]
    with without_folder(pair, "loadtest-0"):
        ended = pair.run("loadtest", "basic", "-c", "demo", "--skip-bulk-load")
    assert (ended.code, "may have been started" in ended.stderr) == (1, False)
    assert pair.state("demo")["run"] == before
    with without_folder(pair, "loadtest-1"):
        ended = pair.run("loadtest", "basic", "-c", "demo", "--skip-bulk-load")
    assert ended.code == 1
    assert "some agents may have been started: `ltops loadtest -c demo --attach` follows, `--stop` ends" in ended.stderr
    assert list(running(pair)) == [0]
    ended = pair.run("loadtest", "-c", "demo", "--stop")
    assert (ended.code, "loadtest-1: the agent was lost" in ended.error) == (1, True)
    assert running(pair) == {}


def test_ctrl_c_leaves_the_run_alone(solo: Ops) -> None:
    """The command ends with 130 and says how to go on; the agents do not notice."""
    laptop = begin(solo)
    laptop.send_signal(signal.SIGINT)
    _, stderr = laptop.communicate()
    assert laptop.returncode == 130
    assert "the test goes on" in stderr
    assert solo.status("demo")["run_ended"] is False
    solo.good("loadtest", "-c", "demo", "--stop")


def figures(demo: Ops) -> list[dict[str, Any]]:
    """Return what the agents tell of themselves, those left out that have done no requests yet."""
    agents = demo.status("demo")["agents"].values()
    assert {agent["phase"] for agent in agents} == {"running"}
    return [agent["figures"] if agent["figures"].get("requests") else {} for agent in agents]


def test_an_agent_that_is_killed(pair: Ops) -> None:
    """`status` tells of it, and how far the others are; its failure is the command's; its samples are there."""
    laptop = begin(pair, *SOON)
    agents = running(pair)
    pair.until(lambda: all(figures(pair)), "agents tell what they do")
    (one, other), shown = figures(pair), pair.good("status", "-c", "demo").stdout
    assert (one["entities"], other["entities"], one["errors"]) == (5, 5, 0)
    assert re.search(r"under way, \d:\d\d of 30:00$", shown, re.MULTILINE)
    assert re.search(r"loadtest-1  running: 5 entities, \d+ requests \([\d.]+/s\), 0 errors, mean \d+ ms$", shown, re.M)
    agents[1].kill()
    psutil.wait_procs([agents[1]], timeout=10)
    pair.until(lambda: not pair.status("demo")["well"], "it is noticed")
    shown = pair.good("status", "-c", "demo").stdout
    assert "loadtest-0  running" in shown
    assert "loadtest-1  lost: its process was killed" in shown
    agents[0].send_signal(signal.SIGTERM)
    stdout, stderr = laptop.communicate()
    assert laptop.returncode == 1
    assert "loadtest-1: the agent was lost: its process was killed" in stderr
    assert "Timings Report" in stdout
    assert pair.state("demo")["run"]["exit_codes"] == [130, None]


@contextlib.contextmanager
def silent(demo: Ops) -> Iterator[None]:
    """Put the socket of a cluster's supervisord out of reach for a while."""
    socket = demo.home / "demo" / "supervisor" / "socket"
    socket.rename(socket.with_name("away"))
    try:
        yield
    finally:
        socket.with_name("away").rename(socket)


def test_agents_that_cannot_be_reached_are_given_up(solo: Ops) -> None:
    """Told at once, after a while the command ends with 3, what was fetched stays; `--attach` has the whole run."""
    laptop = begin(solo, "--set", "UserEntitiesConfiguration.TestLengthMinutes=0.1", "--give-up-after", "1")
    log = results(solo) / "loadtest-out-loadtest-0.txt"
    with silent(solo):
        _, stderr = laptop.communicate(timeout=30)
        assert laptop.returncode == 3
        assert "the agents cannot be reached, tried again until " in stderr
        assert "Error: the agents could not be reached for 1 s: the supervisord of the cluster demo, process " in stderr
        assert "`ltops loadtest -c demo --attach` picks it up" in stderr
        fetched = log.read_bytes()
        assert "does not answer" in solo.status("demo")["problem"]
        ended = solo.run("deploy", "-c", "demo")
        assert (ended.code, "does not answer" in ended.error) == (3, True), "it would end the run"
    assert b"Entities begin to act" in fetched
    attached = solo.good("loadtest", "-c", "demo", "--attach")
    assert "Timings Report" in attached.stdout
    (written,) = (solo.home / "demo" / "instances" / "loadtest-0").glob("*/loadtest.log")
    assert log.read_bytes() == written.read_bytes()
    assert written.read_bytes().startswith(fetched)


def test_results_of_a_run_that_ended_unseen(solo: Ops) -> None:
    """The next run fetches them first."""
    laptop = begin(solo)
    laptop.kill()
    laptop.communicate()
    for process in running(solo).values():
        process.send_signal(signal.SIGTERM)
    solo.until(lambda: solo.status("demo")["run_ended"], "the agents have ended")
    run_id = solo.state("demo")["run"]["id"]
    assert "ended, results not fetched" in solo.good("status").stdout
    ended = solo.good("loadtest", "basic", "-c", "demo")
    assert "which ended while nobody looked" in ended.stderr
    assert (results(solo) / run_id / "report-loadtest-0.txt").exists()


def test_a_server_that_died(solo: Ops) -> None:
    """`status` says which instance and why; deployed again, its population is known to be gone and loaded anew."""
    solo.good("loadtest", "basic", "-c", "demo")
    (server,) = [process for process in solo.processes() if "server" in process.cmdline()]
    server.kill()
    psutil.wait_procs([server], timeout=10)
    solo.until(lambda: not solo.status("demo")["well"], "it is noticed")
    assert "was killed" in solo.status("demo")["faults"]["app-0"]
    ended = solo.run("loadtest", "basic", "-c", "demo")
    assert ended.code == 3
    solo.good("deploy", "-c", "demo")
    assert "load the population" in solo.good("loadtest", "basic", "-c", "demo").stderr


def test_a_supervisor_that_was_killed(solo: Ops) -> None:
    """What it left behind is ended when the cluster is deployed again, and every port is free for what is started."""
    (supervisor,) = [process for process in solo.processes() if "supervisor.supervisord" in process.cmdline()]
    left = {process.pid for process in solo.processes()} - {supervisor.pid}
    supervisor.kill()
    psutil.wait_procs([supervisor], timeout=10)
    assert "starts all again" in solo.status("demo")["faults"]["app-0"]
    solo.good("deploy", "-c", "demo")
    assert not left & {process.pid for process in solo.processes()}
    assert solo.status("demo")["well"]


def test_the_agents_configuration_is_layered(solo: Ops) -> None:
    """File, `deploy --users`, environment, --set and the cluster: each over the one before it."""
    assert "loads a population of 33 users" in solo.good("deploy", "-c", "demo", "--users", "33").stderr
    solo.environment["MMLOADTEST_USERENTITIESCONFIGURATION_NUMACTIVEENTITIES"] = "4"
    solo.environment["MMLOADTEST_CONNECTIONCONFIGURATION_SERVERURL"] = "http://127.0.0.1:9"
    settings = ("--set", "logsettings.filelevel=WARN", "--set", "UserEntitiesConfiguration.ActionRateMilliseconds=300")
    solo.good("loadtest", "basic", "-c", "demo", *settings)
    kept = json.loads((results(solo) / "loadtestconfig.json").read_text())
    assert kept["LoadtestEnviromentConfig"]["NumUsers"] == 33
    assert kept["UserEntitiesConfiguration"]["NumActiveEntities"] == 4
    assert kept["UserEntitiesConfiguration"]["ActionRateMilliseconds"] == 300
    assert kept["LogSettings"]["FileLevel"] == "WARN"
    assert kept["ConnectionConfiguration"]["ServerURL"] == solo.state("demo")["site_url"]
    solo.environment.clear()
    solo.environment["LTOPS_HOME"] = str(solo.home)


def test_a_shell_on_a_terminal(solo: Ops) -> None:
    """`ssh` without a command opens a shell in the instance's folder; its exit code is the command's."""
    ours, theirs = os.openpty()
    shell = solo.start("ssh", "app", "-c", "demo", stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    os.write(ours, b"pwd; test -t 0; echo terminal $?; exit 3\n")
    seen = b""
    with contextlib.suppress(OSError):  # what a terminal says at its end
        while piece := os.read(ours, 4096):
            seen += piece
    os.close(ours)
    assert shell.wait() == 3
    assert b"instances/app-0" in seen
    assert b"terminal 0" in seen
