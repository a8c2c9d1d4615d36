"""`loadtest`: the agent, one command per file and one command for each scenario."""

from pathlib import Path

import click

from mattermost_load_test.cli_support import CONTEXT_SETTINGS, CommandGroup, version_option
from mattermost_load_test.loadtest.cli.options import config_option
from mattermost_load_test.loadtest.scenarios import SCENARIOS

COMMANDS = {
    **dict.fromkeys(SCENARIOS, f"{__name__}.scenarios:scenario_command"),
    "check": f"{__name__}.check:check",
    "genbulkload": f"{__name__}.genbulkload:genbulkload",
    "loadposts": f"{__name__}.loadposts:loadposts",
    "pprof": f"{__name__}.pprof:pprof",
    "restore": f"{__name__}.restore:restore",
    "scenarios": f"{__name__}.scenarios:list_scenarios",
    "server": f"{__name__}.server:server",
    "setup": f"{__name__}.setup:setup",
}
"""Where each command is."""


@click.group(cls=CommandGroup, lazy=COMMANDS, context_settings=CONTEXT_SETTINGS)
@version_option
@config_option
@click.pass_context
def cli(context: click.Context, config: Path | None) -> None:
    """Put a Mattermost server under the load of many users.

    What is loaded stands in loadtestconfig.json, looked for here and in ./config, and in environment variables
    MMLOADTEST_<SECTION>_<KEY>.
    """
    context.obj = config


def main() -> None:
    """Run `loadtest` as a process."""
    cli(prog_name="loadtest")
