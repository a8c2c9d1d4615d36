"""A creation that is cut short while Terraform is at work: what is left, what is not, and that it is taken up again."""

from __future__ import annotations

import contextlib
import json
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from tests.ltops.terraform.conftest import STAND_IN

Ops = Any
"""An `Ops` of the conftest above."""

CREATE = ("create", "-c", "demo", "-t", "terraform", "--allow-cidr", "203.0.113.7")

SLOW = """
resource "terraform_data" "slow" {
  depends_on = [terraform_data.instance]

  provisioner "local-exec" {
    command = "touch begun; until test -e go; do sleep 0.05; done"
  }
}
"""
"""What is not made until a file is there."""


@pytest.fixture
def slowly(aside: Ops) -> Iterator[Ops]:
    """Give `ltops` with a module whose last resource is not made until `finish` is called."""
    module = aside.folder / "module"
    shutil.copytree(STAND_IN, module)
    main = module / "main.tf"
    main.write_text(main.read_text() + SLOW)
    aside.environment["LTOPS_TERRAFORM_MODULE"] = str(module)
    yield aside
    if folder(aside).is_dir():
        finish(aside)  # whatever came of the test, no Terraform waits on


def folder(ops: Ops) -> Path:
    """Return Terraform's folder."""
    found = ops.home / "demo" / "terraform"
    assert isinstance(found, Path)
    return found


def begin(ops: Ops) -> Any:
    """Begin to create, and return the process once Terraform is at its last resource."""
    process = ops.start(*CREATE)
    ops.until((folder(ops) / "begun").exists, "Terraform is at its last resource")
    (folder(ops) / "begun").unlink()
    return process


def finish(ops: Ops) -> None:
    """Let the last resource be made."""
    (folder(ops) / "go").touch()


def is_whole(ops: Ops) -> None:
    """Check that the cluster is made, and can be removed."""
    assert len(ops.status("demo")["instances"]) == 5
    ops.good("delete", "-c", "demo", "--yes")
    assert [path.name for path in ops.home.iterdir()] == [".terraform-plugins"]


def test_ctrl_c(slowly: Ops) -> None:
    """Terraform ends in good order: what it has made is in its state, and the message says how to go on."""
    process = begin(slowly)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "what is begun ends in good order first" in said
    assert "`ltops create -c demo …` goes on from here" in said
    assert slowly.state("demo")["phase"] == "creating"
    state = json.loads((folder(slowly) / "terraform.tfstate").read_text())
    assert {resource["name"] for resource in state["resources"]} == {"instance", "let_in", "slow"}
    finish(slowly)
    slowly.good(*CREATE)
    is_whole(slowly)


def test_a_kill(slowly: Ops) -> None:
    """Terraform goes on by itself, and the next command waits for it.

    The database's password is then in the two files that keep it, and in no other, nor in what processes show.
    """
    process = begin(slowly)
    process.kill()
    process.communicate()
    (terraform,) = applying(slowly)
    password = slowly.state("demo")["details"]["db_password"]
    shown = [*terraform.cmdline(), *terraform.environ().values()]
    assert not any(password in text for text in shown)
    files = [path for path in (slowly.home / "demo").rglob("*") if path.is_file() and not path.is_symlink()]
    assert {path.name for path in files if password in path.read_text(errors="replace")} == {"clusterinfo.json"}
    again = slowly.start(*CREATE)
    slowly.until(lambda: len(applying(slowly)) == 2, "another Terraform waits")
    finish(slowly)
    _, said = again.communicate(timeout=60)
    assert again.returncode == 0, said
    is_whole(slowly)


def applying(ops: Ops) -> list[psutil.Process]:
    """Return the Terraforms that apply something."""
    found = []
    for process in ops.processes():
        with contextlib.suppress(psutil.Error):  # it has ended meanwhile
            if process.name() == "terraform" and "apply" in process.cmdline():
                found.append(process)
    return found
