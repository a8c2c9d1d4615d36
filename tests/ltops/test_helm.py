"""Helm called as a program: what is there of it, and what its failures say."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from mattermost_load_test.errors import OperationError, ServerUnreachableError, UsageError
from mattermost_load_test.ltops.helm import Helm, ValuesError, failure
from mattermost_load_test.ltops.shipped import shipped

CHART = shipped("helm") / "mattermost-load-test"


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a folder that is all of the path."""
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def test_helm_that_is_missing(programs: Path) -> None:
    """The message says where it is to be had."""
    with pytest.raises(UsageError, match=r"helm is not on this machine: https://helm.sh"):
        Helm("demo", "").check()


def test_helm_that_is_too_old(programs: Path) -> None:
    """Version 2, which first asks for a server that is not there, as it does."""
    helm = programs / "helm"
    helm.write_text(
        '#!/bin/sh\ncase "$*" in *--client*) echo v2.17.0+ga690bad;; *) echo "Error: no tiller" >&2; exit 1;; esac\n'
    )
    helm.chmod(0o755)
    with pytest.raises(UsageError, match=r"helm is version v2.17, and 3 or later is needed"):
        Helm("demo", "").check()


@pytest.fixture
def beside(monkeypatch: pytest.MonkeyPatch) -> Helm:
    """Give the real Helm of the development environment."""
    folder = Path(sys.executable).parent
    if not (folder / "helm").exists():
        pytest.skip("no helm beside this Python: make test")
    monkeypatch.setenv("PATH", str(folder))
    return Helm("demo", "")


def test_a_real_helm(beside: Helm) -> None:
    """It is new enough, and renders the chart from values that leave no file behind."""
    beside.check()
    text = beside.rendered("demo", CHART, {"agent": {"replicas": 3}}, "v1.33.0")
    assert 'agents: "3"' in text


def test_a_value_that_the_chart_does_not_take(beside: Helm) -> None:
    """It is named, by its place and alone."""
    with pytest.raises(ValuesError) as caught:
        beside.rendered("demo", CHART, {"mattermost": {"replica": 2}}, "v1.33.0")
    assert "mattermost: Additional property replica is not allowed" in str(caught.value)
    assert "walk.go" not in str(caught.value)
    with pytest.raises(ValuesError, match=r"^externalDatabase\.dataSource: with postgresql\.enabled false"):
        beside.rendered("demo", CHART, {"postgresql": {"enabled": False}}, "v1.33.0")


def test_failures_in_its_own_words() -> None:
    """Shortened to what matters, and sorted by what to do."""
    unreachable = failure(
        'Error: Kubernetes cluster unreachable: Get "https://10.0.0.1:6443/version": dial tcp: i/o timeout'
    )
    assert isinstance(unreachable, ServerUnreachableError)
    failed = failure("walk.go:75: found symbolic link in path\nW0101 noise\nError: UPGRADE FAILED: timed out\n")
    assert isinstance(failed, OperationError)
    assert str(failed) == "helm: UPGRADE FAILED: timed out"
    assert len(str(failure("Error: " + "x" * 5000))) < 700
