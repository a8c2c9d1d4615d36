"""A cluster's life on a real node, as a user lives it: with a laptop that goes away, and an agent that is killed."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests
import yaml
from kubernetes import client
from tests.kubernetes.cluster import Cluster
from tests.ltops.conftest import QUICK, Ops, ltops_in
from tests.ltops.terminals import COLUMNS, DEADLINE_S, LINES, on_terminal

from mattermost_load_test.ltops.providers.kubernetes.agents import KubernetesAgents
from mattermost_load_test.ltops.providers.kubernetes.api import Api

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("kubernetes"), pytest.mark.timeout(900)]

SMALL = {"requests": {"cpu": "20m", "memory": "64Mi"}}
VALUES = {
    "mattermost": {"files": {"enabled": False}, "resources": SMALL},
    "postgresql": {"storage": {"enabled": False}, "resources": SMALL},
    "proxy": {"service": {"type": "NodePort"}, "resources": SMALL},
    "prometheus": {"service": {"type": "NodePort"}, "resources": SMALL},
    "grafana": {"enabled": False},
    "agent": {"replicas": 2, "resources": SMALL},
}
"""The chart at a size for a test: no volumes, since the node has none to give, and no Grafana."""

CALM = QUICK | {
    "UserEntitiesConfiguration": QUICK["UserEntitiesConfiguration"]
    | {"ActionRateMilliseconds": 4000, "MaxLoopLagMilliseconds": 60_000, "MaxCPUPercent": 100}
}
"""A run whose agents keep up on a machine that a whole cluster shares with them."""

KILL_THE_AGENT = (
    'for f in /proc/[0-9]*/status; do grep -q "^PPid:.1$" $f && kill -9 $(echo $f | cut -d/ -f3); done; true'
)
"""Kills what the container's first process started: `loadtest`."""


@pytest.fixture
def ops(real_node: Cluster, tmp_path: Path) -> Iterator[Ops]:
    """Give the command `ltops` of the cluster's administrator, and the values file for the chart."""
    with ltops_in(tmp_path) as ops:
        ops.configure(CALM)
        ops.environment |= real_node.environment
        (tmp_path / "values.yaml").write_text(yaml.safe_dump(VALUES))
        yield ops


def test_from_nothing_to_results_and_to_nothing_again(ops: Ops, real_node: Cluster) -> None:
    """Two agents' run outlives the laptop's process and the death of an agent; at the end nothing is left."""
    ops.good("create", "-c", "node", "--type", "kubernetes")
    ops.good("deploy", "-c", "node", "--users", "40", "-f", "values.yaml")
    found = ops.status("node")
    assert (found["well"], found["problem"]) == (True, "")
    assert found["site_url"].startswith("http://10.250.0.1:3")  # the node's own port
    assert any("a licence" in words for words in found["missing"])
    a_run_that_is_left_alone(ops, real_node)
    commands_reach_pods(ops)
    a_shell_on_a_terminal(ops)
    the_site_is_reached_from_here(ops)
    everything_is_collected(ops)
    an_agent_is_evicted(ops, real_node)
    changes_are_made_and_nothing_else(ops)
    nobody_fetches_the_results(ops, real_node)
    ops.good("delete", "-c", "node", "--yes")
    assert "node" not in [one.metadata.name for one in real_node.core.list_namespace().items]
    assert list(ops.home.iterdir()) == []


def log_of(ops: Ops, index: int) -> Path:
    """Return the copy of an agent's log."""
    return ops.home / "node" / "results" / f"loadtest-out-loadtest-{index}.txt"


def samples_of(ops: Ops, index: int) -> bool:
    """Say whether samples of an agent have arrived."""
    return log_of(ops, index).exists() and '"tag":"timings"' in log_of(ops, index).read_text()


def begin(ops: Ops, *more: str) -> subprocess.Popen[str]:
    """Begin a run in a process, and wait until users act."""
    for path in (log_of(ops, 0), log_of(ops, 1)):
        path.unlink(missing_ok=True)
    laptop = ops.start("loadtest", "all", "-c", "node", "--start-in", "12", *more)
    ops.until(lambda: samples_of(ops, 0) and samples_of(ops, 1), "both agents' samples arrive")
    return laptop


def a_run_that_is_left_alone(ops: Ops, real_node: Cluster) -> None:
    """Kill the laptop's process, then an agent: that is started again, joins for the rest, and its log is whole."""
    laptop = begin(ops, "--set", "UserEntitiesConfiguration.TestLengthMinutes=0.5")
    laptop.send_signal(signal.SIGKILL)
    laptop.communicate()
    refused = ops.run("deploy", "-c", "node")
    assert (refused.code, "a run is under way" in refused.error) == (2, True)
    assert ops.run_apart("ssh", "loadtest", "-c", "node", "-i", "0", "--", "sh", "-c", KILL_THE_AGENT).code in (0, 137)
    ops.until(lambda: restarts(real_node) == [1, 0], "the agent is started again")
    attached = ops.good("loadtest", "-c", "node", "--attach")
    assert "Timings Report" in attached.stdout
    ids = [set(re.findall(r'"instance_id":"(\w+)"', log_of(ops, index).read_text())) for index in (0, 1)]
    assert [len(one) for one in ids] == [2, 1]
    assert ops.state("node")["run"]["exit_codes"] == [0, 0]
    kept = json.loads((ops.home / "node" / "results" / "loadtestconfig.json").read_text())
    assert kept["LoadtestEnviromentConfig"]["NumUsers"] == 40


def pods_of_agents(real_node: Cluster) -> list[client.V1Pod]:
    """Return the agents' pods by index."""
    pods = real_node.core.list_namespaced_pod("node", label_selector="app.kubernetes.io/component=loadtest").items
    return sorted(pods, key=lambda pod: str(pod.metadata.name))


def restarts(real_node: Cluster) -> list[int]:
    """Return how often each agent was started again."""
    pods = pods_of_agents(real_node)
    statuses = [{one.name: one.restart_count for one in pod.status.container_statuses or ()} for pod in pods]
    return [status.get("agent", 0) for status in statuses]


def commands_reach_pods(ops: Ops) -> None:
    """`ssh` passes arguments through unharmed and ends as the command does; `db` needs no password."""
    odd = ("a b", "--name", "$HOME", "'\"", "")
    ended = ops.run_apart("ssh", "app", "-c", "node", "--", "printf", "[%s]", *odd)
    assert (ended.code, ended.stdout) == (0, "".join(f"[{word}]" for word in odd))
    ended = ops.run_apart("ssh", "-c", "node", "proxy", "--", "sh", "-c", "echo told >&2; exit 7")
    assert (ended.code, ended.stderr) == (7, "told\n")
    ended = ops.run_apart("ssh", "app", "-c", "node", "-i", "5", "--", "true")
    assert (ended.code, "no app instance 5" in ended.error) == (2, True)
    ended = ops.run_apart("ssh", "loadtest", "-c", "node", "-i", "1", "--", "true")
    assert ended.code != 0  # the agent has ended with its run
    assert "Traceback" not in ended.stderr
    ended = ops.run_apart("ssh", "metrics", "-c", "node", "--", "no-such-program")
    assert ended.code == 1
    assert ended.error.startswith("no-such-program cannot be run in the container prometheus of node-prometheus-")
    ended = ops.run_apart("db", "-c", "node", "--", "-Atc", "SELECT current_database()")
    assert (ended.code, ended.stdout) == (0, "mattermost\n")


def a_shell_on_a_terminal(ops: Ops) -> None:
    """Size and its changes, colours, Ctrl-C and the exit code go through, each the way it should."""
    command = [sys.executable, "-m", "mattermost_load_test.ltops.cli", "ssh", "app", "-c", "node"]
    with on_terminal(command, ops.environment | {"TERM": "xterm-256color"}, ops.folder) as shell:
        shell.type(b"stty size; echo $TERM; ls --color=auto -d /usr\n")
        shell.until(f"{LINES} {COLUMNS}".encode())
        shell.until(b"xterm-256color")
        shell.until(b"\x1b[01;34m/usr")
        shell.resize(40, 120)
        shell.until_typed(b"stty size\n", b"40 120")
        shell.type(b"sh -c 'trap \"exit 3\" INT; echo begun; while :; do sleep 0.1; done'; echo ended $?\n")
        shell.until(b"\rbegun\r\n")
        shell.type(b"\x03")
        shell.until(b"ended 3\r\n")
        shell.type(b"exit 6\n")
        assert shell.process.wait(DEADLINE_S) == 6


def the_site_is_reached_from_here(ops: Ops) -> None:
    """`forward` keeps a way open until Ctrl-C."""
    forward = ops.start("forward", "app", "-c", "node")
    assert forward.stdout is not None
    name, _, url = forward.stdout.readline().strip().partition(": ")
    assert name == "app-0"
    for _ in range(2):
        assert requests.get(f"{url}/api/v4/system/ping", timeout=20).json()["status"] == "OK"
    forward.send_signal(signal.SIGINT)
    _, stderr = forward.communicate(timeout=30)
    assert (forward.returncode, stderr) == (0, "Ctrl-C ends it\n")


def everything_is_collected(ops: Ops) -> None:
    """`collect` makes one archive of logs, descriptions without secrets, results and metrics."""
    archive = ops.folder / "node.tar.gz"
    texts = ops.collected("node", archive)
    for name in ("app-0/mattermost.log", "db-0/postgres.log", "proxy-0/pod.json", "metrics-0/events.json"):
        assert f"instances/{name}" in texts
    assert "up" in texts["metrics.json"]
    assert "missing.txt" not in texts
    assert "ltpassword" not in "".join(texts.values())


def an_agent_is_evicted(ops: Ops, real_node: Cluster) -> None:
    """Another one joins; what was fetched is kept, and what is lost is said, and is a failure of the run.

    Ctrl-C leaves the run alone, --stop ends it and fetches its reports.
    """
    laptop = begin(ops, "--set", "UserEntitiesConfiguration.TestLengthMinutes=30")
    assert " entities, " in ops.good("status", "-c", "node").stdout  # as each agent tells by its metrics
    assert clock_offsets_ms(ops, ahead_s=0) == [0, 0]
    assert all(-6000 < offset_ms < -4000 for offset_ms in clock_offsets_ms(ops, ahead_s=5))
    name = pods_of_agents(real_node)[1].metadata.name
    real_node.core.create_namespaced_pod_eviction(name, "node", {"metadata": {"name": name}})
    earlier = log_of(ops, 1).with_name("loadtest-out-loadtest-1-earlier-1.txt")
    ops.until(lambda: earlier.exists() and samples_of(ops, 1), "its successor's samples arrive")
    lost = f"its pod {name} was lost"
    assert lost in ops.good("status", "-c", "node").stdout
    laptop.send_signal(signal.SIGINT)
    _, stderr = laptop.communicate()
    assert (laptop.returncode, "the test goes on" in stderr) == (130, True)

    ended = ops.run("loadtest", "-c", "node", "--stop")
    assert ended.code == 1
    assert ended.error.startswith(f"loadtest-1: {lost}")
    assert f"fetched before: {earlier.name}" in ended.error
    assert "Timings Report" in ended.stdout
    assert f"WARNING: loadtest-1: {lost}" in (earlier.parent / "summary.txt").read_text()
    assert ops.state("node")["run"]["exit_codes"] == [130, 130]
    assert '"msg":"Stopping the entities"' in earlier.read_text()  # it wrote to its end, and all came


def clock_offsets_ms(ops: Ops, ahead_s: float) -> Sequence[float]:
    """Return what is said of the agents' clocks where ours is ahead of this machine's."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in ops.environment.items():
            patch.setenv(name, value)
        agents = KubernetesAgents(Api("node", ""), "node", lambda: time.time() + ahead_s)
        agents.states(ops.state("node")["run"]["id"], 2)
        return agents.clock_offsets_ms()


def nobody_fetches_the_results(ops: Ops, real_node: Cluster) -> None:
    """Once the time for it is over, they are dropped, which is said whenever somebody asks for them."""
    laptop = ops.start("loadtest", "-c", "node", "--skip-bulk-load", "--start-in", "1")
    earlier = {pod.metadata.name for pod in pods_of_agents(real_node)}
    ops.until(lambda: {pod.metadata.name for pod in pods_of_agents(real_node)} - earlier, "the agent has its pod")
    laptop.kill()
    laptop.communicate()
    dropped, end = "its results were dropped at ", ("ssh", "loadtest", "-c", "node", "--", "kill", "-TERM", "1")

    def is_dropped() -> bool:
        return dropped in ops.good("status", "-c", "node").stdout or (ops.run_apart(*end).code < 0)

    ops.until(is_dropped, "the agent, told to end, has ended, and status says that its results are dropped")
    ended = ops.run("loadtest", "-c", "node", "--attach")
    assert ended.code != 0
    assert dropped in ended.error
    assert "not fetched within 1 s of its end" in ended.error


def changes_are_made_and_nothing_else(ops: Ops) -> None:
    """Deploying again does nothing, with other values what they say; the secrets stay; an unknown value is refused."""
    assert "Nothing to do" in ops.good("deploy", "-c", "node").stderr
    before = secret(ops)
    (ops.folder / "more.yaml").write_text(
        yaml.safe_dump(VALUES | {"agent": VALUES["agent"] | {"replicas": 1, "keepSeconds": 1}})
    )
    a_licence_is_given(ops, "-f", "more.yaml")
    assert len([one for one in ops.state("node")["instances"] if one["role"] == "loadtest"]) == 1
    assert secret(ops) == before
    (ops.folder / "wrong.yaml").write_text("mattermost: {replica: 2}\n")
    refused = ops.run("deploy", "-c", "node", "-f", "wrong.yaml")
    assert refused.code == 2
    assert refused.error.startswith("wrong.yaml: ")
    assert all(word in refused.error for word in ("mattermost", "replica", "not allowed"))  # each Helm has its words
    assert ops.status("node")["well"]


def a_licence_is_given(ops: Ops, *more: str) -> None:
    """Two servers are made, both licensed; the licence is in a secret and nowhere else; what is none is refused."""
    (ops.folder / "none").write_bytes(base64.b64encode(os.urandom(600)))
    refused = ops.run("deploy", "-c", "node", "-l", "none")
    assert (refused.code, "none is no Mattermost licence" in refused.error) == (2, True)

    licence = base64.b64encode(b'{"id":"trial"}' + os.urandom(256)).decode()
    (ops.folder / "licence").write_text(f"{licence}\n")
    deploying, told = ops.start("deploy", "-c", "node", "-l", "licence", *more), set[str]()
    while deploying.poll() is None:
        for process in ops.processes():
            with contextlib.suppress(psutil.Error):  # it has ended meanwhile
                told.add(" ".join(process.cmdline()))
    _, said = deploying.communicate()
    assert (deploying.returncode, any("upgrade node" in command for command in told)) == (0, True), said
    helm = ["helm", "get", "all", "node", "--namespace", "node"]
    told.add(subprocess.run(helm, env=os.environ | ops.environment, check=True, capture_output=True, text=True).stdout)
    told.update(path.read_text(errors="replace") for path in ops.home.rglob("*") if path.is_file())
    assert not [text for text in told if licence in text]
    question = "http://localhost:8065/api/v4/license/client?format=old"
    for index in ("0", "1"):
        answer = ops.run_apart("ssh", "app", "-c", "node", "-i", index, "--", "wget", "-q", "-O", "-", question)
        assert json.loads(answer.stdout) == {"IsLicensed": "true"}
    assert not ops.state("node")["missing"]


def secret(ops: Ops) -> Any:
    """Return the data of the database's secret."""
    from kubernetes import config

    api = client.CoreV1Api(config.new_client_from_config(ops.environment["KUBECONFIG"]))
    return api.read_namespaced_secret("node-database", "node").data
