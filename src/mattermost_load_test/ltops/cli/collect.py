"""`ltops collect`: what tells of a cluster, in one archive."""

import sys
from pathlib import Path

import click

from mattermost_load_test.ltops.cli.options import OwnHelpCommand, cluster_option, store, verbose_option
from mattermost_load_test.ltops.collecting import collect_cluster
from mattermost_load_test.ltops.progress import open_progress


@click.command(cls=OwnHelpCommand)
@cluster_option()
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="The archive.")
@verbose_option
def collect(name: str, output: Path | None, verbose: bool) -> None:
    """Put logs, configurations without secrets, results and metrics of all instances into one archive.

    Servers with a licence give their profiles, too.

    It is NAME-<time>.tar.gz in the current folder unless --output says otherwise.

    \b
    Examples:
      ltops collect -c demo
      ltops collect -c demo -o /tmp/demo.tar.gz
    """  # noqa: D301  # \b is what click wants before lines that it must not wrap
    cluster = store().load(name)
    with open_progress(sys.stderr, cluster.directory, verbose=verbose) as progress:
        click.echo(collect_cluster(cluster, output, progress))
