"""Which parts belong on which host, worked out without asking any."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import SecretStr

from mattermost_load_test.ltops.hosts.database import data_source, readers, share
from mattermost_load_test.ltops.hosts.deployed import Deployed
from mattermost_load_test.ltops.hosts.fleet import Fleet, Host
from mattermost_load_test.ltops.roles import agent_host, app_host, metrics_host, proxy_host, system
from mattermost_load_test.ltops.roles.mattermost import NO_SHARED_EVENTS, AppSettings
from mattermost_load_test.ltops.roles.parts import Archive, Part
from mattermost_load_test.ltops.shipped import shipped


@dataclass(frozen=True, slots=True)
class Plan:
    """The parts of each host by its name: `first` on all of them, `installed` side by side, `started` last.

    The first app starts before the others, since it makes the tables; beside it Grafana does.
    """

    first: Mapping[str, Part]
    installed: Mapping[str, Part]
    started: Mapping[str, Part]

    def of(self, host: Host) -> list[Part]:
        """Return all parts of a host."""
        return [parts[host.name] for parts in (self.first, self.installed, self.started) if host.name in parts]


def plan(fleet: Fleet, what: Deployed, site_url: str, grafana_password: SecretStr) -> Plan:
    """Return what is to be on the hosts of a fleet."""
    first = {host.name: system.system_part(host.private_address) for host in fleet.hosts}
    installed = {host.name: _installed(fleet, host, what) for host in fleet.hosts}
    apps = fleet.of_role("app")
    started = {host.name: _started(fleet, host, what, site_url) for host in apps}
    if what.grafana is not None:
        package = Archive(what.grafana.path, what.grafana.digest)
        for host in fleet.of_role("metrics"):
            started[host.name] = metrics_host.grafana_part(
                package, host.private_address, grafana_password, shipped("dashboards")
            )
    return Plan(first, installed, started)


def site_url_of(fleet: Fleet) -> str:
    """Return where the site is, as it is reached from here."""
    if fleet.server_url is not None:
        return fleet.server_url
    proxies = fleet.of_role("proxy")
    return f"http://{proxies[0].address}" if proxies else f"http://{fleet.of_role('app')[0].address}:{app_host.PORT}"


def _installed(fleet: Fleet, host: Host, what: Deployed) -> Part:
    """Return the one part that makes a host what its role is."""
    if host.role == "app":
        assert what.release is not None  # `wanted` saw to it
        return app_host.install_part(_release(what))
    if host.role == "proxy":
        return proxy_host.proxy_part([f"{app.private_address}:{app_host.PORT}" for app in fleet.of_role("app")])
    if host.role == "loadtest":
        assert what.bundle is not None  # likewise
        bundle = what.bundle
        release = agent_host.AgentRelease(bundle.path, bundle.digest, bundle.top, bundle.version)
        return agent_host.agent_part(release, host.private_address)
    rules = shipped("dashboards") / "rules"
    return metrics_host.prometheus_part(fleet.cluster_name, host.private_address, _targets(fleet, what), rules)


def _release(what: Deployed) -> app_host.AppRelease:
    assert what.release is not None  # likewise
    release = what.release
    return app_host.AppRelease(release.path, release.digest, release.top, release.program, release.shipped)


def _started(fleet: Fleet, host: Host, what: Deployed, site_url: str) -> Part:
    """Return what runs Mattermost on an app host."""
    database = fleet.database
    assert database is not None  # hosts for apps come with one
    licensed = what.license is not None
    settings = AppSettings(
        listen=f":{app_host.PORT}",
        site_url=site_url,
        driver=database.driver,
        data_source=data_source(database),
        file_directory=f"{app_host.DATA}/files/",
        log_directory=f"{app_host.DATA}/logs",
        plugin_directory=f"{app_host.DATA}/plugins",
        client_plugin_directory=f"{app_host.CURRENT}/client/plugins",
        connections_max=share(what.connections, len(fleet.of_role("app")) * (1 + bool(database.readers))),
        license_file=app_host.LICENSE if licensed else "",
        metrics_listen=app_host.metrics_address(host.private_address) if licensed else "",
        readers=readers(database) if licensed else (),
        bucket=None if fleet.bucket is None else (fleet.bucket.name, fleet.bucket.region),
        cluster_address=host.private_address if licensed and len(fleet.of_role("app")) > 1 else "",
        local_mode=True,
        at_rest_key=what.at_rest_key,
        public_link_salt=what.public_link_salt,
    )
    license_data = None if what.license is None else what.license.get_secret_value().encode()
    return app_host.run_part(_release(what), settings, license_data, host.private_address)


def _targets(fleet: Fleet, what: Deployed) -> dict[str, dict[str, str]]:
    """Return what Prometheus scrapes: servers only with a licence, without which they tell nothing."""
    apps: Sequence[Host] = fleet.of_role("app") if what.license is not None else ()
    return {
        "mattermost": _addresses(apps, app_host.METRICS_PORT),
        "loadtest": _addresses(fleet.of_role("loadtest"), agent_host.METRICS_PORT),
        "host": _addresses(fleet.hosts, system.NODE_EXPORTER_PORT),
    }


def _addresses(hosts: Sequence[Host], port: int) -> dict[str, str]:
    return {host.name: f"{host.private_address}:{port}" for host in hosts}


def missing(fleet: Fleet, what: Deployed) -> list[str]:
    """Return in sentences what these servers lack."""
    lacking = []
    if what.grafana is None:
        lacking.append(NO_GRAFANA)
    several = len(fleet.of_role("app")) > 1
    if several and fleet.bucket is None:
        lacking.append(NO_SHARED_FILES)
    if not fleet.of_role("app") or what.license is not None:
        return lacking
    lacking.append(
        "a licence (deploy -l): without one Mattermost tells no metrics of its own and does not read from replicas"
    )
    if several:
        lacking.append(NO_SHARED_EVENTS)
    return lacking


NO_GRAFANA = (
    "Grafana, which draws metrics: its package could not be downloaded here; deploy again when it can, or name a copy "
    "of it (grafana_….deb of https://grafana.com/grafana/download) by LTOPS_URL_GRAFANA"
)
LICENSE_NOT_TAKEN = (
    "a licence that these servers take: the one deployed has expired, or is not signed by Mattermost; "
    "`ltops ssh app -c {name} -- sudo journalctl -u mattermost` shows what they say of it, deploy -l names another"
)
NO_SHARED_FILES = (
    "a bucket for files: each server keeps those that were uploaded to it, and the others answer that there is no such "
    "file, so that nothing can be imported either (BulkLoadMethod database goes past that); the module of the cluster "
    "makes none (docs/terraform.md, outputs)"
)
