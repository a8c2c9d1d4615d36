"""The local kind of cluster: what `create`, `deploy` and the other commands do on this machine."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

from mattermost_load_test.errors import OperationError, UsageError
from mattermost_load_test.ltops.cluster import Instance
from mattermost_load_test.ltops.health import answers, wait_until_up
from mattermost_load_test.ltops.progress import Progress
from mattermost_load_test.ltops.providers.base import Agents, DeployOrder
from mattermost_load_test.ltops.providers.local import apps
from mattermost_load_test.ltops.providers.local.agents import LOADTEST, LocalAgents
from mattermost_load_test.ltops.providers.local.bundle import LocalBundle
from mattermost_load_test.ltops.providers.local.collecting import collect_instance
from mattermost_load_test.ltops.providers.local.database import remove_data
from mattermost_load_test.ltops.providers.local.deployment import Deployment
from mattermost_load_test.ltops.providers.local.layout import LocalDetails, LocalOptions, folder, made, need_free
from mattermost_load_test.ltops.providers.local.programs import end_of
from mattermost_load_test.ltops.steps import Stage, Step, Tell
from mattermost_load_test.ltops.store import Cluster
from mattermost_load_test.ltops.supervision import Supervisor


class LocalProvider:
    """See `Provider`."""

    summary: ClassVar[str] = "processes on this machine"

    def check_options(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return the options of a new local cluster; raises `UsageError`."""
        return LocalOptions.of(given).model_dump()

    def create(self, cluster: Cluster, progress: Progress) -> Iterable[Stage]:
        """Yield the one stage there is: the cluster's supervisord; its ports are chosen here."""
        options, details = LocalOptions.model_validate(cluster.state.options), LocalDetails.of(cluster)
        supervisor = Supervisor(cluster.directory)
        supervisor.check_path()
        if options.port is not None:
            need_free(options.port, "the site")
            details.ports["site"] = options.port
        cluster.state.site_url = options.server_url or apps.app_instance(0, details.port("site")).url
        cluster.state.instances = [
            Instance(role="loadtest", index=index, address=f"loadtest-{index}")
            for index in range(options.loadtest_count)
        ]
        details.keep(cluster)
        yield [supervise(supervisor)]

    def deploy(self, cluster: Cluster, order: DeployOrder, progress: Progress) -> Iterator[Stage]:
        """Yield the stages that start the servers and what stands around them."""
        order.refuse(
            "local",
            values="--values",
            agent_image="--agent-image",
            force="--force",
            host_timeout_s="--host-timeout",
        )
        supervisor = Supervisor(cluster.directory)
        deployment = Deployment(cluster, order, supervisor, progress)
        yield [supervise(supervisor)]
        yield from deployment.stages()
        yield [_site(cluster)]

    def allow(self, cluster: Cluster, networks: Sequence[str], progress: Progress, *, add: bool) -> Iterable[Stage]:
        """Refuse it."""
        raise UsageError("a local cluster is reached from this machine alone")

    def left_in(self, directory: Path) -> bool:
        """Say whether a folder holds what a supervisord of ours leaves."""
        return (directory / "supervisor").is_dir()

    def delete(self, directory: Path, cluster: Cluster | None, progress: Progress) -> Iterable[Stage]:
        """Yield the stages that end every process, then remove the database's data."""
        supervisor = Supervisor(directory)

        def end(tell: Tell) -> None:
            if left := supervisor.shut_down():
                raise OperationError("; ".join(left))

        yield [Step("processes", "end them", end)]
        yield [Step("db-0", "remove its data", lambda tell: remove_data(directory), folder(directory, "db-0").is_dir)]

    def faults(self, cluster: Cluster) -> Mapping[str, str]:
        """Return which instances' processes do not run, and why."""
        supervisor = Supervisor(cluster.directory)
        if cluster.state.phase != "deployed":
            return {}
        try:
            states = supervisor.states()
        except OperationError:
            if supervisor.lives():
                raise
            gone = f"its process is gone: `ltops deploy -c {cluster.name}` starts all again"
            return {instance.name: gone for instance in cluster.state.instances}
        embedded = LocalDetails.of(cluster).archive == ""
        found = {}
        for instance in cluster.state.instances:
            name = apps.EMBEDDED if embedded and instance.role == "app" else instance.name
            state = states.get(name)
            if instance.role != "loadtest" and (state is None or not state.running):
                log = next(iter(folder(cluster.directory, instance.name).glob("*.log")), Path("its log"))
                found[instance.name] = end_of(state, log)
        return found

    def refresh(self, cluster: Cluster) -> None:
        """Do nothing: ports stay."""

    @contextmanager
    def site(self, cluster: Cluster) -> Iterator[str]:
        """Give its URL: it is on this machine, or where `create --server-url` said."""
        yield cluster.state.site_url

    def database_client(self, cluster: Cluster) -> None:
        """Return None: it is reached from here."""

    def agents(self, cluster: Cluster) -> Agents:
        """Return the cluster's agents."""
        count = len(cluster.state.of_role("loadtest"))
        details = LocalDetails.of(cluster)
        loadtest = LocalBundle(cluster.directory).loadtest if details.bundle else LOADTEST
        return LocalAgents(cluster.directory, Supervisor(cluster.directory), count, details.ports, loadtest)

    def attach(self, cluster: Cluster, instance: Instance, command: Sequence[str]) -> int:
        """Run a command, or a shell, in an instance's folder and environment; return its exit code."""
        argv = list(command) or [os.environ.get("SHELL", "/bin/sh")]
        program = shutil.which(argv[0])
        if program is None:
            raise UsageError(f"{argv[0]} is no command on {instance.name}; for a line of shell: -- sh -c 'LINE'")
        environment = os.environ | {"LTOPS_INSTANCE": instance.name, "LTOPS_ADDRESS": instance.address}
        where = made(folder(cluster.directory, instance.name))
        return subprocess.run(argv, executable=program, cwd=where, env=environment, check=False).returncode

    def collect(self, cluster: Cluster, instance: Instance, into: Path) -> None:
        """Copy an instance's logs and its configurations without secrets."""
        collect_instance(folder(cluster.directory, instance.name), into)

    @contextmanager
    def reach(self, cluster: Cluster, address: str, port: int = 0) -> Iterator[str]:
        """Give the address as it is: instances and this machine are one."""
        yield address


def supervise(supervisor: Supervisor) -> Step:
    """Return the step that starts the cluster's supervisord."""
    return Step("supervisor", "start it", lambda tell: supervisor.start(), lambda: not supervisor.runs())


def _site(cluster: Cluster) -> Step:
    """Return the step that waits until the site answers."""
    url = cluster.state.site_url

    def wait(tell: Tell) -> None:
        wait_until_up(url, apps.EMBEDDED_START_S, lambda: None)

    return Step("site", f"wait for {url}", wait, lambda: not answers(url))
