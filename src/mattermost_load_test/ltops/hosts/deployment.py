"""`deploy` on hosts: the stages that bring them from whatever they are to what they are to be, all side by side."""

from __future__ import annotations

import os
import secrets
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial

from pydantic import SecretStr

from mattermost_load_test.config import ConnectionConfiguration, current_folder, load
from mattermost_load_test.errors import ArtifactError, ServerError
from mattermost_load_test.ltops.cluster import Instance
from mattermost_load_test.ltops.configuring import ConfigurationOrder, file_of
from mattermost_load_test.ltops.database_shell import driver_of
from mattermost_load_test.ltops.health import answers, is_licensed, wait_until_up
from mattermost_load_test.ltops.hosts import planning
from mattermost_load_test.ltops.hosts.admin import admin_exists, make_admin
from mattermost_load_test.ltops.hosts.connections import Connections, side_by_side
from mattermost_load_test.ltops.hosts.database import connections_allowed, data_source
from mattermost_load_test.ltops.hosts.deployed import Deployed
from mattermost_load_test.ltops.hosts.fleet import Fleet, Host
from mattermost_load_test.ltops.hosts.installing import install, reboot
from mattermost_load_test.ltops.hosts.ordering import check_there, wanted
from mattermost_load_test.ltops.hosts.survey import Facts, survey
from mattermost_load_test.ltops.progress import Progress
from mattermost_load_test.ltops.providers.base import DeployOrder
from mattermost_load_test.ltops.roles import agent_host, app_host, metrics_host
from mattermost_load_test.ltops.roles.mattermost import profiles_url
from mattermost_load_test.ltops.roles.parts import Part
from mattermost_load_test.ltops.ssh.connection import UP_S, HostUnreachableError
from mattermost_load_test.ltops.steps import Stage, Step, Tell
from mattermost_load_test.ltops.store import Cluster

SITE_S = 60.0
_NAMED_BY = {"agent": "-t", "grafana": "LTOPS_URL_GRAFANA"}
"""What names the archive of a part again; -m for all others."""


def deployment_stages(cluster: Cluster, fleet: Fleet, order: DeployOrder, progress: Progress) -> Iterator[Stage]:
    """Return the stages that deploy on the hosts of a fleet; the cluster's state says then what is to be there.

    Raises `UsageError`, `ArtifactError` or `DownloadError` for an order that cannot be taken, before any host is asked.
    Taking the stages raises `HostError` for a host that has another key than it is known by.
    """
    return _Deployment(cluster, fleet, wanted(cluster, fleet, order, progress), order, progress).stages()


class _Deployment:
    """One deployment."""

    def __init__(self, cluster: Cluster, fleet: Fleet, what: Deployed, order: DeployOrder, progress: Progress) -> None:
        self._cluster = cluster
        self._fleet = fleet
        self._what = what
        self._progress = progress
        self._connections = Connections(fleet, progress.command)
        self._facts: dict[str, Facts] = {}
        if order.data_source is not None:
            cluster.state.data_source, cluster.state.driver = order.data_source, driver_of(order.data_source)
        if cluster.state.configuration is not None and not cluster.state.configuration.is_file():
            cluster.state.configuration = None  # it is written again
        self._admin()  # what is wrong with a configuration is said before anything is done
        self._up_s = UP_S if order.host_timeout_s is None else order.host_timeout_s

    def stages(self) -> Iterator[Stage]:
        """Yield the stages; before each, all hosts are looked at."""
        try:
            yield from self._stages()
        finally:
            self._connections.close()

    def _stages(self) -> Iterator[Stage]:
        fleet = self._fleet
        yield self._waiting()
        self._ask_database()
        self._settle()
        plan = planning.plan(fleet, self._what, self._cluster.state.site_url, self._cluster.state.grafana_password)
        self._survey(plan)
        self._check_pythons()
        yield [self._kept_step(), *self._steps(plan.first)]
        self._survey(plan)
        yield [self._reboot_step(host) for host in fleet.hosts]
        self._survey(plan)
        yield self._steps(plan.installed)
        apps = [host.name for host in fleet.of_role("app")]
        others = [name for name in plan.started if name not in apps]
        for names in (apps[:1] + others, apps[1:]):
            self._survey(plan)
            yield self._steps({name: plan.started[name] for name in names})
        if apps:
            yield [self._site_step()]
            self._check_license()

    def _waiting(self) -> Stage:
        """Return the steps that wait for the hosts that do not let us in yet."""
        errors = side_by_side(self._fleet.hosts, self._refusal)
        down = {host.name: error for host, error in zip(self._fleet.hosts, errors, strict=True) if error is not None}
        if down:
            hints = dict.fromkeys(f"; {error.hint}" for error in down.values() if error.hint)
            self._progress.say(f"Waiting for {', '.join(down)} to let us in{''.join(hints)}")
        return [self._wait_step(host) for host in self._fleet.hosts if host.name in down]

    def _refusal(self, host: Host) -> HostUnreachableError | None:
        """Return why a host does not let us in yet."""
        try:
            self._connections.to(host).transport()
        except HostUnreachableError as error:
            return error
        return None

    def _wait_step(self, host: Host) -> Step:
        def do(tell: Tell) -> None:
            left = threading.Event()
            with self._progress.interruptible(left.set):
                self._connections.to(host).wait_until_up(tell, self._up_s, left)

        return Step(host.name, f"wait until it lets us in, {self._up_s:g} s at most (--host-timeout)", do)

    def _survey(self, plan: planning.Plan) -> None:
        """Look at all hosts."""
        pythons = self._what.bundle.pythons if self._what.bundle else ()

        def look(host: Host) -> Facts:
            return survey(self._connections.to(host), plan.of(host), pythons)

        found = side_by_side(self._fleet.hosts, look)
        self._facts = {host.name: facts for host, facts in zip(self._fleet.hosts, found, strict=True)}

    def _ask_database(self) -> None:
        """Find out how many connections the database allows, unless that is known."""
        database, apps = self._fleet.database, self._fleet.of_role("app")
        if database is None or not apps:
            return
        if not self._what.connections or self._what.database_address != database.address:
            self._what.connections = connections_allowed(database, self._connections.to(apps[0]))
            self._what.database_address = database.address

    def _settle(self) -> None:
        """Put into the cluster's state what there is to be."""
        state, fleet = self._cluster.state, self._fleet
        state.instances = instances(fleet, licensed=self._what.license is not None)
        state.site_url = planning.site_url_of(fleet)
        if fleet.database is not None:
            state.driver, state.data_source = fleet.database.driver, data_source(fleet.database)
        metrics = fleet.of_role("metrics")
        state.metrics_url = f"http://{metrics[0].private_address}:{metrics_host.PROMETHEUS_PORT}" if metrics else ""
        state.grafana_url = ""
        if metrics and self._what.grafana is not None:
            state.grafana_url = f"http://{metrics[0].private_address}:{metrics_host.GRAFANA_PORT}"
            state.grafana_password = state.grafana_password or SecretStr(secrets.token_urlsafe(16))
        state.missing = planning.missing(fleet, self._what)

    def _check_pythons(self) -> None:
        """Raise `ArtifactError` when a host's Python is none that the bundle is for."""
        bundle = self._what.bundle
        assert bundle is not None  # `wanted` saw to it
        for host in self._fleet.of_role("loadtest"):
            has = self._facts[host.name].pythons
            if has and not has & set(bundle.pythons):
                raise ArtifactError(
                    f"{bundle.path} is for Python {', '.join(bundle.pythons)}, and {host.name} has "
                    f"{', '.join(sorted(has))}: make one for it by `make package PYTHONS={max(has)}`"
                )

    def _kept_step(self) -> Step:
        """Return the step that remembers here what is to be there."""
        directory, state = self._cluster.directory, self._cluster.state
        configuration = self._what.configuration_in(directory)

        def do(tell: Tell) -> None:
            self._what.keep(directory)
            state.configuration = configuration

        def is_pending() -> bool:
            return Deployed.of(directory) != self._what or state.configuration != configuration

        return Step(self._cluster.name, "note what is deployed", do, is_pending)

    def _steps(self, parts: Mapping[str, Part]) -> Sequence[Step]:
        """Return the steps that put parts into place, by host's name."""
        hosts = {host.name: host for host in self._fleet.hosts}
        return [self._step(hosts[name], part) for name, part in parts.items()]

    def _step(self, host: Host, part: Part) -> Step:
        def do(tell: Tell) -> None:
            if part.archive is not None:
                check_there(part.archive.path, part.name, _NAMED_BY.get(part.name, "-m"))
            install(self._connections.to(host), part, tell)

        return Step(host.name, part.what, do, lambda: not self._facts[host.name].has(part))

    def _reboot_step(self, host: Host) -> Step:
        """Return the step that starts a host anew, where what was installed wants that."""
        do = partial(reboot, self._connections.to(host), up_s=self._up_s)
        return Step(host.name, "start it anew", do, lambda: self._facts[host.name].wants_reboot)

    def _admin(self) -> ConnectionConfiguration:
        """Return the account that is to be system admin: that of the configuration that a run would find."""
        order = ConfigurationOrder(None, (), os.environ, current_folder())
        path = file_of(self._cluster.state, order)
        return load(path, order.environ, order.cwd).configuration.connection

    def _check_license(self) -> None:
        """Note it where the servers do not take the licence that they were given."""
        state = self._cluster.state
        with suppress(ServerError):  # where they do not answer, others say so
            if self._what.license is not None and not is_licensed(state.site_url):
                state.missing.append(planning.LICENSE_NOT_TAKEN.format(name=state.name))

    def _site_step(self) -> Step:
        """Return the step that waits for the site and makes its admin."""
        url = self._cluster.state.site_url

        def do(tell: Tell) -> None:
            wait_until_up(url, SITE_S, lambda: None)
            make_admin(url, self._admin(), self._cluster.name)

        def is_pending() -> bool:
            return not (answers(url) and admin_exists(url, self._admin()))

        return Step("site", f"wait for {url} and its admin", do, is_pending)


def instances(fleet: Fleet, *, licensed: bool = False) -> list[Instance]:
    """Return a fleet as the cluster's state has it: apps, proxies, databases, metrics, agents."""
    found = [_instance(host, licensed) for role in ("app", "proxy") for host in fleet.of_role(role)]
    if (database := fleet.database) is not None:
        addresses = [database.address, *[database.reader_address] * database.readers]
        found += [
            Instance(role="db", index=index, address=f"{address}:{database.port}")
            for index, address in enumerate(addresses)
        ]
    return [*found, *(_instance(host, licensed) for role in ("metrics", "loadtest") for host in fleet.of_role(role))]


def _instance(host: Host, licensed: bool) -> Instance:
    """Return a host as an instance: its `url` is what the other hosts call it by."""
    url = {
        "app": f"http://{host.private_address}:{app_host.PORT}",
        "proxy": f"http://{host.private_address}",
        "metrics": f"http://{host.private_address}:{metrics_host.PROMETHEUS_PORT}",
    }.get(host.role, "")
    profiles = profiles_url(app_host.metrics_address(host.private_address)) if licensed and host.role == "app" else ""
    metrics = f"http://{agent_host.metrics_address(host.private_address)}/metrics" if host.role == "loadtest" else ""
    return Instance(
        role=host.role, index=host.index, address=host.address, url=url, profiles_url=profiles, metrics_url=metrics
    )
