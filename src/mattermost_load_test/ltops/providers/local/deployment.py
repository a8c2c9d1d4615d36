"""What `deploy` does on this machine: which instances there are to be, and the stages that bring them about."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from pydantic import SecretStr

from mattermost_load_test.errors import UsageError
from mattermost_load_test.ltops.artifacts.archives import Bundle, MattermostArchive
from mattermost_load_test.ltops.artifacts.bringing import bring_bundle, bring_mattermost
from mattermost_load_test.ltops.artifacts.licenses import read_license
from mattermost_load_test.ltops.cluster import Instance
from mattermost_load_test.ltops.database_shell import driver_of
from mattermost_load_test.ltops.digests import digest_of
from mattermost_load_test.ltops.progress import Progress
from mattermost_load_test.ltops.providers.base import DeployOrder
from mattermost_load_test.ltops.providers.local import surroundings
from mattermost_load_test.ltops.providers.local.apps import (
    EMBEDDED,
    RealApp,
    app_instance,
    embedded_step,
)
from mattermost_load_test.ltops.providers.local.bundle import INSTALLED_WORD, LocalBundle
from mattermost_load_test.ltops.providers.local.database import CONNECTIONS_MAX, LocalDatabase
from mattermost_load_test.ltops.providers.local.layout import HOST, LocalDetails, LocalOptions, folder, write_private
from mattermost_load_test.ltops.roles.mattermost import (
    GOSSIP_PORT,
    NO_SHARED_EVENTS,
    STREAMING_PORT,
    AppSettings,
    profiles_url,
)
from mattermost_load_test.ltops.steps import Stage, Step, Tell
from mattermost_load_test.ltops.store import Cluster
from mattermost_load_test.ltops.supervision import Supervisor

EMBEDDED_WORD = "embedded"
"""What `-m` takes for the embedded Mattermost."""

CONNECTIONS_SPARE = 20
NO_METRICS = "a licence (deploy -l): without one Mattermost tells no metrics of its own"


class Deployment:
    """One deployment of a local cluster; made before anything is done, it raises what is wrong with its order."""

    def __init__(self, cluster: Cluster, order: DeployOrder, supervisor: Supervisor, progress: Progress) -> None:
        self._cluster = cluster
        self._supervisor = supervisor
        self._options = LocalOptions.model_validate(cluster.state.options)
        self._details = LocalDetails.of(cluster)
        given = None if order.license is None else read_license(order.license)
        self._check(order)
        self._archive = self._chosen_archive(order, progress)
        self._license = self._chosen_license(given)
        self._bundle = self._chosen_bundle(order, progress)
        self._take_data_source(order)
        self._database = LocalDatabase(cluster, self._details) if self._wants_database() else None
        self._settle()

    def stages(self) -> Iterator[Stage]:
        """Yield database, servers, then what stands before and around them."""
        yield [
            self._leftovers_step(),
            *([self._license_step()] if self._license else []),
            *([LocalBundle(self._cluster.directory).step(self._bundle)] if self._bundle is not None else []),
        ]
        if self._database is not None:
            yield [self._database.step(self._supervisor)]
        apps = self._cluster.state.of_role("app")
        if self._archive is not None:
            real = [self._real(app) for app in apps]
            digest = digest_of(self._archive.path)
            yield [app.unpack_step(self._archive, digest, self._supervisor) for app in real]
            yield [real[0].start_step(self._supervisor)]  # it makes the tables, the others find them
            yield [app.start_step(self._supervisor) for app in real[1:]]
        elif apps:
            yield [embedded_step(self._cluster, self._supervisor, apps)]
        yield list(self._around(apps))

    def _check(self, order: DeployOrder) -> None:
        real = order.mattermost not in (None, EMBEDDED_WORD) or (order.mattermost is None and self._details.archive)
        if order.mattermost is not None and not self._options.app_count:
            raise UsageError("-m means nothing here: the servers of this cluster are those of its --server-url")
        if order.license is not None and not real:
            raise UsageError("-l means nothing for the embedded Mattermost")
        if order.data_source is not None and not real and self._options.app_count:
            raise UsageError("--data-source means nothing for the embedded Mattermost: its data are in memory")

    def _chosen_archive(self, order: DeployOrder, progress: Progress) -> MattermostArchive | None:
        """Return the archive to deploy, None for the embedded server; without an order, what is deployed stays."""
        reference = order.mattermost or self._details.archive
        if reference in ("", EMBEDDED_WORD):
            self._details.archive = ""
            return None
        with progress.downloading(reference) as download:
            found = bring_mattermost(reference, self._cache, os.environ, download)
        self._details.archive = str(found.path.absolute())
        return found

    def _chosen_bundle(self, order: DeployOrder, progress: Progress) -> Bundle | None:
        """Return the bundle that agents come from, None for this installation's; without an order likewise."""
        reference = order.loadtests or self._details.bundle
        if reference in ("", INSTALLED_WORD):
            self._details.bundle = ""
            return None
        with progress.downloading(reference) as download:
            found = bring_bundle(reference, self._cache, os.environ, download)
        self._details.bundle = str(found.path.absolute())
        return found

    @property
    def _cache(self) -> Path:
        """Where downloads are kept, for all clusters."""
        return self._cluster.directory.parent / ".downloads"

    def _chosen_license(self, given: bytes | None) -> bytes:
        """Return the licence of the servers, empty without one; without an order, what is deployed stays."""
        path = self._cluster.directory / "license"
        if given is not None:
            self._details.license_file = str(path)
        elif self._details.license_file and path.is_file():
            given = path.read_bytes()
        return given if given and self._archive is not None else b""

    def _take_data_source(self, order: DeployOrder) -> None:
        """Keep a database that was named; what the embedded server stands before has none."""
        state = self._cluster.state
        if order.data_source is not None:
            state.data_source = order.data_source
            state.driver = driver_of(order.data_source)
            self._details.own_database = False
        elif self._options.app_count and self._archive is None:
            state.data_source, state.driver = SecretStr(""), ""

    def _wants_database(self) -> bool:
        """Say whether the cluster has a PostgreSQL of its own."""
        if self._archive is None:
            return False
        if not self._cluster.state.data_source.get_secret_value():
            self._details.own_database = True
        return self._details.own_database

    def _settle(self) -> None:
        """Put into the state what there is to be: instances, addresses, what is missing."""
        state, details = self._cluster.state, self._details
        proxied = self._options.app_count > 1 and surroundings.installed("nginx") is not None
        apps = [
            app_instance(index, details.port("site" if index == 0 and not proxied else f"app-{index}"))
            for index in range(self._options.app_count)
        ]
        if self._license:
            apps = [app.model_copy(update={"profiles_url": profiles_url(self._metrics_address(app))}) for app in apps]
        around = [_served("proxy", details.port("site"))] if proxied else []
        if self._database is not None:
            around.append(self._database.instance)
            state.data_source, state.driver = self._database.data_source, "postgres"
        if surroundings.installed("prometheus"):
            around.append(_served("metrics", details.port("metrics-0")))
        state.metrics_url = next((one.url for one in around if one.role == "metrics"), "")
        if state.metrics_url and surroundings.installed("grafana"):
            state.grafana_url = f"http://{HOST}:{details.port(surroundings.GRAFANA)}"
            state.grafana_password = state.grafana_password or SecretStr(secrets.token_urlsafe(16))
        state.configuration = LocalBundle(self._cluster.directory).configuration if self._bundle is not None else None
        agents = [
            agent.model_copy(update={"metrics_url": f"http://{self._agent_metrics_address(agent)}/metrics"})
            for agent in state.of_role("loadtest")
        ]
        state.instances = [*apps, *around, *agents]
        state.missing = self._missing()
        details.keep(self._cluster)

    def _missing(self) -> list[str]:
        tools = ["nginx"] if self._options.app_count > 1 else []
        missing = surroundings.lacking([*tools, "prometheus", "node-exporter", "grafana"])
        if self._archive is not None and not self._license:
            missing += [NO_METRICS, *([NO_SHARED_EVENTS] if self._options.app_count > 1 else [])]
        return missing

    def _real(self, app: Instance) -> RealApp:
        """Return a real Mattermost as an app instance."""
        directory = folder(self._cluster.directory, app.name)
        clustered = self._license and self._options.app_count > 1
        settings = AppSettings(
            listen=app.address,
            site_url=self._cluster.state.site_url,
            driver=self._cluster.state.driver,
            data_source=self._cluster.state.data_source,
            file_directory=f"{folder(self._cluster.directory, 'files')}/",
            log_directory=str(directory / "logs"),
            plugin_directory=str(directory / "plugins"),
            client_plugin_directory=str(directory / "mattermost" / "client" / "plugins"),
            connections_max=(CONNECTIONS_MAX - CONNECTIONS_SPARE) // self._options.app_count,
            license_file=self._details.license_file,
            metrics_listen=self._metrics_address(app) if self._license else "",
            cluster_address=_own_loopback(app) if clustered else "",
            bind_address=_own_loopback(app) if clustered else "",
            gossip_port=self._details.port(f"{app.name}-gossip") if clustered else GOSSIP_PORT,
            streaming_port=self._details.port(f"{app.name}-streaming") if clustered else STREAMING_PORT,
        )
        return RealApp(self._cluster.directory, app, settings, self._license.decode().strip())

    def _around(self, apps: list[Instance]) -> Iterator[Step]:
        """Yield the steps for nginx, node exporter and Prometheus, each where it is installed."""
        cluster, supervisor = self._cluster, self._supervisor
        for proxy in cluster.state.of_role("proxy"):
            nginx = surroundings.installed("nginx")
            assert nginx is not None  # or there were no proxy
            yield surroundings.proxy_step(cluster, supervisor, nginx, proxy, apps)
        agents = {one.name: self._agent_metrics_address(one) for one in cluster.state.of_role("loadtest")}
        jobs = {"mattermost": self._metrics_of(apps), "loadtest": agents}
        if exporter := surroundings.installed("node-exporter"):
            port = self._details.port(surroundings.EXPORTER)
            jobs["host"] = {"this-machine": f"{HOST}:{port}"}
            yield surroundings.exporter_step(cluster, supervisor, exporter, port)
        if prometheus := surroundings.installed("prometheus"):
            port = self._details.port("metrics-0")
            yield surroundings.prometheus_step(cluster, supervisor, prometheus, port, jobs)
            if grafana := surroundings.installed("grafana"):
                port = self._details.port(surroundings.GRAFANA)
                yield surroundings.grafana_step(cluster, supervisor, grafana, port, cluster.state.metrics_url)
        self._details.keep(cluster)

    def _metrics_of(self, apps: list[Instance]) -> dict[str, str]:
        """Return where the servers tell their metrics: the embedded at its ports, a real one only with a licence."""
        if self._archive is None:
            return {app.name: app.address for app in apps}
        if not self._license:
            return {}
        return {app.name: self._metrics_address(app) for app in apps}

    def _agent_metrics_address(self, agent: Instance) -> str:
        return f"{HOST}:{self._details.port(agent.name)}"

    def _metrics_address(self, app: Instance) -> str:
        return f"{HOST}:{self._details.port(f'{app.name}-metrics')}"

    def _license_step(self) -> Step:
        """Return the step that keeps the licence in the cluster's folder."""
        path, data = Path(self._details.license_file), self._license
        return Step(
            "license",
            "put it into place",
            lambda tell: write_private(path, data),
            lambda: not (path.is_file() and path.read_bytes() == data),
        )

    def _leftovers_step(self) -> Step:
        """Return the step that ends the programs that are not wanted any more."""

        def unwanted() -> list[str]:
            wanted = {
                surroundings.EXPORTER,
                surroundings.GRAFANA,
                *(instance.name for instance in self._cluster.state.instances),
            }
            if self._archive is None:
                wanted = {name for name in wanted if not name.startswith("app-")} | {EMBEDDED}
            return sorted(self._supervisor.states().keys() - wanted) if self._supervisor.runs() else []

        def end(tell: Tell) -> None:
            for name in unwanted():
                self._supervisor.drop(name)

        return Step("processes", "end those not wanted any more", end, lambda: bool(unwanted()))


def _served(role: str, port: int) -> Instance:
    return Instance.model_validate(
        {"role": role, "index": 0, "address": f"{HOST}:{port}", "url": f"http://{HOST}:{port}"}
    )


def _own_loopback(app: Instance) -> str:
    """Return the loopback address that the other servers of a cluster know an app instance by."""
    return f"127.0.0.{1 + app.index}"
