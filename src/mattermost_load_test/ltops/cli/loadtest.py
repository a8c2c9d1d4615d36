"""`ltops loadtest`: a run on a cluster, begun, followed, picked up again or ended."""

import os
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import click

from mattermost_load_test.cli_support import (
    Number,
    abort_gates_of,
    abort_on_option,
    fail_on_option,
    gates_of,
    gates_option,
)
from mattermost_load_test.config import current_folder
from mattermost_load_test.counts import counted
from mattermost_load_test.errors import (
    AgentSaturatedError,
    ClusterBusyError,
    ClusterError,
    GateFailedError,
    InterruptedRunError,
    LoadTestError,
    OperationError,
    ResultsFileError,
)
from mattermost_load_test.gates import Gate, GateResult, failure_of, judge
from mattermost_load_test.loadtest.scenarios import SCENARIOS
from mattermost_load_test.ltops.cli.options import changing, cluster_option, need_deployed, store, verbose_option
from mattermost_load_test.ltops.configuring import ConfigurationOrder, agent_configuration
from mattermost_load_test.ltops.following import GIVE_UP_AFTER_S, Ended, Following
from mattermost_load_test.ltops.launching import Launch, RunOrder
from mattermost_load_test.ltops.progress import Progress
from mattermost_load_test.ltops.providers import provider_of
from mattermost_load_test.ltops.results import SUMMARY, keep
from mattermost_load_test.ltops.store import Cluster, hold
from mattermost_load_test.ltparse.compare import Wanted, report
from mattermost_load_test.ltparse.selection import select
from mattermost_load_test.reporting import text
from mattermost_load_test.reporting.agents_view import agents_view
from mattermost_load_test.reporting.facts import facts_of
from mattermost_load_test.timings.stats import Timings


@click.command()
@cluster_option()
@click.argument("scenario", type=click.Choice(list(SCENARIOS)), default="all", metavar="[SCENARIO]")
@click.option("-f", "--config", type=click.Path(path_type=Path), metavar="FILE", help="The agents' configuration.")
@click.option("--set", "settings", multiple=True, metavar="SECTION.KEY=VALUE", help="Set one key of it.")
@click.option("-u", "--users", type=click.IntRange(1), metavar="N", help="Users who act, shared among the agents.")
@click.option("--force-bulk-load", is_flag=True, help="Load the population although it was loaded before.")
@click.option("--skip-bulk-load", is_flag=True, help="Take the population as it is on the server.")
@click.option("--workers", type=click.IntRange(1), metavar="N", help="Lines imported side by side by the server.")
@click.option("--start-in", type=Number(0), metavar="S", help="Seconds until users begin to act.")
@click.option("--attach", is_flag=True, help="Follow the run that is under way.")
@click.option("--stop", is_flag=True, help="End the run that is under way, and fetch its results.")
@click.option(
    "--give-up-after",
    type=Number(0),
    default=GIVE_UP_AFTER_S,
    show_default=True,
    metavar="S",
    help="Seconds to try agents again that cannot be reached; the test goes on without this command.",
)
@fail_on_option
@gates_option
@abort_on_option
@verbose_option
def loadtest(
    name: str,
    scenario: str,
    config: Path | None,
    settings: tuple[str, ...],
    users: int | None,
    force_bulk_load: bool,
    skip_bulk_load: bool,
    workers: int | None,
    start_in: float | None,
    attach: bool,
    stop: bool,
    give_up_after: float,
    expressions: tuple[str, ...],
    gates_file: Path | None,
    abort_expressions: tuple[str, ...],
    verbose: bool,
) -> None:
    """Run a scenario on all agents of a cluster and show the results.

    SCENARIO is one of `loadtest scenarios`, all by default. The agents run by themselves: when this command ends early,
    by Ctrl-C or a closed laptop, they go on, and --attach picks the run up. Results are in the cluster's folder, in
    results/.

    \b
    Examples:
      ltops loadtest -c demo
      ltops loadtest basic -c demo --users 50 --set UserEntitiesConfiguration.TestLengthMinutes=1
      ltops loadtest -c demo --fail-on 'p95 > 500ms' --abort-on 'error_rate > 50%'
      ltops loadtest -c demo --attach
      ltops loadtest -c demo --stop
    """  # noqa: D301  # \b is what click wants before lines that it must not wrap
    if force_bulk_load and skip_bulk_load:
        raise click.UsageError("--force-bulk-load and --skip-bulk-load exclude each other")
    if attach and stop:
        raise click.UsageError("--attach and --stop exclude each other")
    gates = (*gates_of(expressions, gates_file), *abort_gates_of(abort_expressions))
    if not (attach or stop):
        order = ConfigurationOrder(config, settings, os.environ, current_folder(), workers, users)
        bulk = _Bulk(force_bulk_load, skip_bulk_load, start_in, abort_expressions)
        _begin(name, scenario, order, bulk, verbose)
    elif stop:
        _stop(name, verbose)
    _follow(name, verbose, gates, give_up_after, stopped=stop)


@dataclass(frozen=True, slots=True)
class _Bulk:
    """What was asked of the time before the run, and the gates that end it."""

    force: bool
    skip: bool
    start_in_s: float | None
    abort_on: tuple[str, ...]


def _begin(name: str, scenario: str, given: ConfigurationOrder, bulk: _Bulk, verbose: bool) -> None:
    """Bring a run under way."""
    doing = f"loadtest {scenario} -c {name}"
    with changing(name, doing, verbose=verbose) as (cluster, progress):
        need_deployed(cluster.state)
        configuration = agent_configuration(cluster.state, given)
        provider = provider_of(cluster.state.kind)
        _finish_earlier(cluster, progress)
        acting = configuration.configuration.entities.num_active_entities * configuration.agents
        progress.say(f"{acting:,} users are to act, of {configuration.configuration.environment.num_users:,}")
        progress.log.info(f"The configuration is {configuration.path}, with what stands above it")
        for warning in configuration.warnings:
            progress.warn(warning)
        order = RunOrder(scenario, configuration, bulk.force, bulk.skip, bulk.start_in_s, bulk.abort_on)
        run = Launch(cluster, provider, progress).go(order)
        begin = "when they are logged in" if run.begins_at is None else f"at {run.begins_at:%H:%M:%S} UTC"
        runs = "runs" if run.agents == 1 else "run"
        progress.say(f"{counted(run.agents, 'agent')} {runs} {scenario}; users begin to act {begin}")


def _finish_earlier(cluster: Cluster, progress: Progress) -> None:
    """Fetch the results of a run that ended while nobody looked; raises `ClusterError` for one that goes on."""
    run = cluster.state.run
    if run is None or run.finished_at is not None:
        return
    agents = provider_of(cluster.state.kind).agents(cluster)
    if not all(state.over for state in agents.states(run.id, run.agents)):
        raise ClusterError(
            f"a run is under way on {cluster.name}: `ltops loadtest -c {cluster.name} --attach` follows it, "
            "`--stop` ends it"
        )
    progress.say("Fetching the results of the run before, which ended while nobody looked")
    with open(os.devnull, "w") as nowhere, agents_view(nowhere) as view:  # noqa: PTH123  # a stream, not a file
        ended = Following(cluster, agents, run).until_end(view)
    _record(cluster, ended)


def _stop(name: str, verbose: bool) -> None:
    """Ask the agents to end."""
    with changing(name, f"loadtest -c {name} --stop", verbose=verbose) as (cluster, progress):
        run = cluster.state.run
        if run is None or run.finished_at is not None:
            raise ClusterError(f"no run is under way on {name}")
        progress.say("Ending the run: agents write their reports")
        provider_of(cluster.state.kind).agents(cluster).stop(run.id, run.agents)


def _follow(name: str, verbose: bool, gates: tuple[Gate, ...], give_up_after_s: float, *, stopped: bool) -> None:
    """Follow the run until its end and show what it came to; raises the error that it ended with."""
    cluster = store().load(name)
    run = cluster.state.run
    if run is None or run.finished_at is not None:
        raise ClusterError(f"no run is under way on {name}: `ltops loadtest -c {name}` begins one")
    with ExitStack() as stack:
        try:
            stack.enter_context(hold(cluster.directory / "follow.lock", f"the run of {name}", f"loadtest -c {name}"))
        except ClusterBusyError as busy:
            if not stopped:
                raise
            click.echo(f"The agents end, and who follows them shows the results: {busy}", err=True)
            return
        following = Following(cluster, provider_of(cluster.state.kind).agents(cluster), run, gates, give_up_after_s)
        ended, failed = _until_end(name, following, gates, verbose)
    error = _error_of(ended, stopped=stopped)
    if failed and (error is None or isinstance(error, AgentSaturatedError)):
        error = GateFailedError(failure_of(failed))
    if error is not None:
        raise error


def _until_end(
    name: str, following: Following, gates: tuple[Gate, ...], verbose: bool
) -> tuple[Ended, tuple[GateResult, ...]]:
    """Show the run until its end, then its results, and return how it ended and which gates did not pass."""
    try:
        with agents_view(sys.stderr) as view:
            ended = following.until_end(view)
        with changing(name, f"loadtest -c {name}: results", verbose=verbose) as (cluster, _):
            return ended, _record(cluster, ended, gates)
    except KeyboardInterrupt:
        raise InterruptedRunError(
            f"left; the test goes on: `ltops loadtest -c {name} --attach` follows it, `--stop` ends it"
        ) from None


def _record(cluster: Cluster, ended: Ended, gates: tuple[Gate, ...] = ()) -> tuple[GateResult, ...]:
    """Show the report of a run, keep it and the run's end, and return the gates that did not pass."""
    run = cluster.state.run
    assert run is not None  # it was followed
    run.finished_at = datetime.now(UTC)
    run.exit_codes = ended.exit_codes
    run.losses = ended.losses
    for loss in ended.losses:
        click.echo(f"WARNING: {loss}", err=True)
    try:
        shown = report(select([str(cluster.results)], BytesIO(), aggregate=True), wanted=Wanted(gates=gates))
    except ResultsFileError as error:
        click.echo(f"There is nothing to report: {error}", err=True)
        cluster.save()
        return tuple(result for result in judge(gates, facts_of(Timings())) if not result.passed)
    run.score = shown.score
    for warning in shown.warnings:
        click.echo(f"WARNING: {warning}", err=True)
    click.echo(text.render(shown), nl=False)
    keep(cluster.results / SUMMARY, "".join(f"WARNING: {loss}\n" for loss in ended.losses) + text.render(shown))
    click.echo(f"The results are in {cluster.results}", err=True)
    cluster.save()
    return shown.failed_gates


def _error_of(ended: Ended, *, stopped: bool) -> LoadTestError | None:
    """Return what the command ends with: the agents' failures; that a stopped run was interrupted is none.

    Samples that are lost are a failure, too, though agents ended well.
    """
    failures = {
        name: error
        for name, error in ended.failures.items()
        if not (stopped and isinstance(error, InterruptedRunError))
    }
    if not failures:
        return OperationError("; ".join(ended.losses)) if ended.losses else None
    lines = [f"{name}: {error}" for name, error in failures.items()]
    first = min(failures.values(), key=lambda error: _GIVING_WAY.get(error.exit_code, 0))
    return type(first)(lines[0] if len(lines) == 1 else "\n  ".join([f"{len(lines)} agents failed:", *lines]))


_GIVING_WAY = {130: 1, 4: 2}
"""Of several agents' exit codes the most serious is the command's: interruption and saturation give way to others."""
