"""`ltparse`: reads the logs of load tests and shows what they hold; one command per file."""

from __future__ import annotations

import click

from mattermost_load_test.cli_support import CONTEXT_SETTINGS, CommandGroup, version_option
from mattermost_load_test.ltparse.cli.inspect import inspect
from mattermost_load_test.ltparse.cli.merge import merge
from mattermost_load_test.ltparse.cli.results import results


@click.group(cls=CommandGroup, context_settings=CONTEXT_SETTINGS)
@version_option
def cli() -> None:
    """Read the logs that `loadtest` writes, or the original tool wrote, and show the results in them.

    \b
    Examples:
      ltparse results --file loadtest.log
      ltparse results --file results/ --display markdown --verbose
      ltparse results --file new.log --baseline old.log --fail-on 'p95 significantly worse' -o report.html
      ltparse inspect results/
      ltparse merge results/ --output run.log
      ltparse results --help
    """  # noqa: D301  # \b is what click wants before lines that it must not wrap


for command in (results, merge, inspect):
    cli.add_command(command)


def main() -> None:
    """Run `ltparse` as a process."""
    cli(prog_name="ltparse")
