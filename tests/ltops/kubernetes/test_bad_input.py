"""What `create` refuses before there is a cluster to speak to: each by one message and an exit code."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from tests.ltops.conftest import Ops, ltops_in

HELM = Path(sys.executable).parent


@pytest.fixture
def ops(tmp_path: Path) -> Iterator[Ops]:
    """Give the command `ltops` of somebody who has no kubeconfig, and has Helm."""
    with ltops_in(tmp_path) as ops:
        ops.environment |= {"KUBECONFIG": str(tmp_path / "kubeconfig"), "PATH": f"{HELM}:{os.environ['PATH']}"}
        yield ops


def kubeconfig(ops: Ops, server: str) -> None:
    """Write the kubeconfig, with one context."""
    content = {
        "clusters": [{"name": "far", "cluster": {"server": server}}],
        "users": [{"name": "me", "user": {"token": "t0ken"}}],
        "contexts": [{"name": "far-away", "context": {"cluster": "far", "user": "me"}}],
        "current-context": "far-away",
    }
    (ops.folder / "kubeconfig").write_text(yaml.safe_dump(content))


def test_no_kubeconfig(ops: Ops) -> None:
    """The message says where one is looked for; nothing is left of the cluster."""
    ended = ops.run("create", "-c", "demo", "--type", "kubernetes")
    assert ended.code == 2
    assert "there is no kubeconfig that can be used" in ended.error
    assert "KUBECONFIG" in ended.error
    assert list(ops.home.iterdir()) == []


def test_a_context_that_is_not_in_it(ops: Ops) -> None:
    """Those that are there are named."""
    kubeconfig(ops, "https://127.0.0.1:1")
    ended = ops.run("create", "-c", "demo", "--type", "kubernetes", "--context", "nowhere")
    assert (ended.code, ended.error) == (
        2, "the kubeconfig has no context nowhere; name one with --context: far-away"
    )  # fmt: skip


def test_a_cluster_that_does_not_answer(ops: Ops) -> None:
    """Its address is named, the token is not; the same command goes on later."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    kubeconfig(ops, f"https://127.0.0.1:{port}")
    ended = ops.run("create", "-c", "demo", "--type", "kubernetes")
    assert ended.code == 3
    assert f"the Kubernetes cluster at https://127.0.0.1:{port} cannot be reached" in ended.error
    assert "refused" in ended.error
    assert "t0ken" not in ended.stderr


def test_options_that_follow_from_elsewhere(ops: Ops) -> None:
    """They are refused with what decides instead."""
    kubeconfig(ops, "https://127.0.0.1:1")
    ended = ops.run("create", "-c", "demo", "--type", "kubernetes", "--app-count", "3")
    assert ended.code == 2
    assert ended.error.startswith("--app-count means nothing for a cluster of type kubernetes")
    ended = ops.run("create", "-c", "demo", "--type", "kubernetes", "--namespace", "No_Name")
    assert (ended.code, "--namespace 'No_Name' cannot be" in ended.error) == (2, True)
