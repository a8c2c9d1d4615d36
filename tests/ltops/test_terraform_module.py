"""The Terraform module of AWS clusters: its form, its validity, its own tests with a provider that makes nothing."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.xdist_group("terraform module")

MODULE = Path(__file__).parents[2] / "terraform"
MIRRORS = (Path("/opt/tf-plugins"), Path("/usr/share/terraform/plugins"))
"""Where the AWS provider may lie on a machine without internet."""


@pytest.fixture(scope="session")
def terraform(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Give the environment that Terraform runs in, offline; skip where it or its provider is not there."""
    if shutil.which("terraform") is None:
        assert not os.environ.get("CI"), "CI wants terraform"
        pytest.skip("no terraform here: https://developer.hashicorp.com/terraform/install")
    mirror = next((path for path in MIRRORS if (path / "registry.terraform.io/hashicorp/aws").is_dir()), None)
    if mirror is None:
        pytest.skip(f"no AWS provider here: terraform providers mirror {MIRRORS[0]}, in {MODULE}")
    settings = tmp_path_factory.mktemp("terraform") / "terraformrc"
    settings.write_text(f'provider_installation {{\n  filesystem_mirror {{\n    path = "{mirror}"\n  }}\n}}\n')
    return os.environ | {"TF_CLI_CONFIG_FILE": str(settings), "CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1"}


def run(environment: dict[str, str], folder: Path, *arguments: str) -> str:
    """Run Terraform, which must succeed, and give its output."""
    command = ["terraform", *arguments]
    ended = subprocess.run(command, cwd=folder, env=environment, text=True, capture_output=True, timeout=110)
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
