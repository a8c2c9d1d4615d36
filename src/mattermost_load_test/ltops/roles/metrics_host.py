"""Prometheus and Grafana on a host of their own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pydantic import SecretStr

from mattermost_load_test.ltops.roles.metrics import Grafana, prometheus_configuration
from mattermost_load_test.ltops.roles.parts import APT, HOME, UNITS, Archive, Part, unit_file
from mattermost_load_test.ltops.roles.rendering import render
from mattermost_load_test.ltops.ssh.uploads import RemoteFile

PROMETHEUS_PORT = 9090
GRAFANA_PORT = 3000
PROMETHEUS_UNIT = "mattermost-prometheus.service"
PROMETHEUS_STATE = "/var/lib/mattermost-prometheus"
GRAFANA_UNIT = "grafana-server.service"
_DASHBOARDS = f"{HOME}/dashboards"
_RULES = f"{HOME}/rules"
_PACKAGE = "/var/lib/ltops/grafana.deb"  # apt wants the suffix
_GRAFANA_STATE = Path("/var/lib/grafana")


def prometheus_part(cluster: str, private_address: str, jobs: Mapping[str, Mapping[str, str]], rules: Path) -> Part:
    """Return Prometheus with these targets, by job and instance; `rules` is the folder of those that come along."""
    files = {path.name: path.read_bytes() for path in sorted(rules.glob("*.yml"))}
    configuration = prometheus_configuration(cluster, jobs, [Path(_RULES) / name for name in files])
    unit = render(
        "prometheus.service.j2",
        configuration=f"{HOME}/prometheus.yml",
        state=PROMETHEUS_STATE,
        listen=f"{private_address}:{PROMETHEUS_PORT}",
    )
    return Part(
        name="prometheus",
        what="start Prometheus",
        masked=("prometheus.service",),
        packages=("prometheus",),
        files=(
            RemoteFile(f"{HOME}/prometheus.yml", configuration.encode()),
            *(RemoteFile(f"{_RULES}/{name}", text) for name, text in files.items()),
            unit_file(PROMETHEUS_UNIT, unit),
        ),
        units=(PROMETHEUS_UNIT,),
        ports=((private_address, PROMETHEUS_PORT),),
    )


def grafana_part(package: Archive, private_address: str, password: SecretStr, dashboards: Path) -> Part:
    """Return Grafana, from its package, on the metrics, with the dashboards that come along."""
    grafana = Grafana(
        private_address,
        GRAFANA_PORT,
        _GRAFANA_STATE,
        password,
        f"http://{private_address}:{PROMETHEUS_PORT}",
        Path(_DASHBOARDS),
        provisioning=Path(HOME) / "grafana",
    )
    environment = "".join(f"{name}={value}\n" for name, value in grafana.environment().items())
    drop_in = f"[Service]\nEnvironmentFile={HOME}/grafana.env\n"
    return Part(
        name="grafana",
        what="start Grafana",
        archive=package,
        commands=(f'ln -f "$archive" {_PACKAGE}', f"{APT} install --no-install-recommends {_PACKAGE} </dev/null"),
        files=(
            RemoteFile(f"{HOME}/grafana.env", environment.encode(), 0o600),
            RemoteFile(f"{UNITS}/{GRAFANA_UNIT}.d/mattermost-load-test.conf", drop_in.encode()),
            *(RemoteFile(str(path), text.encode()) for path, text in grafana.files().items()),
            *(
                RemoteFile(f"{_DASHBOARDS}/{path.name}", path.read_bytes())
                for path in sorted(dashboards.glob("*.json"))
            ),
        ),
        units=(GRAFANA_UNIT,),
        ports=((private_address, GRAFANA_PORT),),
        start_s=120.0,
    )
