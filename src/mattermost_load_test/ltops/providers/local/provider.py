"""The local kind of cluster: what `create`, `deploy` and the other commands do on this machine."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from mattermost_load_test.errors import OperationError
from mattermost_load_test.ltops.cluster import Instance
from mattermost_load_test.ltops.health import answers, wait_until_up
from mattermost_load_test.ltops.progress import Progress
from mattermost_load_test.ltops.providers.base import Agents, DeployOrder
from mattermost_load_test.ltops.providers.local import apps
from mattermost_load_test.ltops.providers.local.agents import LocalAgents
from mattermost_load_test.ltops.providers.local.layout import (
    LocalDetails,
    LocalOptions,
    folder,
    made,
    need_free,
)
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
        options, details = _options(cluster), LocalDetails.of(cluster)
        supervisor = Supervisor(cluster.directory)
        supervisor.check_path()
        _choose_ports(options, details)
        details.keep(cluster)
        cluster.state.instances = [
            *apps.instances(details, options.app_count),
            *(
                Instance(role="loadtest", index=index, address=f"loadtest-{index}")
                for index in range(options.loadtest_count)
            ),
        ]
        cluster.state.site_url = options.server_url or cluster.state.instances[0].url
        yield [_supervise(supervisor)]

    def deploy(self, cluster: Cluster, order: DeployOrder, progress: Progress) -> Iterable[Stage]:
        """Yield the stages that start the servers."""
        options = _options(cluster)
        supervisor = Supervisor(cluster.directory)
        yield [_supervise(supervisor)]
        if options.app_count:
            yield [apps.embedded_step(cluster, supervisor, cluster.state.of_role("app"))]
        yield [_check_site(cluster)]

    def left_in(self, directory: Path) -> bool:
        """Say whether a folder holds what a supervisord of ours leaves."""
        return (directory / "supervisor").is_dir()

    def delete(self, directory: Path, cluster: Cluster | None, progress: Progress) -> Iterable[Stage]:
        """Yield the stage that ends every process."""
        supervisor = Supervisor(directory)

        def end(tell: Tell) -> None:
            if left := supervisor.shut_down():
                raise OperationError("; ".join(left))

        yield [Step("processes", "end them", end)]

    def faults(self, cluster: Cluster) -> Mapping[str, str]:
        """Return which instances' processes do not run."""
        supervisor = Supervisor(cluster.directory)
        instances = cluster.state.instances
        if not supervisor.runs():
            gone = f"its supervisord does not run: `ltops deploy -c {cluster.name}` starts all again"
            return {instance.name: gone for instance in instances}
        return {}

    def agents(self, cluster: Cluster) -> Agents:
        """Return the cluster's agents."""
        count = len(cluster.state.of_role("loadtest"))
        return LocalAgents(cluster.directory, Supervisor(cluster.directory), count)

    def attach(self, cluster: Cluster, instance: Instance, command: Sequence[str]) -> int:
        """Run a command, or a shell, in an instance's folder and return its exit code."""
        argv = list(command) or [os.environ.get("SHELL", "/bin/sh")]
        return subprocess.run(argv, cwd=made(folder(cluster.directory, instance.name)), check=False).returncode

    def collect(self, cluster: Cluster, instance: Instance, into: Path) -> None:
        """Copy an instance's logs and configurations."""


def _options(cluster: Cluster) -> LocalOptions:
    return LocalOptions.model_validate(cluster.state.options)


def _choose_ports(options: LocalOptions, details: LocalDetails) -> None:
    """Give every part a port; raises `PortInUseError` when the one asked for is taken."""
    if options.port is not None:
        need_free(options.port, "the site")
        details.ports["app-0"] = options.port


def _supervise(supervisor: Supervisor) -> Step:
    """Return the step that starts the cluster's supervisord."""
    return Step("supervisor", "start it", lambda tell: supervisor.start(), lambda: not supervisor.runs())


def _check_site(cluster: Cluster) -> Step:
    """Return the step that waits until the site answers."""
    url = cluster.state.site_url

    def check(tell: Tell) -> None:
        wait_until_up(url, apps.START_S, lambda: None)

    return Step("site", f"wait for {url}", check, lambda: not answers(url))
