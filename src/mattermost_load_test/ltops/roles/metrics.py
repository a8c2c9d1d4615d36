"""Prometheus: what it scrapes, and Grafana on top of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from mattermost_load_test.ltops.roles.rendering import render

SCRAPE_INTERVAL_S = 10
"""As in the original tool."""


def prometheus_configuration(cluster: str, jobs: Mapping[str, Mapping[str, str]], rules: Sequence[Path]) -> str:
    """Return prometheus.yml: of each job the addresses by instance, a job without any left out; files of rules."""
    wanted = {job: targets for job, targets in jobs.items() if targets}
    return render("prometheus.yml.j2", cluster=cluster, interval_s=SCRAPE_INTERVAL_S, jobs=wanted, rules=rules)


@dataclass(frozen=True, slots=True)
class Grafana:
    """What Grafana is told: where it listens and keeps its files, its admin's password, where Prometheus is.

    `dashboards` is the folder of dashboards to show, `provisioning` where its own settings lie, below `directory` if
    nothing else is said.
    """

    host: str
    port: int
    directory: Path
    password: SecretStr
    prometheus_url: str
    dashboards: Path
    provisioning: Path | None = None

    def environment(self) -> dict[str, str]:
        """Return Grafana's settings as variables (Grafana documentation, "Override configuration settings")."""
        return {
            "GF_SERVER_HTTP_ADDR": self.host,
            "GF_SERVER_HTTP_PORT": str(self.port),
            "GF_PATHS_DATA": str(self.directory / "data"),
            "GF_PATHS_LOGS": str(self.directory / "logs"),
            "GF_PATHS_PLUGINS": str(self.directory / "plugins"),
            "GF_PATHS_PROVISIONING": str(self._provisioning()),
            "GF_SECURITY_ADMIN_PASSWORD": self.password.get_secret_value(),
            "GF_USERS_ALLOW_SIGN_UP": "false",  # which was allowed before Grafana 9
            "GF_AUTH_ANONYMOUS_ENABLED": "false",
            "GF_SNAPSHOTS_EXTERNAL_ENABLED": "false",
            "GF_ANALYTICS_REPORTING_ENABLED": "false",
            "GF_ANALYTICS_CHECK_FOR_UPDATES": "false",
            "GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES": "false",
            "GF_NEWS_NEWS_FEED_ENABLED": "false",
            "GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH": str(self.dashboards / "overview.json"),
        }

    def files(self) -> dict[Path, str]:
        """Return what is provisioned: the data source and the dashboards."""
        provisioning = self._provisioning()
        source = render("grafana-datasource.yml.j2", prometheus_url=self.prometheus_url, interval_s=SCRAPE_INTERVAL_S)
        shown = render("grafana-dashboards.yml.j2", directory=self.dashboards)
        return {
            provisioning / "datasources" / "prometheus.yml": source,
            provisioning / "dashboards" / "mattermost.yml": shown,
        }

    def _provisioning(self) -> Path:
        return self.provisioning or self.directory / "provisioning"
