"""What stands around the servers: there where it is installed, named where it is not."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import Any

import pytest
import requests

Ops = Any
"""An `Ops` of the conftest beside."""

Needs = Any
"""Its `Needs`."""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

GRAFANA = f"""#!{sys.executable}
import http.server, os, sys
from pathlib import Path
assert Path(sys.argv[sys.argv.index("--homepath") + 1], "conf", "defaults.ini").is_file()
assert Path(os.environ["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]).is_file()
assert (os.environ["GF_USERS_ALLOW_SIGN_UP"], os.environ["GF_AUTH_ANONYMOUS_ENABLED"]) == ("false", "false")
address = os.environ["GF_SERVER_HTTP_ADDR"], int(os.environ["GF_SERVER_HTTP_PORT"])
assert os.environ["GF_SECURITY_ADMIN_PASSWORD"]
http.server.HTTPServer(address, http.server.SimpleHTTPRequestHandler).serve_forever()
"""
"""Grafana is in no package registry: a stand-in, laid out like its archive, shows how it is started, what it finds."""


def test_what_is_not_installed_is_named(ops: Ops) -> None:
    """Without any of it a cluster works all the same, and `status` says how to get what is missing."""
    ops.environment["PATH"] = "/nowhere"
    ops.good("create", "-c", "bare", "--type", "local")
    told = ops.good("deploy", "-c", "bare").stderr
    shown = ops.good("status", "-c", "bare").stdout
    for word in ("prometheus, then deploy", "prometheus-node-exporter", "https://grafana.com"):
        assert word in told
        assert word in shown
    assert ops.status("bare")["well"]


def test_grafana_is_started_where_it_is_installed(ops: Ops, needs: Needs) -> None:
    """It finds Prometheus provisioned, its password is generated, masked, and in no command line."""
    needs(prometheus="prometheus")
    programs = ops.folder / "grafana" / "bin"
    programs.mkdir(parents=True)
    (programs.parent / "conf").mkdir()
    (programs.parent / "conf" / "defaults.ini").touch()
    (programs / "grafana-server").write_text(GRAFANA)
    (programs / "grafana-server").chmod(0o755)
    ops.environment["PATH"] = f"{programs}:{os.environ['PATH']}"
    ops.good("create", "-c", "drawn", "--type", "local")
    ops.good("deploy", "-c", "drawn")
    found = ops.status("drawn")
    assert found["grafana_url"].startswith("http://127.0.0.1:")
    assert not [line for line in found["missing"] if "Grafana" in line]
    source = Path(ops.home, "drawn/instances/metrics-0/grafana/provisioning/datasources/prometheus.yml").read_text()
    assert f"url: {found['metrics_url']}" in source
    (shown,) = Path(ops.home, "drawn/instances/metrics-0/grafana/provisioning/dashboards").iterdir()
    (folder,) = re.findall(r"path: (.*)", shown.read_text())
    assert list(Path(folder).glob("*.json"))
    assert "loadtest-recording" in requests.get(f"{found['metrics_url']}/api/v1/rules", timeout=10).text
    password = found["grafana_password"]
    assert len(password) > 16
    assert password not in ops.good("status").stdout
    assert not [process for process in ops.processes() if password in " ".join(process.cmdline())]
    assert "Nothing to do" in ops.good("deploy", "-c", "drawn").stderr
