"""`loadtest`: the agent, one command per file and one command for each scenario."""

from pathlib import Path

import click

from mattermost_load_test.cli_support import CONTEXT_SETTINGS, CommandGroup, version_option
from mattermost_load_test.loadtest.cli.check import check
from mattermost_load_test.loadtest.cli.genbulkload import genbulkload
from mattermost_load_test.loadtest.cli.loadposts import loadposts
from mattermost_load_test.loadtest.cli.options import config_option
from mattermost_load_test.loadtest.cli.pprof import pprof
from mattermost_load_test.loadtest.cli.restore import restore
from mattermost_load_test.loadtest.cli.scenarios import list_scenarios, scenario_commands
from mattermost_load_test.loadtest.cli.server import server
from mattermost_load_test.loadtest.cli.setup import setup


@click.group(cls=CommandGroup, context_settings=CONTEXT_SETTINGS)
@version_option
@config_option
@click.pass_context
def cli(context: click.Context, config: Path | None) -> None:
    """Put a Mattermost server under the load of many users.

    What is loaded stands in loadtestconfig.json, looked for here and in ./config, and in environment variables
    MMLOADTEST_<SECTION>_<KEY>.
    """
    context.obj = config


for command in (*scenario_commands(), check, genbulkload, list_scenarios, loadposts, pprof, restore, server, setup):
    cli.add_command(command)


def main() -> None:
    """Run `loadtest` as a process."""
    cli(prog_name="loadtest")
