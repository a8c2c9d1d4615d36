"""`ltops ssh`: a command, or a shell, on an instance."""

import sys

import click

from mattermost_load_test.ltops.cli.options import OwnHelpCommand, cluster_option, store
from mattermost_load_test.ltops.cluster import ROLES, Role
from mattermost_load_test.ltops.providers import provider_of


@click.command(cls=OwnHelpCommand, context_settings={"allow_interspersed_args": True})
@click.argument("role", type=click.Choice([role for role in ROLES if role != "db"]))
@click.argument("command", nargs=-1, metavar="[-- COMMAND…]")
@cluster_option()
@click.option("-i", "--instance", "index", type=click.IntRange(0), default=0, show_default=True, help="Which of them.")
def ssh(role: Role, command: tuple[str, ...], name: str, index: int) -> None:
    """Open a shell on an instance, or run COMMAND there and end with its exit code.

    What stands behind -- reaches the command as it is. On a local cluster it is run in the instance's folder.

    \b
    Examples:
      ltops ssh app -c demo
      ltops ssh loadtest -c demo -i 1 -- ls -l
      ltops ssh app -c demo -- sh -c 'tail -n 100 *.log | grep -i error'
    """  # noqa: D301  # \b is what click wants before lines that it must not wrap
    cluster = store().load(name)
    instance = cluster.state.instance(role, index)
    sys.exit(provider_of(cluster.state.kind).attach(cluster, instance, command))
