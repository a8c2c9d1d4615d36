"""The Kubernetes objects of a run, made of what the real chart renders."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from mattermost_load_test.ltops.providers.base import Job
from mattermost_load_test.ltops.providers.kubernetes.jobs import AgentPod, check_of, job_of, secret_of
from mattermost_load_test.ltops.providers.kubernetes.names import job_name
from mattermost_load_test.ltops.shipped import shipped

RUN = Job("20261126T080000Z", 2, [b'{"secret": "hunter2"}'], lambda index: ["all", "--agent-index", index])


@pytest.fixture(scope="module")
def pod() -> AgentPod:
    """Give what the chart says of agents."""
    beside = Path(sys.executable).with_name("helm")
    helm = str(beside) if beside.exists() else shutil.which("helm")
    if helm is None:
        assert not os.environ.get("CI"), "CI wants helm"
        pytest.skip("no helm here: https://helm.sh/docs/intro/install/")
    chart = shipped("helm") / "mattermost-load-test"
    command = [helm, "template", "demo", str(chart), "--set", "agent.replicas=2", "-s", "templates/agents.yaml"]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return AgentPod.of(next(one for one in yaml.safe_load_all(text) if one["kind"] == "ConfigMap"))


def test_an_indexed_job(pod: AgentPod) -> None:
    """As many pods as agents, each told its index by Kubernetes; the chart's pod is left as it is."""
    job = job_of("demo", RUN, pod)
    spec: dict[str, Any] = job["spec"]
    assert pod.count == 2
    assert (spec["completions"], spec["parallelism"], spec["completionMode"]) == (2, 2, "Indexed")
    agent, keeper = spec["template"]["spec"]["containers"]
    assert agent["args"] == [
        "--config", "/job/loadtestconfig.json", "all", "--agent-index", "$(JOB_COMPLETION_INDEX)"
    ]  # fmt: skip
    assert keeper["args"]
    assert "args" not in pod.template["spec"]["containers"][0]
    assert "hunter2" not in str(job)


def test_configurations_are_in_a_secret(pod: AgentPod) -> None:
    """One for all, or one for each agent, counted round."""
    secret = secret_of("demo", RUN)
    assert secret["stringData"] == {"loadtestconfig.json": '{"secret": "hunter2"}'}
    volumes = job_of("demo", RUN, pod)["spec"]["template"]["spec"]["volumes"]
    (name,) = [volume["secret"]["secretName"] for volume in volumes if volume["name"] == "job"]
    assert name == secret["metadata"]["name"]
    several = Job("x", 3, [b"a", b"b"], lambda index: [])
    assert secret_of("demo", several)["stringData"] == {
        "loadtestconfig-0.json": "a", "loadtestconfig-1.json": "b", "loadtestconfig-2.json": "a"
    }  # fmt: skip


def test_names_fit_into_a_host_name() -> None:
    """Kubernetes makes host names of a job's name and an index, of 63 characters at most."""
    assert len(job_name("a" * 40, "loadposts-20261126T080000Z")) + len("-999") <= 63


def test_trying_the_image(pod: AgentPod) -> None:
    """The same image and rights, and nothing of a job's."""
    tried = check_of("demo", pod, ["loadtest", "--version"])
    (container,) = tried["spec"]["containers"]
    assert container["image"] == pod.image
    assert tried["spec"]["restartPolicy"] == "Never"
    assert {volume["name"] for volume in tried["spec"]["volumes"]} == {"work", "tmp"}
