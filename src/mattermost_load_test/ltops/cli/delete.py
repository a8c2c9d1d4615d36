"""`ltops delete` (also `destroy`): a cluster and all that is of it, removed."""

import sys

import click

from mattermost_load_test.errors import UsageError
from mattermost_load_test.ltops.cli.options import (
    OwnHelpCommand,
    cluster_option,
    dry_run_option,
    store,
    verbose_option,
)
from mattermost_load_test.ltops.operations import delete_cluster, found_for_deletion, shown_steps, would_delete
from mattermost_load_test.ltops.progress import open_progress


@click.command(cls=OwnHelpCommand)
@cluster_option(required=False)
@click.argument("cluster", metavar="[NAME]", required=False)
@click.option("--yes", is_flag=True, help="Do not ask.")
@dry_run_option
@verbose_option
def delete(name: str | None, cluster: str | None, yes: bool, dry_run: bool, verbose: bool) -> None:
    """Remove a cluster: its processes or machines, its data, its results.

    It also removes what a failed creation left. On a terminal it asks first.

    \b
    Examples:
      ltops delete -c demo
      ltops delete demo --yes
    """  # noqa: D301  # likewise
    if (name is None) == (cluster is None):
        raise click.UsageError("name one cluster: ltops delete -c NAME")
    which = name or cluster or ""
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
