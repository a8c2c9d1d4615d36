"""`ltparse merge`: one log of several."""

from __future__ import annotations

from pathlib import Path

import click

from mattermost_load_test.counts import counted
from mattermost_load_test.errors import UsageError
from mattermost_load_test.ltparse.cli.inputs import progress_bars
from mattermost_load_test.ltparse.merging import logs_in, merge_logs
from mattermost_load_test.ltparse.outputs import same_file, whole_file


@click.command()
@click.argument("sources", metavar="PATH...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="The log to be written.",
)
def merge(sources: tuple[Path, ...], output: Path) -> None:
    """Make one log of several: files, or all those in folders.

    It holds the lines of results of every instance (agent), in the order they were written, with secrets masked; other
    lines are left out. An instance found in two logs is taken once. `ltparse results --aggregate` shows all of it.

    \b
    Examples:
      ltparse merge agent-0.log agent-1.log --output run.log
      ltparse merge results/ --output run.log
    """  # noqa: D301  # \b is what click wants before lines that it must not wrap
    paths = logs_in(sources)
    if any(same_file(output, path) for path in paths):
        raise UsageError(f"{output} is one of the logs to be merged: it would be overwritten; name another file")
    with progress_bars() as watch, whole_file(output) as stream:
        made = merge_logs(paths, stream, watch)
    for warning in made.warnings:
        click.echo(f"WARNING: {warning}", err=True)
    click.echo(f"{output}: {counted(made.lines, 'line')} of {counted(made.instances, 'instance')}")
