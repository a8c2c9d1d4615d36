"""`deploy -t`: agents out of a bundle that was made here, unpacked, edited and packed again."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mattermost_load_test.ltops.artifacts import bundling

Ops = Any
"""An `Ops` of the conftest beside."""

ROOT = Path(__file__).parents[2]
LENGTH_MINUTES = 0.04

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make the bundle as `make package` does, for the Python that is here."""
    folder = tmp_path_factory.mktemp("package")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    output = folder / "mattermost-load-test.tar.gz"
    options = {
        "--project": ROOT / "pyproject.toml",
        "--lock": ROOT / "requirements.lock",
        "--wheel": wheel,
        "--config": ROOT / "loadtestconfig.json",
        "--pythons": f"{sys.version_info.major}.{sys.version_info.minor}",
        "--output": output,
    }
    bundling.main([str(part) for option in options.items() for part in option])
    return output


def edited(bundle: Path, ops: Ops) -> Path:
    """Unpack a bundle, put the test's quick configuration into it and pack it again, as people do with tar."""
    subprocess.run(["tar", "-xzf", bundle], cwd=ops.folder, check=True)
    quick = json.loads((ops.folder / "loadtestconfig.json").read_text())
    quick["UserEntitiesConfiguration"]["TestLengthMinutes"] = LENGTH_MINUTES
    (ops.folder / "mattermost-load-test" / "loadtestconfig.json").write_text(json.dumps(quick))
    (ops.folder / "loadtestconfig.json").unlink()
    subprocess.run(["tar", "-czf", "edited.tar.gz", "mattermost-load-test"], cwd=ops.folder, check=True)
    return Path(ops.folder / "edited.tar.gz")


def test_agents_come_from_the_bundle_with_its_configuration(ops: Ops, bundle: Path) -> None:
    """They are installed offline into the cluster's folder, run from there, and go with the cluster."""
    archive = edited(bundle, ops)
    ops.environment |= {"PIP_INDEX_URL": "http://127.0.0.1:9/", "PIP_NO_CACHE_DIR": "1"}
    ops.good("create", "-c", "demo", "--type", "local")
    assert "would install edited.tar.gz" in ops.good("deploy", "-c", "demo", "-t", str(archive), "--dry-run").stdout
    ops.good("deploy", "-c", "demo", "-t", str(archive))
    assert "Nothing to do" in ops.good("deploy", "-c", "demo").stderr
    ops.good("loadtest", "-c", "demo")
    program = ops.home / "demo" / "instances" / "agents" / "venv" / "bin" / "loadtest"
    assert str(program) in (ops.home / "demo" / "supervisor" / "programs" / "loadtest-0.conf").read_text()
    kept = json.loads((ops.home / "demo" / "results" / "loadtestconfig.json").read_text())
    assert kept["UserEntitiesConfiguration"]["TestLengthMinutes"] == LENGTH_MINUTES
    assert ops.status("demo")["run"]["exit_codes"] == [0]

    ops.good("deploy", "-c", "demo", "-t", "installed")
    assert ops.state("demo")["configuration"] is None
    ops.good("delete", "-c", "demo", "--yes")
    assert (list(ops.home.iterdir()), ops.processes()) == ([], [])


def test_a_bundle_that_cannot_be_installed_leaves_the_cluster_to_be_deployed_again(ops: Ops, bundle: Path) -> None:
    """What its installer says is told; the same command with a good one goes on."""
    subprocess.run(["tar", "-xzf", bundle], cwd=ops.folder, check=True)
    top = ops.folder / "mattermost-load-test"
    for wheel in (top / "wheels").glob("aiohttp-*.whl"):
        wheel.unlink()
    subprocess.run(["tar", "-czf", "lacking.tar.gz", top.name], cwd=ops.folder, check=True)
    ops.environment |= {"PIP_INDEX_URL": "http://127.0.0.1:9/", "PIP_NO_CACHE_DIR": "1"}
    ops.good("create", "-c", "demo", "--type", "local")
    failed = ops.run("deploy", "-c", "demo", "-t", "lacking.tar.gz")
    assert failed.code == 1
    assert "lacking.tar.gz could not be installed (exit code 1)" in failed.stderr
    assert "aiohttp" in failed.stderr
    ops.good("deploy", "-c", "demo", "-t", str(bundle))
    assert ops.status("demo")["well"]
