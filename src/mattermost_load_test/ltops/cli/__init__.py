"""`ltops`: the infrastructure under a load test, one command per file."""

import click

from mattermost_load_test.cli_support import CONTEXT_SETTINGS, CommandGroup, version_option

COMMANDS = {
    "allow": f"{__name__}.allow:allow",
    "collect": f"{__name__}.collect:collect",
    "create": f"{__name__}.create:create",
    "db": f"{__name__}.db:db",
    "delete": f"{__name__}.delete:delete",
    "deploy": f"{__name__}.deploy:deploy",
    "forward": f"{__name__}.forward:forward",
    "loadtest": f"{__name__}.loadtest:loadtest",
    "ssh": f"{__name__}.ssh:ssh",
    "status": f"{__name__}.status:status",
    "destroy": f"{__name__}.delete:destroy",
    "help": f"{__name__}.help:show_help",
}
"""Where each command is."""


@click.group(cls=CommandGroup, lazy=COMMANDS, context_settings=CONTEXT_SETTINGS)
@version_option
def cli() -> None:
    """Set up, load, inspect and tear down the servers of a Mattermost load test.

    Clusters are kept in ~/.mattermost-load-test-ops, or in the folder that LTOPS_HOME names.

    \b
    A cluster's life, here on this machine:
      ltops create -c demo --type local
      ltops deploy -c demo
      ltops loadtest -c demo
      ltops delete -c demo
    """  # noqa: D301  # \b is what click wants before lines that it must not wrap


def main() -> None:
    """Run `ltops` as a process."""
    cli(prog_name="ltops")
