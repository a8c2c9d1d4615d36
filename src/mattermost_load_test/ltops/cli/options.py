"""What the commands of `ltops` have in common: the cluster they are about, the store, how progress is shown."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import click

from mattermost_load_test.errors import ClusterError
from mattermost_load_test.ltops.cluster import ClusterState
from mattermost_load_test.ltops.progress import Progress, open_progress
from mattermost_load_test.ltops.store import Cluster, Store, home_of

F = TypeVar("F", bound=Callable[..., Any])


def store() -> Store:
    """Return this user's clusters."""
    return Store(home_of(os.environ))


def _complete_cluster(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """Return the names of clusters that begin so, for shell completion."""
    return [name for name in store().names() if name.startswith(incomplete)]


def cluster_option(required: bool = True, **attributes: Any) -> Callable[[F], F]:
    """Return the option that names a cluster, as `name`; all of the original's spellings."""
    return click.option(
        "-c",
        "--cluster",
        "--name",
        "name",
        required=required,
        metavar="NAME",
        shell_complete=_complete_cluster,
        **({"help": "The cluster's name."} | attributes),
    )


verbose_option = click.option("-v", "--verbose", is_flag=True, help="Show the commands run, too.")
dry_run_option = click.option("--dry-run", is_flag=True, help="Show what would be done, and do nothing.")


class OwnHelpCommand(click.Command):
    """A command that, given no argument at all, shows its help, as the original's commands do."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the arguments."""
        if not args and not ctx.resilient_parsing:
            click.echo(ctx.get_help(), color=ctx.color)
            ctx.exit(0)
        return super().parse_args(ctx, args)


@contextmanager
def changing(name: str, doing: str, *, verbose: bool) -> Iterator[tuple[Cluster, Progress]]:
    """Give a cluster, locked for this command, and what tells of progress on it."""
    clusters = store()
    clusters.load(name)
    with clusters.locked(name, doing) as directory, open_progress(sys.stderr, directory, verbose=verbose) as progress:
        progress.log.info(f"ltops {doing}")
        yield clusters.load(name), progress


def need_deployed(state: ClusterState) -> None:
    """Raise `ClusterError` for a cluster that nothing is deployed on."""
    if state.phase != "deployed":
        where = (
            "nothing is deployed on it yet" if state.phase in ("creating", "created") else "its deployment did not end"
        )
        raise ClusterError(f"the cluster {state.name} is not ready: {where}: `ltops deploy -c {state.name}`")
