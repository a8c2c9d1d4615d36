"""What is done to a cluster as a whole: created, deployed, deleted; for every kind of cluster alike."""

from __future__ import annotations

import copy
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console

from mattermost_load_test.errors import ClusterError, ForeignStateError, StateFileError
from mattermost_load_test.logs import Log
from mattermost_load_test.ltops.cluster import ClusterState
from mattermost_load_test.ltops.progress import Progress
from mattermost_load_test.ltops.providers import PROVIDERS, provider_of
from mattermost_load_test.ltops.providers.base import DeployOrder, Provider
from mattermost_load_test.ltops.steps import Step, carry_out, pending
from mattermost_load_test.ltops.store import STATE_FILE, Cluster, Store


def create_cluster(cluster: Cluster, progress: Progress) -> None:
    """Make a cluster that was begun; raises what its steps raise, and the same again goes on from there."""
    stages = provider_of(cluster.state.kind).create(cluster, progress)
    again = f"ltops create -c {cluster.name} …"
    carry_out(stages, progress, cluster.save, again)
    cluster.state.phase = "created"
    cluster.save()


def deploy_cluster(cluster: Cluster, order: DeployOrder, progress: Progress) -> int:
    """Put servers and agents of a cluster into place and return how many steps there were to do.

    Raises `ClusterError` while a run is under way, or before the cluster is made.
    """
    provider = _ready(cluster)
    stages = provider.deploy(cluster, order, progress)
    cluster.state.phase = "deploying"
    if order.users is not None:
        cluster.state.users = order.users
    done = carry_out(stages, progress, cluster.save, f"ltops deploy -c {cluster.name} …")
    cluster.state.phase = "deployed"
    cluster.save()
    return done


def allow_networks(cluster: Cluster, networks: Sequence[str], progress: Progress, *, add: bool) -> None:
    """Change who reaches a cluster; raises what its steps raise, `UsageError` for a kind that lets nobody in itself."""
    stages = provider_of(cluster.state.kind).allow(cluster, networks, progress, add=add)
    carry_out(stages, progress, cluster.save, f"ltops allow -c {cluster.name} …")


def _ready(cluster: Cluster) -> Provider:
    """Return the provider of a cluster that may be deployed; raises `ClusterError` for one that may not."""
    state = cluster.state
    provider = provider_of(state.kind)
    if state.phase == "creating":
        raise ClusterError(f"the creation of {state.name} did not end: repeat `ltops create`, then deploy")
    run = state.run
    if run is not None and run.finished_at is None:
        states = provider.agents(cluster).states(run.id, run.agents)
        if not all(agent.over for agent in states):
            raise ClusterError(
                f"a run is under way on {state.name}, since {run.launched_at:%H:%M} UTC: "
                f"`ltops loadtest -c {state.name} --stop` ends it"
            )
    return provider


@dataclass(frozen=True, slots=True)
class Found:
    """What is there of a cluster that is to be deleted; without a state where its file cannot be used."""

    directory: Path
    kind: str
    cluster: Cluster | None


def found_for_deletion(store: Store, name: str) -> Found:
    """Return what there is of a cluster.

    A state file that was cut off is no obstacle where the folder shows the kind of cluster. Raises `StateFileError`
    where it does not, `ForeignStateError` for what another program or a newer version made.
    """
    try:
        cluster = store.load(name)
    except ForeignStateError:
        raise
    except StateFileError:
        directory = store.directory(name)
        kind = next((kind for kind in PROVIDERS if provider_of(kind).left_in(directory)), None)
        if kind is None and _holds(directory):
            raise
        return Found(directory, kind or next(iter(PROVIDERS)), None)
    return Found(cluster.directory, cluster.state.kind, cluster)


def _holds(directory: Path) -> bool:
    """Say whether a folder holds a state file with anything in it."""
    path = directory / STATE_FILE
    return path.is_file() and path.stat().st_size > 0


def delete_cluster(found: Found, progress: Progress) -> None:
    """Remove all of a cluster but its folder; raises `OperationError` with what could not be removed."""
    if found.cluster is not None:
        found.cluster.state.phase = "deleting"
        found.cluster.save()
    stages = provider_of(found.kind).delete(found.directory, found.cluster, progress)
    carry_out(stages, progress, lambda: None, f"ltops delete -c {found.directory.name}")


def would_create(store: Store, name: str, kind: str, options: Mapping[str, Any]) -> Sequence[Step]:
    """Return what `create` would do; raises what it would raise at once."""
    if store.directory(name).is_dir() and (store.directory(name) / STATE_FILE).exists():
        return _shown(Cluster(store.directory(name), store.begin(name, kind, options).state), None)
    state = ClusterState(name=name, kind=kind, created_at=datetime.now(UTC), options=dict(options))
    return _shown(Cluster(store.directory(name), state), None)


def would_deploy(cluster: Cluster, order: DeployOrder) -> Sequence[Step]:
    """Return what `deploy` would do."""
    _ready(cluster)
    return _shown(cluster, order)


def would_delete(found: Found) -> Sequence[Step]:
    """Return what `delete` would do."""
    return pending(provider_of(found.kind).delete(found.directory, found.cluster, _silent()))


def _shown(cluster: Cluster, order: DeployOrder | None) -> Sequence[Step]:
    """Return the steps that are pending, worked out on a copy of the cluster's state."""
    trial = Cluster(cluster.directory, copy.deepcopy(cluster.state))
    provider = provider_of(cluster.state.kind)
    return pending(provider.create(trial, _silent()) if order is None else provider.deploy(trial, order, _silent()))


def _silent() -> Progress:
    return Progress(Console(file=io.StringIO()), Log(), None, verbose=False)


def shown_steps(steps: Sequence[Step]) -> str:
    """Return steps as `--dry-run` shows them."""
    if not steps:
        return "Nothing to do: everything is as it should be"
    return "\n".join(f"would {step.what} ({step.subject})" for step in steps)
