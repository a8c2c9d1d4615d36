"""`ltparse results`: the figures of a run, compared, judged and shown."""

from __future__ import annotations

from pathlib import Path

import click

from mattermost_load_test.cli_support import Number, fail_on_option, gates_of, gates_option
from mattermost_load_test.errors import GateFailedError
from mattermost_load_test.gates import failure_of
from mattermost_load_test.ltparse.cli.inputs import progress_bars, standard_input
from mattermost_load_test.ltparse.compare import Wanted, report
from mattermost_load_test.ltparse.outputs import Output, outputs_of, write_all
from mattermost_load_test.ltparse.selection import STANDARD_INPUT, select
from mattermost_load_test.reporting.formats import FORMATS
from mattermost_load_test.reporting.report import Report
from mattermost_load_test.timings.comparison import Thresholds


@click.command()
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
    help="The format to show the results in. [default: text, or nothing where there is an --output]",
)
@click.option(
    "-o",
    "--output",
    "outputs",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    multiple=True,
    help="Write the results to a file, in the format that its ending names: "
    f"{', '.join(ending for form in FORMATS.values() for ending in form.endings)}. May be given several times.",
)
@click.option("-a", "--aggregate", is_flag=True, help="Merge the results of all instances in a log.")
@click.option(
    "-b",
    "--baseline",
    "baselines",
    metavar="PATH",
    multiple=True,
    help="A log, or a folder of logs, of a run to compare with. Given several times, each is a run of its own: their "
    "mean is compared with, and a difference counts only if it is larger than theirs among each other.",
)
@click.option("-v", "--verbose", is_flag=True, help="Show all figures, not only the most important ones.")
@click.option("--verdict", is_flag=True, help="Say in text and markdown what differs from the baseline beyond noise.")
@fail_on_option
@gates_option
@click.option(
    "--ignore-below-percent",
    metavar="PERCENT",
    type=Number(min=0),
    default=5.0,
    show_default=True,
    help="A smaller change of a time is never called one.",
)
@click.option(
    "--ignore-below-ms",
    metavar="MS",
    type=Number(min=0),
    default=1.0,
    show_default=True,
    help="Likewise, in milliseconds.",
)
@click.option(
    "--ignore-below-points",
    metavar="POINTS",
    type=Number(min=0),
    default=0.1,
    show_default=True,
    help="Likewise, of an error rate, in percentage points.",
)
def results(
    files: tuple[str, ...],
    display: str | None,
    outputs: tuple[Path, ...],
    aggregate: bool,
    baselines: tuple[str, ...],
    verbose: bool,
    verdict: bool,
    expressions: tuple[str, ...],
    gates_file: Path | None,
    ignore_below_percent: float,
    ignore_below_ms: float,
    ignore_below_points: float,
) -> None:
    """Show the figures of a run, route by route, and its score.

    Of a log with several instances (agents) in it, the one that began last is shown unless --aggregate merges them.
    A folder, or several files, are merged always; an instance found in two of them is counted once. Warnings and notes
    go to standard error.

    \b
    Examples:
      ltparse results --file loadtest.log
      ltparse results --file agent-0.log --file agent-1.log --display markdown
      ltparse results --file results/ --verbose
      ltparse results --file new.log --baseline old.log --display markdown --verdict
      ltparse results --file new.log --baseline mon.log --baseline tue.log --baseline wed.log --verdict
      ltparse results --file results/ --display json > results.json
      ltparse results --file run.log --output run.html --output run.csv
      ltparse results --file run.log --fail-on 'error_rate > 1%' --fail-on 'route:"POST /posts" p95 > 500ms'
      cat agent-*.log | ltparse results --aggregate
    """  # noqa: D301  # \b is what click wants before lines that it must not wrap
    sources = files or (STANDARD_INPUT,)
    gates = gates_of(expressions, gates_file, compares=bool(baselines))
    if verdict and not baselines:
        raise click.UsageError("--verdict says what differs from a baseline: name one with --baseline")
    into = outputs_of(outputs, (*sources, *baselines))
    shown = display or (None if outputs else "text")
    formats = {FORMATS[name] for name in (shown, *(output.format for output in into)) if name is not None}
    wanted = Wanted(
        gates=gates,
        compares=verdict or any(form.compares for form in formats),
        show_verdict=verdict,
        pictures=any(form.pictures for form in formats),
        thresholds=Thresholds(ignore_below_percent / 100, ignore_below_ms, ignore_below_points / 100),
    )
    made = _read(sources, baselines, meant=bool(files), aggregate=aggregate, wanted=wanted)
    _show(made, shown, into, verbose)


def _read(
    sources: tuple[str, ...], baselines: tuple[str, ...], *, meant: bool, aggregate: bool, wanted: Wanted
) -> Report:
    """Read the logs and return their report; notes and warnings go to standard error."""
    stdin = standard_input([*sources, *baselines], meant=meant)
    with progress_bars() as watch:
        actual = select(sources, stdin, aggregate=aggregate, watch=watch)
        before = [select((one,), stdin, aggregate=aggregate, watch=watch) for one in baselines]
    made = report(actual, before, wanted)
    for part in (actual, *before):
        for note in part.notes:
            click.echo(note, err=True)
    for warning in made.warnings:
        click.echo(f"WARNING: {warning}", err=True)
    return made


def _show(made: Report, shown: str | None, into: tuple[Output, ...], verbose: bool) -> None:
    """Show the report, write it where it is wanted, and raise `GateFailedError` when a gate did not pass."""
    if shown is not None:
        click.echo(FORMATS[shown].render(made, verbose=verbose).encode(), nl=False)
    write_all(into, made, verbose=verbose)
    if failed := made.failed_gates:
        raise GateFailedError(failure_of(failed))
