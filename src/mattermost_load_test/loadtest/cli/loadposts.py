"""`loadtest loadposts`: a history for the population's public channels."""

import sys
from pathlib import Path

import click

from mattermost_load_test.config import Configuration
from mattermost_load_test.counts import counted
from mattermost_load_test.loadtest.cli.options import config_option, loaded, run_async
from mattermost_load_test.loadtest.cli.progress_bar import Bar, progress_bar
from mattermost_load_test.loadtest.history.writing import forget_cached, import_history, write_history
from mattermost_load_test.logs import FdSink, Level, Log, Wanted


@click.command()
@config_option
@click.pass_context
def loadposts(context: click.Context, config: Path | None) -> None:
    """Give the population's public channels a history of NumPosts posts.

    With a DataSource the posts go straight into Mattermost's database (PostgreSQL, MySQL, MariaDB), with threads and
    counts, and most members having read them (PercentReadChannels). Without one the server's import job reads them.
    Either can be run again: after an interruption it goes on where it stopped.
    """
    configuration = loaded(context, config).configuration
    log = Log([FdSink(sys.stderr.fileno(), "stderr", Wanted(Level.INFO, as_json=False, data=False))])
    with progress_bar("Looking for the population", "posts") as bar:
        click.echo(_load(configuration, log, bar))


def _load(configuration: Configuration, log: Log, bar: Bar) -> str:
    """Load and return what was done, in a sentence."""

    def tell(words: str, done: int, total: int) -> None:
        bar.say(words)
        bar.show(done, total)

    if not configuration.connection.data_source.get_secret_value():
        log.info("No DataSource is given: the posts go through the server's import job")
        sent = run_async(import_history(configuration, log, tell))
        complete = f"; {sent.complete:,} had theirs already" if sent.complete else ""
        return f"Imported {counted(sent.posts, 'post')} into {counted(sent.channels, 'channel')}{complete}"
    done = write_history(configuration, tell)
    run_async(forget_cached(configuration, log))
    found = f"; {done.found:,} were there already" if done.found else ""
    deserted = f"; {done.deserted:,} channels without members got none" if done.deserted else ""
    return f"Wrote {done.written:,} posts, {done.channels:,} channels have their history{found}{deserted}"
