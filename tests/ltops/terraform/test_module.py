"""The Terraform module of AWS clusters: its form, its validity, its own tests with a provider that makes nothing."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

pytestmark = [pytest.mark.xdist_group("terraform module"), pytest.mark.timeout(240)]

MODULE = Path(__file__).parents[3] / "terraform"


def run(environment: dict[str, str], folder: Path, *arguments: str) -> str:
    """Run Terraform, which must succeed, and give its output."""
    command = ["terraform", *arguments]
    ended = subprocess.run(
        command, cwd=folder, env=os.environ | environment, text=True, capture_output=True, timeout=220
    )
    assert ended.returncode == 0, f"{' '.join(command)}\n{ended.stdout}{ended.stderr}"
    return ended.stdout


@pytest.fixture(scope="session")
def module(terraform: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a copy of the module, its provider in place."""
    folder = tmp_path_factory.mktemp("module") / "terraform"
    shutil.copytree(MODULE, folder, ignore=shutil.ignore_patterns(".terraform*"))
    run(terraform, folder, "init", "-backend=false", "-input=false", "-no-color")
    return folder


def test_the_module_is_formatted_and_valid(terraform: dict[str, str], module: Path) -> None:
    """As `terraform fmt` and `terraform validate` see it."""
    run(terraform, module, "fmt", "-check", "-recursive", "-diff")
    run(terraform, module, "validate", "-no-color")


def test_the_module_makes_what_it_should(terraform: dict[str, str], module: Path) -> None:
    """Counts, names, closed security groups, encryption, tags, refused input: terraform/tests."""
    assert "0 failed" in run(terraform, module, "test", "-no-color")
