"""`loadtest genbulkload`: the population as an import file."""

import time
from pathlib import Path

import click

from mattermost_load_test.loadtest.cli.options import config_option, loaded
from mattermost_load_test.loadtest.cli.progress_bar import progress_bar
from mattermost_load_test.loadtest.population.bulkload import BULKLOAD_FILE, write_bulkload
from mattermost_load_test.loadtest.population.population import Population


@click.command()
@config_option
@click.pass_context
def genbulkload(context: click.Context, config: Path | None) -> None:
    """Write the population into loadtestbulkload.json, as a Mattermost's bulk import reads it.

    An import over REST leaves its emoji lines out: a server looks for their image on its own disk.
    """
    environment = loaded(context, config).configuration.environment
    path = Path.cwd() / BULKLOAD_FILE
    begun_s = time.monotonic()
    with progress_bar("Computing the population", "lines") as bar:
        population = Population(environment)
        bar.say("Writing lines")
        size = write_bulkload(path, population, bar.show)
    click.echo(f"Wrote {path}: {size / 1e6:,.1f} MB in {time.monotonic() - begun_s:.1f} s")
