"""`loadtest restore`: puts back what set-up changed on the server."""

import sys
from pathlib import Path

import click

from mattermost_load_test.counts import counted
from mattermost_load_test.loadtest.cli.options import config_option, loaded, run_async
from mattermost_load_test.loadtest.setup.restore import restore as put_back
from mattermost_load_test.logs import FdSink, Level, Log, Wanted


@click.command()
@config_option
@click.pass_context
def restore(context: click.Context, config: Path | None) -> None:
    """Put the server's settings and roles back as they were before the first set-up.

    What somebody else changed since is left as it is. The population stays, and so does the admin. Exits with 1 when
    the server does not take something back; the same command may then be run again.
    """
    log = Log([FdSink(sys.stderr.fileno(), "stderr", Wanted(Level.INFO, as_json=False, data=False))])
    count = run_async(put_back(loaded(context, config).configuration, log))
    click.echo(
        f"Put back {counted(count, 'change')}" if count else "Nothing to put back: no set-up has changed this server"
    )
