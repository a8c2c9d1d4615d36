"""`ltops`: the infrastructure under a load test."""

import click

from mattermost_load_test.cli_support import CONTEXT_SETTINGS, CommandGroup, version_option


@click.group(cls=CommandGroup, context_settings=CONTEXT_SETTINGS)
@version_option
def cli() -> None:
    """Set up, load, inspect and tear down the servers of a Mattermost load test.

    Its commands are not here yet: so far this version has `loadtest` and `ltparse`.
    """


def main() -> None:
    """Run `ltops` as a process."""
    cli(prog_name="ltops")
