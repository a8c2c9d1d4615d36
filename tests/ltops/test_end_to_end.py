"""A local cluster's life as a user lives it: two apps behind nginx, two agents, a laptop that is closed."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
from typing import Any

import pytest

Ops = Any
"""An `Ops` of the conftest beside."""

Needs = Any
"""Its `Needs`."""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def listening(port: int) -> bool:
    """Say whether something listens on a port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_a_cluster_from_its_making_to_its_end(ops: Ops, needs: Needs) -> None:
    """A one-minute run outlives the laptop's process, is picked up, and is whole; at the end nothing is left."""
    needs(nginx="nginx-light", prometheus="prometheus", prometheus_node_exporter="prometheus-node-exporter")
    ops.good("create", "--name", "e2e", "-t", "local", "--app-count", "2", "--loadtest-count", "2")
    ops.good("deploy", "-c", "e2e", "--users", "40")
    deployed = ops.status("e2e")
    assert (deployed["well"], deployed["users"]) == (True, 40)
    assert {one["role"] for one in deployed["instances"]} == {"app", "proxy", "metrics", "loadtest"}
    cut_off_midway(ops)
    agents = {"loadtest-0", "loadtest-1"}
    ops.until(lambda: agents == scraped(deployed["metrics_url"]).get("loadtest"), "Prometheus reaches the agents")
    commands_reach_instances(ops)
    attached = ops.good("loadtest", "-c", "e2e", "--attach")
    assert "Timings Report" in attached.stdout
    assert (ops.home / "e2e" / "results" / "summary.txt").read_text() == attached.stdout
    results_are_whole(ops)
    run = ops.status("e2e")["run"]
    assert run["exit_codes"] == [0, 0]
    assert run["score"] > 0
    reached = scraped(deployed["metrics_url"])
    assert (reached["mattermost"], reached["host"]) == ({"app-0", "app-1"}, {"this-machine"})
    everything_is_collected(ops)
    ports = [int(one["address"].split(":")[1]) for one in deployed["instances"] if ":" in one["address"]]
    assert all(listening(port) for port in ports)
    ops.good("delete", "e2e", "--yes")
    assert not [port for port in ports if listening(port)]
    assert ops.processes() == []
    assert list(ops.home.iterdir()) == []


def cut_off_midway(ops: Ops) -> None:
    """Begin a run of a minute and kill the command while the users act."""
    minute = ("--set", "UserEntitiesConfiguration.TestLengthMinutes=1", "--start-in", "10")
    laptop = ops.start("loadtest", "-c", "e2e", *minute)
    log = ops.home / "e2e" / "results" / "loadtest-out-loadtest-1.txt"
    ops.until(lambda: log.exists() and '"tag":"timings"' in log.read_text(), "the second agent's samples arrive")
    laptop.send_signal(signal.SIGKILL)
    laptop.communicate()
    refused = ops.run("deploy", "-c", "e2e")
    assert refused.code == 2
    assert "a run is under way" in refused.error
    assert "under way" in ops.good("status").stdout


def results_are_whole(ops: Ops) -> None:
    """Each agent's log here is the one it wrote, to the byte; the configuration kept has no secrets."""
    results = ops.home / "e2e" / "results"
    for index in range(2):
        (written,) = (ops.home / "e2e" / "instances" / f"loadtest-{index}").glob("*/loadtest.log")
        assert (results / f"loadtest-out-loadtest-{index}.txt").read_bytes() == written.read_bytes()
    kept = json.loads((results / "loadtestconfig.json").read_text())
    assert "AdminPassword" not in kept["ConnectionConfiguration"]
    assert kept["LoadtestEnviromentConfig"]["NumUsers"] == 40


def scraped(metrics_url: str) -> dict[str, set[str]]:
    """Return which instances Prometheus has reached, by job."""
    query = ["curl", "-fsS", f"{metrics_url}/api/v1/query?query=up==1"]
    answer = json.loads(subprocess.run(query, capture_output=True, check=True).stdout)
    found: dict[str, set[str]] = {}
    for series in answer["data"]["result"]:
        found.setdefault(series["metric"]["job"], set()).add(series["metric"]["instance"])
    return found


def commands_reach_instances(ops: Ops) -> None:
    """`ssh` passes arguments through unharmed, runs in the instance's folder, and ends as the command does."""
    odd = ("a b", "--name", "$HOME", "'\"", "")
    ended = ops.run_apart("ssh", "app", "-c", "e2e", "-i", "1", "--", "printf", "[%s]", *odd)
    assert (ended.code, ended.stdout) == (0, "".join(f"[{word}]" for word in odd))
    ended = ops.run_apart("ssh", "-c", "e2e", "proxy", "--", "sh", "-c", "cat nginx.conf; exit 7")
    assert ended.code == 7
    assert "proxy_pass" in ended.stdout


def everything_is_collected(ops: Ops) -> None:
    """`collect` makes one archive of logs, configurations without secrets, results and metrics."""
    archive = ops.folder / "e2e.tar.gz"
    texts = ops.collected("e2e", archive)
    for name in (
        "instances/app-1/mattermost.log",
        "instances/proxy-0/nginx.conf",
        "instances/loadtest-1/output.txt",
        "results/summary.txt",
        "ltops.log",
        "metrics.json",
        "status.json",
    ):
        assert any(path == name or path.endswith(name.rpartition("/")[2]) for path in texts), (name, sorted(texts))
    assert "ltpassword" not in "".join(texts.values())
    assert archive.stat().st_mode & 0o077 == 0
