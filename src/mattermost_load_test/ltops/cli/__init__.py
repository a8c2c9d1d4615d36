"""`ltops`: the infrastructure under a load test, one command per file."""

import click

from mattermost_load_test.cli_support import CONTEXT_SETTINGS, CommandGroup, version_option
from mattermost_load_test.ltops.cli.collect import collect
from mattermost_load_test.ltops.cli.create import create
from mattermost_load_test.ltops.cli.db import db
from mattermost_load_test.ltops.cli.delete import delete
from mattermost_load_test.ltops.cli.deploy import deploy
from mattermost_load_test.ltops.cli.forward import forward
from mattermost_load_test.ltops.cli.help import show_help
from mattermost_load_test.ltops.cli.loadtest import loadtest
from mattermost_load_test.ltops.cli.ssh import ssh
from mattermost_load_test.ltops.cli.status import status


@click.group(cls=CommandGroup, context_settings=CONTEXT_SETTINGS)
@version_option
def cli() -> None:
    """Set up, load, inspect and tear down the servers of a Mattermost load test.

    Clusters are kept in ~/.mattermost-load-test-ops, or in the folder that LTOPS_HOME names.

    \b
    A cluster's life:
      ltops create -c demo --type local
      ltops deploy -c demo
      ltops loadtest -c demo
      ltops delete -c demo
    """  # noqa: D301  # \b is what click wants before lines that it must not wrap


for command in (create, deploy, loadtest, status, ssh, db, forward, collect, delete, show_help):
    cli.add_command(command)
cli.add_command(delete, "destroy")  # the original's name for it


def main() -> None:
    """Run `ltops` as a process."""
    cli(prog_name="ltops")
