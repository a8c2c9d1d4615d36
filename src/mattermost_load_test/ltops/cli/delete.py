"""`ltops delete` (also `destroy`): a cluster and all that is of it, removed."""

import copy
import sys

import click

from mattermost_load_test.errors import ClusterError, LoadTestError, UsageError
from mattermost_load_test.ltops.cli.options import (
    OwnHelpCommand,
    cluster_option,
    dry_run_option,
    store,
    verbose_option,
)
from mattermost_load_test.ltops.expiry import is_due
from mattermost_load_test.ltops.operations import delete_cluster, found_for_deletion, shown_steps, would_delete
from mattermost_load_test.ltops.progress import open_progress


@click.command(cls=OwnHelpCommand)
@cluster_option(required=False)
@click.argument("cluster", metavar="[NAME]", required=False)
@click.option("--expired", is_flag=True, help="Every cluster that has become older than its --max-age.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@dry_run_option
@verbose_option
def delete(name: str | None, cluster: str | None, expired: bool, yes: bool, dry_run: bool, verbose: bool) -> None:
    """Remove a cluster: its processes or machines, its data, its results.

    It also removes what a failed creation left. On a terminal it asks first.

    \b
    Examples:
      ltops delete -c demo
      ltops delete demo --yes
      ltops delete --expired --yes
    """  # noqa: D301  # likewise
    if [name is not None, cluster is not None, expired].count(True) != 1:
        raise click.UsageError("name one cluster, ltops delete -c NAME, or all that are due: ltops delete --expired")
    if not expired:
        _delete(name or cluster or "", yes, dry_run, verbose)
        return
    failed = {which: error for which in _due() if (error := _failure(which, yes, dry_run, verbose)) is not None}
    if failed:
        lines = [f"{which}: {error}" for which, error in failed.items()]
        raise type(next(iter(failed.values())))("\n  ".join([f"not removed: {len(failed)}", *lines]))


destroy = copy.copy(delete)
destroy.short_help = "The same as delete: the original's name for it."


def _due() -> list[str]:
    """Return the names of clusters that are due; what cannot be read is told, since it may be."""
    due = []
    for name in store().names():
        try:
            if is_due(store().load(name).state):
                due.append(name)
        except ClusterError as error:
            click.echo(f"WARNING: whether {name} is due is not known: {error}", err=True)
    if not due:
        click.echo("No cluster is due", err=True)
    return due


def _failure(which: str, yes: bool, dry_run: bool, verbose: bool) -> LoadTestError | None:
    """Remove one of several clusters, and return why it could not be removed, if so."""
    try:
        _delete(which, yes, dry_run, verbose)
    except LoadTestError as error:
        return error
    return None


def _delete(which: str, yes: bool, dry_run: bool, verbose: bool) -> None:
    """Remove one cluster, or show what would be done; raises `UsageError` when the user does not want it."""
    found = found_for_deletion(store(), which)
    if dry_run:
        click.echo(shown_steps(would_delete(found)))
        return
    if not yes and sys.stdin.isatty() and not click.confirm(f"Remove the cluster {which} with all its results?"):
        raise UsageError(f"the cluster {which} was left as it is")
    with store().locked(which, f"delete -c {which}") as directory:
        with open_progress(sys.stderr, directory, verbose=verbose) as progress:
            delete_cluster(found_for_deletion(store(), which), progress)
            progress.say(f"The cluster {which} is removed")
        store().remove(which)
