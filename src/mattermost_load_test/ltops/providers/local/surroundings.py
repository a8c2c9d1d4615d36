"""What stands around the servers of a local cluster where it is installed: nginx, Prometheus, Grafana."""

from __future__ import annotations

import os
import pwd
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from mattermost_load_test.ltops.cluster import Instance
from mattermost_load_test.ltops.providers.local.apps import port_of
from mattermost_load_test.ltops.providers.local.layout import HOST, folder, made, need_free, write_private
from mattermost_load_test.ltops.providers.local.listening import wait_until_listening
from mattermost_load_test.ltops.roles.metrics import Grafana, prometheus_configuration
from mattermost_load_test.ltops.roles.proxy import Proxy
from mattermost_load_test.ltops.shipped import shipped
from mattermost_load_test.ltops.steps import Step, Tell
from mattermost_load_test.ltops.store import Cluster
from mattermost_load_test.ltops.supervision import MARK, Program, Supervisor

EXPORTER = "node-exporter"
PROMETHEUS = "metrics-0"
PROXY = "proxy-0"
GRAFANA = "grafana"
GRAFANA_HOME = "/usr/share/grafana"
"""Where Grafana's packages put what it serves."""

DASHBOARDS = shipped("dashboards")
RULES = ("recording.yml", "alerts.yml")

_HOW = {
    "nginx": "nginx, which shares requests out between app instances: apt-get install nginx-light, then deploy again",
    "prometheus": "Prometheus, which keeps metrics: apt-get install prometheus, then deploy again",
    "grafana": "Grafana, which draws metrics: https://grafana.com/grafana/download, then deploy again",
    "node-exporter": "node exporter, which measures this host: apt-get install prometheus-node-exporter, deploy again",
}
_PROGRAMS = {
    "nginx": ("nginx",),
    "prometheus": ("prometheus",),
    "node-exporter": ("prometheus-node-exporter", "node_exporter"),
    "grafana": ("grafana-server", "grafana"),
}


def installed(tool: str) -> str | None:
    """Return the program of a tool, None if it is not on this machine."""
    path = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin:/usr/local/sbin"
    return next((found for name in _PROGRAMS[tool] if (found := shutil.which(name, path=path))), None)


def lacking(tools: Sequence[str]) -> list[str]:
    """Return what is not on this machine, and how to get it."""
    return [_HOW[tool] for tool in tools if installed(tool) is None]


def proxy_step(
    cluster: Cluster, supervisor: Supervisor, program: str, proxy: Instance, apps: Sequence[Instance]
) -> Step:
    """Return the step that starts nginx before the app instances."""
    directory = folder(cluster.directory, PROXY)
    root = os.geteuid() == 0
    configuration = Proxy(
        proxy.address,
        [app.address for app in apps],
        directory,
        account=pwd.getpwuid(0).pw_name if root else "",  # else its workers could not reach the folder
        connections=16_384,
        open_files=40_000,
        foreground=True,
    ).configuration()
    command = [program, "-p", str(directory), "-c", str(directory / "nginx.conf"), "-e", "stderr"]
    wanted = Program(PROXY, command, directory, directory / "nginx.log", {MARK: str(cluster.directory)}, restart=True)
    return _step(supervisor, wanted, "start nginx", {directory / "nginx.conf": configuration}, {port_of(proxy): PROXY})


def exporter_step(cluster: Cluster, supervisor: Supervisor, program: str, port: int) -> Step:
    """Return the step that starts node exporter."""
    directory = folder(cluster.directory, PROMETHEUS)
    command = [program, f"--web.listen-address={HOST}:{port}"]
    log = directory / "node-exporter.log"
    wanted = Program(EXPORTER, command, directory, log, {MARK: str(cluster.directory)}, restart=True)
    return _step(supervisor, wanted, "start it", {}, {port: EXPORTER})


def prometheus_step(
    cluster: Cluster, supervisor: Supervisor, program: str, port: int, jobs: Mapping[str, Mapping[str, str]]
) -> Step:
    """Return the step that starts Prometheus with these targets."""
    directory = folder(cluster.directory, PROMETHEUS)
    configuration = directory / "prometheus.yml"
    command = [
        program,
        f"--config.file={configuration}",
        f"--storage.tsdb.path={directory / 'data'}",
        f"--web.listen-address={HOST}:{port}",
    ]
    log = directory / "prometheus.log"
    wanted = Program(PROMETHEUS, command, directory, log, {MARK: str(cluster.directory)}, restart=True)
    files = {
        configuration: prometheus_configuration(cluster.name, jobs, [DASHBOARDS / "rules" / name for name in RULES])
    }
    return _step(supervisor, wanted, "start Prometheus", files, {port: PROMETHEUS})


def grafana_step(cluster: Cluster, supervisor: Supervisor, program: str, port: int, prometheus_url: str) -> Step:
    """Return the step that starts Grafana on the metrics, with the dashboards that come along."""
    directory = folder(cluster.directory, PROMETHEUS) / GRAFANA
    grafana = Grafana(HOST, port, directory, cluster.state.grafana_password, prometheus_url, DASHBOARDS)
    command = [program, *(["server"] if Path(program).name == "grafana" else []), "--homepath", _grafana_home(program)]
    environment = {MARK: str(cluster.directory), **grafana.environment()}
    wanted = Program(GRAFANA, command, directory, directory / "grafana.log", environment, restart=True)
    return _step(supervisor, wanted, "start it", grafana.files(), {port: GRAFANA})


def _grafana_home(program: str) -> str:
    """Return where Grafana's own files are: around a program out of its archive, else where its packages put them."""
    around = Path(program).resolve().parents[1]
    return str(around) if (around / "conf" / "defaults.ini").is_file() else GRAFANA_HOME


def _step(
    supervisor: Supervisor, program: Program, what: str, files: Mapping[Path, str], ports: Mapping[int, str]
) -> Step:
    """Return the step that writes files and starts the program that reads them, when either is not as it should be."""

    def start(tell: Tell) -> None:
        made(program.directory)
        supervisor.drop(program.name)
        for port, name in ports.items():
            need_free(port, name)
        for path, text in files.items():
            made(path.parent)
            write_private(path, text.encode())
        supervisor.replace(program)
        for port in ports:
            wait_until_listening(port, supervisor, program)

    def is_pending() -> bool:
        written = all(path.is_file() and path.read_text() == text for path, text in files.items())
        return not (written and supervisor.runs() and supervisor.is_current(program))

    return Step(program.name, what, start, is_pending)
