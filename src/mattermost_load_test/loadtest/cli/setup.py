"""`loadtest setup`: makes the server ready for runs, and stops there."""

from contextlib import ExitStack
from pathlib import Path

import click

from mattermost_load_test.config import LoadedConfiguration
from mattermost_load_test.loadtest.bulk.method import DATABASE
from mattermost_load_test.loadtest.cli.options import (
    bulk_load_method_option,
    config_option,
    loaded,
    process_streams,
    run_async,
)
from mattermost_load_test.loadtest.clock import Clock, LoopClock
from mattermost_load_test.loadtest.database.bulkload import SessionsWanted
from mattermost_load_test.loadtest.logins.token_cache import open_token_cache
from mattermost_load_test.loadtest.output.progress import LINE_EVERY_S
from mattermost_load_test.loadtest.output.streams import Output, open_output
from mattermost_load_test.loadtest.setup.joining import Tell
from mattermost_load_test.loadtest.setup.steps import set_up
from mattermost_load_test.loadtest.stop import Stop, on_signals
from mattermost_load_test.logs import Log
from mattermost_load_test.mattermost.opening import open_transport
from mattermost_load_test.mattermost.transport import TransportOptions


@click.command()
@config_option
@bulk_load_method_option
@click.option(
    "--token-cache",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="With BulkLoadMethod database: give every user a session, and keep them in FILE for runs that name it.",
)
@click.pass_context
def setup(context: click.Context, config: Path | None, token_cache: Path | None) -> None:
    """Make the server ready for runs: its admin, its settings, its population; then stop.

    Every run does this by itself unless SkipBulkload is set; done before, it keeps several agents from waiting for one.
    It may be run again: what is there already is left as it is.
    """
    configuration = loaded(context, config)
    if token_cache is not None and configuration.configuration.connection.bulk_load_method != DATABASE:
        raise click.UsageError("--token-cache needs --bulk-load-method database: only it makes sessions; a run logs in")
    stop = Stop()
    logs = configuration.configuration.logs
    with (
        open_output(logs, process_streams(), interrupted=stop.requested) as output,
        on_signals(stop, output.leave),
    ):
        run_async(stop.unless(_set_up(configuration, output, token_cache)))


async def _set_up(loaded: LoadedConfiguration, output: Output, token_cache: Path | None) -> None:
    """Do what a run does before its logins."""
    configuration = loaded.configuration
    for warning in loaded.warnings:
        output.log.warn(warning)
    clock = LoopClock()
    tell = _now_and_then(output.log, clock)
    async with open_transport(TransportOptions.of(configuration.connection)) as transport:
        with ExitStack() as stack:
            sessions = None
            if token_cache is not None:
                cache = stack.enter_context(open_token_cache(token_cache, transport.server))
                sessions = SessionsWanted(cache, range(configuration.environment.num_users))
            ready = await set_up(transport, configuration, clock, output.log, tell, sessions)
    for note in ready.notes:
        output.log.warn(note)


def _now_and_then(log: Log, clock: Clock) -> Tell:
    """Return what logs how far the set-up is, every ten seconds at most."""
    told_s = clock.now_s()

    def tell(detail: str) -> None:
        nonlocal told_s
        if clock.now_s() - told_s >= LINE_EVERY_S:
            told_s = clock.now_s()
            log.info("Setting up", detail=detail)

    return tell
