"""`loadtest genbulkload`: the population as an import file."""

import time
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from mattermost_load_test.loadtest.bulkload import BULKLOAD_FILE, write_bulkload
from mattermost_load_test.loadtest.cli.options import config_option, loaded
from mattermost_load_test.loadtest.population import Population


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
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("Computing the population", total=None)
        population = Population(environment)
        progress.update(task, description="Writing lines")
        size = write_bulkload(path, population, lambda done, total: progress.update(task, completed=done, total=total))
    click.echo(f"Wrote {path}: {size / 1e6:,.1f} MB in {time.monotonic() - begun_s:.1f} s")
