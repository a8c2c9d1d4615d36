"""Whatever ends the tests, nothing of their clusters is left."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from tests.kubernetes.conftest import lacking
from tests.kubernetes.keeping import CGROUPS, REMOVAL_TIMEOUT_S
from tests.kubernetes.node import missing
from tests.kubernetes.programs import Programs

ROOT = Path(__file__).parents[2]
STARTED = """
import pathlib, sys, time
from tests.kubernetes.keeping import kept_folder
from tests.kubernetes.node import node_cluster
from tests.kubernetes.programs import Programs
with kept_folder() as folder, node_cluster(folder, Programs(pathlib.Path(sys.argv[1])), [], {}):
    print(folder, flush=True)
    time.sleep(600)
"""


def processes_of(folder: Path) -> list[psutil.Process]:
    """Return the processes that were started with a folder in their command line."""
    found = []
    for process in psutil.process_iter():
        try:
            if any(str(folder) in text for text in process.cmdline()):
                found.append(process)
        except (psutil.Error, OSError):  # it has ended meanwhile
            continue
    return found


def settings() -> str:
    """Return the kernel settings that a kubelet changes."""
    return "".join(Path("/proc/sys", name).read_text() for name in ("vm/overcommit_memory", "kernel/panic"))


@pytest.mark.slow
@pytest.mark.xdist_group("kubernetes")
def test_a_node_goes_with_the_tests(kubernetes_programs: Programs) -> None:
    """Their process killed: no process, control group, folder or mount remains, and the kernel is set as before."""
    if reason := missing():
        lacking(reason)
    before = settings()
    with subprocess.Popen(
        [sys.executable, "-c", STARTED, str(kubernetes_programs.folder)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as tests:
        assert tests.stdout is not None
        folder = Path(tests.stdout.readline().strip())
        assert folder.name, "the cluster did not start"
        assert list(CGROUPS.glob(f"**/{folder.name}"))
        assert processes_of(folder)
        tests.kill()

    end_s = time.monotonic() + REMOVAL_TIMEOUT_S
    while folder.exists() or processes_of(folder):
        assert time.monotonic() < end_s, processes_of(folder)
        time.sleep(0.1)
    assert not list(CGROUPS.glob(f"**/{folder.name}"))
    assert folder.name not in Path("/proc/mounts").read_text()
    assert settings() == before
