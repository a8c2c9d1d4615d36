"""`ltops allow`: who reaches a cluster on AWS, changed."""

import click

from mattermost_load_test.ltops.cli.options import OwnHelpCommand, changing, cluster_option, verbose_option
from mattermost_load_test.ltops.operations import allow_networks


@click.command(cls=OwnHelpCommand)
@cluster_option()
@click.option("--allow-cidr", "networks", metavar="CIDR", multiple=True, help="Whom to let in.  [default: yourself]")
@click.option("--add", is_flag=True, help="Keep those who were let in before.")
@verbose_option
def allow(name: str, networks: tuple[str, ...], add: bool, verbose: bool) -> None:
    """Let your new address reach a cluster on AWS, or others, in place of those that were let in before.

    Nothing else of the cluster is changed, so that it may be done while a run is under way.

    \b
    Examples:
      ltops allow -c big
      ltops allow -c big --add --allow-cidr 198.51.100.0/24
    """  # noqa: D301  # \b is what click wants before lines that it must not wrap
    with changing(name, f"allow -c {name}", verbose=verbose) as (cluster, progress):
        allow_networks(cluster, networks, progress, add=add)
