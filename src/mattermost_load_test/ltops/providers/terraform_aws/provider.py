"""The AWS kind of cluster: what `create`, `deploy` and the other commands do there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, ClassVar

from mattermost_load_test.ltops.cluster import Instance
from mattermost_load_test.ltops.hosts import access
from mattermost_load_test.ltops.hosts.agents import HostAgents
from mattermost_load_test.ltops.hosts.deployment import deployment_stages
from mattermost_load_test.ltops.progress import Progress
from mattermost_load_test.ltops.providers.base import Agents, DeployOrder
from mattermost_load_test.ltops.providers.terraform_aws.admission import Admission
from mattermost_load_test.ltops.providers.terraform_aws.creation import Creation
from mattermost_load_test.ltops.providers.terraform_aws.deletion import Deletion
from mattermost_load_test.ltops.providers.terraform_aws.fleet import fleet_of
from mattermost_load_test.ltops.providers.terraform_aws.options import TerraformOptions
from mattermost_load_test.ltops.providers.terraform_aws.pinning import after_pinning
from mattermost_load_test.ltops.steps import Stage
from mattermost_load_test.ltops.store import Cluster


class TerraformProvider:
    """See `Provider`."""

    summary: ClassVar[str] = "hosts on AWS, made by Terraform"

    def check_options(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return the options of a new AWS cluster; raises `UsageError`."""
        return TerraformOptions.of(given).model_dump()

    def create(self, cluster: Cluster, progress: Progress) -> Iterable[Stage]:
        """Yield the stages that check what is wanted, then make it."""
        return Creation(cluster, progress).stages()

    def left_in(self, directory: Path) -> bool:
        """Say whether a folder holds what Terraform leaves."""
        return (directory / "terraform").is_dir()

    def delete(self, directory: Path, cluster: Cluster | None, progress: Progress) -> Iterable[Stage]:
        """Yield the stages that remove everything, and look for what is left."""
        return Deletion(directory, cluster, progress).stages()

    def refresh(self, cluster: Cluster) -> None:
        """Do nothing: addresses of hosts stay."""

    def site(self, cluster: Cluster) -> AbstractContextManager[str]:
        """Give the site's URL: it is reached from everywhere that may."""
        return nullcontext(cluster.state.site_url)

    def database_client(self, cluster: Cluster) -> None:
        """Return None: the database is opened here."""

    def deploy(self, cluster: Cluster, order: DeployOrder, progress: Progress) -> Iterable[Stage]:
        """Yield the stages that put servers and agents onto the hosts."""
        return after_pinning(cluster, deployment_stages(cluster, fleet_of(cluster), order, progress), progress)

    def allow(self, cluster: Cluster, networks: Sequence[str], progress: Progress, *, add: bool) -> Iterable[Stage]:
        """Yield the stages that change who is let in."""
        return Admission(cluster, networks, progress, add=add).stages()

    def faults(self, cluster: Cluster) -> Mapping[str, str]:
        """Return what is wrong with which host."""
        return access.faults(cluster, fleet_of(cluster)) if cluster.state.phase == "deployed" else {}

    def agents(self, cluster: Cluster) -> Agents:
        """Return the cluster's agents."""
        return HostAgents(fleet_of(cluster))

    def attach(self, cluster: Cluster, instance: Instance, command: Sequence[str]) -> int:
        """Run a command on a host, a shell if it is empty, over SSH; return its exit code."""
        return access.attach(fleet_of(cluster), instance, command)

    def collect(self, cluster: Cluster, instance: Instance, into: Path) -> None:
        """Fetch a host's logs, and its configurations without secrets."""
        access.collect(fleet_of(cluster), instance, into)

    def reach(self, cluster: Cluster, address: str, port: int = 0) -> AbstractContextManager[str]:
        """Give the end of a tunnel through a host."""
        return access.reach(fleet_of(cluster), address, port)
