"""`loadtest setup`: makes the server ready for runs, and stops there."""

from pathlib import Path

import click

from mattermost_load_test.config import LoadedConfiguration
from mattermost_load_test.loadtest.cli.options import config_option, loaded, process_streams, run_async
from mattermost_load_test.loadtest.clock import LoopClock
from mattermost_load_test.loadtest.output import Output, open_output
from mattermost_load_test.loadtest.setup import set_up
from mattermost_load_test.loadtest.stop import Stop, on_signals
from mattermost_load_test.mattermost.opening import open_transport
from mattermost_load_test.mattermost.transport import TransportOptions


@click.command()
@config_option
@click.pass_context
def setup(context: click.Context, config: Path | None) -> None:
    """Make the server ready for runs: its admin, its settings, its population; then stop.

    Every run does this by itself unless SkipBulkload is set; done before, it keeps several agents from waiting for one.
    It may be run again: what is there already is left as it is.
    """
    configuration = loaded(context, config)
    stop = Stop()
    with open_output(configuration.configuration.logs, process_streams()) as output, on_signals(stop, output.end_view):
        run_async(stop.unless(_set_up(configuration, output)))


async def _set_up(loaded: LoadedConfiguration, output: Output) -> None:
    """Do what a run does before its logins."""
    configuration = loaded.configuration
    for warning in loaded.warnings:
        output.log.warn(warning)
    async with open_transport(TransportOptions.of(configuration.connection)) as transport:
        ready = await set_up(transport, configuration, LoopClock(), output.log, lambda detail: None)
    for note in ready.notes:
        output.log.warn(note)
