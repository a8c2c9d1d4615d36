"""`loadtest pprof`: the server's profiles, now."""

from pathlib import Path

import click

from mattermost_load_test.config import Configuration
from mattermost_load_test.loadtest.cli.options import config_option, loaded, run_async
from mattermost_load_test.loadtest.profiling import save_profiles
from mattermost_load_test.logs import Log


@click.command()
@config_option
@click.pass_context
def pprof(context: click.Context, config: Path | None) -> None:
    """Save the server's goroutine, block and CPU profiles in the current folder; `go tool pprof FILE` opens them.

    PProfURL says where the server gives them, PProfLength how long its CPU is looked at. A Mattermost needs a licence
    and MetricsSettings.Enable for it. Exits with 3 when it gives none.
    """
    run_async(_save(loaded(context, config).configuration))


async def _save(configuration: Configuration) -> None:
    """Save the profiles, and name each file when it is there."""
    length_s = configuration.results.pprof_length
    if length_s and (url := configuration.connection.pprof_url):
        click.echo(f"Taking profiles of {url}: this takes {length_s} s", err=True)
    async for path in save_profiles(configuration, Path.cwd(), Log()):
        click.echo(path)
