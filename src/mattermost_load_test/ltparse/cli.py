"""`ltparse`: reads the logs of load tests and shows what they hold."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from io import BytesIO
from typing import BinaryIO

import click

from mattermost_load_test.cli_support import CONTEXT_SETTINGS, CommandGroup, version_option
from mattermost_load_test.reporting.formats import FORMATS

from .compare import report
from .selection import STANDARD_INPUT, select


@click.group(cls=CommandGroup, context_settings=CONTEXT_SETTINGS)
@version_option
def cli() -> None:
    """Read the logs that `loadtest` writes, or the original tool wrote, and show the results in them.

    \b
    Examples:
      ltparse results --file loadtest.log
      ltparse results --file results/ --display markdown --verbose
      ltparse results --help
    """  # noqa: D301  # \b is what click wants before lines that it must not wrap


@cli.command()
@click.option(
    "-f",
    "--file",
    "files",
    metavar="PATH",
    multiple=True,
    help="A log, a folder of logs, or - for standard input. May be given several times. [default: standard input]",
)
@click.option(
    "-d",
    "--display",
    type=click.Choice(list(FORMATS)),
    default="text",
    show_default=True,
    help="The format to show the results in.",
)
@click.option("-a", "--aggregate", is_flag=True, help="Merge the results of all instances in a log.")
@click.option("-b", "--baseline", metavar="PATH", help="A log, or a folder of logs, of a run to compare with.")
@click.option("-v", "--verbose", is_flag=True, help="Show all figures, not only the most important ones.")
def results(files: tuple[str, ...], display: str, aggregate: bool, baseline: str | None, verbose: bool) -> None:
    """Show the figures of a run, route by route, and its score.

    Of a log with several instances (agents) in it, the one that began last is shown unless --aggregate merges them.
    A folder, or several files, are merged always; an instance found in two of them is counted once. Warnings and notes
    go to standard error.

    \b
    Examples:
      ltparse results --file loadtest.log
      ltparse results --file agent-0.log --file agent-1.log --display markdown
      ltparse results --file results/ --verbose
      ltparse results --file new.log --baseline old.log --display markdown
      ltparse results --file results/ --display json > results.json
      cat agent-*.log | ltparse results --aggregate
    """  # noqa: D301  # likewise
    sources = files or (STANDARD_INPUT,)
    stdin = _standard_input([*sources, baseline], meant=bool(files))
    actual = select(sources, stdin, aggregate=aggregate)
    before = select((baseline,), stdin, aggregate=aggregate) if baseline is not None else None
    shown = report(actual, before)
    for part in (actual, before):
        for note in part.notes if part else ():
            click.echo(note, err=True)
    for warning in shown.warnings:
        click.echo(f"WARNING: {warning}", err=True)
    click.echo(FORMATS[display](shown, verbose=verbose).encode(), nl=False)


def _standard_input(paths: Sequence[str | None], *, meant: bool) -> BinaryIO:
    """Return the standard input, which is one of `paths` or not, `meant` or only the default.

    Raises a usage error where it is needed and cannot be had: closed, a terminal nobody asked for, or wanted twice.
    """
    if paths.count(STANDARD_INPUT) > 1:
        raise click.UsageError("standard input can be read only once: name the other log as a file")
    if STANDARD_INPUT not in paths:
        return BytesIO()
    if sys.stdin is None or (sys.stdin.isatty() and not meant):
        raise click.UsageError("no results given: name a log with --file, or pipe one in")
    return sys.stdin.buffer


def main() -> None:
    """Run `ltparse` as a process."""
    cli(prog_name="ltparse")
