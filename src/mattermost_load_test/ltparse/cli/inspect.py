"""`ltparse inspect`: what logs hold."""

from __future__ import annotations

from pathlib import Path

import click

from mattermost_load_test.ltparse.cli.inputs import progress_bars
from mattermost_load_test.ltparse.merging import logs_in
from mattermost_load_test.ltparse.selection import read_file
from mattermost_load_test.reporting.inspection import contents, render_json, render_text


@click.command()
@click.argument("sources", metavar="PATH...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("-d", "--display", type=click.Choice(["text", "json"]), default="text", show_default=True, help="How.")
def inspect(sources: tuple[Path, ...], display: str) -> None:
    """Show what logs hold, files or all those in folders: instances (agents), phases, times and what is wrong.

    \b
    Examples:
      ltparse inspect loadtest.log
      ltparse inspect results/ --display json
    """  # noqa: D301  # \b is what click wants before lines that it must not wrap
    with progress_bars() as watch:
        found = contents([read_file(path, watch) for path in logs_in(sources)])
    click.echo((render_json(found) if display == "json" else render_text(found)).encode(), nl=False)
