"""One command for each scenario of the registry: `loadtest all`, `loadtest basic` and so on."""

import os
import random
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from mattermost_load_test.cli_support import (
    abort_gates_of,
    abort_on_option,
    fail_on_option,
    gates_of,
    gates_option,
)
from mattermost_load_test.errors import ServerError
from mattermost_load_test.loadtest.cli.options import (
    agent_count_option,
    agent_index_option,
    bulk_load_method_option,
    config_option,
    loaded,
    process_streams,
    processes_option,
    run_async,
)
from mattermost_load_test.loadtest.coordination import placed
from mattermost_load_test.loadtest.output.gate_watch import GateWatch, RunGates
from mattermost_load_test.loadtest.output.outcome import error_of, report_of
from mattermost_load_test.loadtest.output.posting import check_destination, post_report
from mattermost_load_test.loadtest.output.streams import open_output
from mattermost_load_test.loadtest.plan import RunPlan, new_instance_id, plan_run
from mattermost_load_test.loadtest.registration import Registration
from mattermost_load_test.loadtest.run import run_test
from mattermost_load_test.loadtest.scenario_page import mix, weighted
from mattermost_load_test.loadtest.scenarios import KINDS, SCENARIOS, Scenario
from mattermost_load_test.loadtest.schedule import start_time_s
from mattermost_load_test.loadtest.stop import Stop, on_signals
from mattermost_load_test.logs import Log
from mattermost_load_test.reporting import run_summary
from mattermost_load_test.reporting.run_summary import RunSummary

EPILOG = """Where stderr is a terminal it shows the run while it lasts. Where stdout is a terminal it shows the report
at the end, else it is the log, for ltparse. The report is in results.txt, the log in loadtest.log. Ctrl-C ends the run
early and makes its report; a second one leaves at once. Exit codes: 0 good, 1 the run failed, 2 wrong use or
configuration, 3 the server cannot be reached or refuses, 4 the agent could not keep up, 99 a gate failed, 130
interrupted."""


class StartTime(click.ParamType[float]):
    """When the entities begin to act, in seconds since 1970."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Read RFC 3339, or a delay from now."""
        try:
            return start_time_s(str(value))
        except ValueError as error:
            self.fail(f"{error}.", param, ctx)


start_at_option = click.option(
    "--start-at",
    type=StartTime(),
    metavar="TIME",
    help="When the entities begin to act: 2026-11-26T05:00:00Z, the same for all agents, or +30s. The run ends "
    "TestLengthMinutes after that; an agent that comes later joins for the rest.",
)

no_restart_option = click.option(
    "--no-restart",
    is_flag=True,
    help="Leave the entities of a worker process that died to do nothing, instead of giving them another.",
)
token_cache_option = click.option(
    "--token-cache",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Keep the users' sessions in this file, private to you, and use those that are in it and still live.",
)


def scenario_command(name: str) -> click.Command:
    """Return the command that runs one scenario."""
    scenario = SCENARIOS[name]

    @click.command(name, short_help=scenario.summary, help=_help(scenario), epilog=EPILOG)
    @config_option
    @agent_index_option
    @agent_count_option
    @bulk_load_method_option
    @start_at_option
    @processes_option
    @no_restart_option
    @token_cache_option
    @fail_on_option
    @gates_option
    @abort_on_option
    @click.pass_context
    def command(
        context: click.Context,
        config: Path | None,
        start_at: float | None,
        no_restart: bool,
        token_cache: Path | None,
        expressions: tuple[str, ...],
        gates_file: Path | None,
        abort_expressions: tuple[str, ...],
    ) -> None:
        gates = RunGates(gates_of(expressions, gates_file), abort_gates_of(abort_expressions))
        configuration = loaded(context, config)
        instance_id = new_instance_id(random.SystemRandom())
        with placed(configuration.configuration, os.environ, instance_id) as agent:
            plan = plan_run(name, configuration, agent.place, instance_id, start_at)
            plan.schedule.check(time.time())
            check_destination(configuration.configuration.results)
            _run(replace(plan, restart_workers=not no_restart, token_cache=token_cache), agent.registration, gates)

    return command


def _run(plan: RunPlan, registration: Registration | None, gates: RunGates) -> None:
    """Carry out a run, show its report, and raise the error that it ends with."""
    stop = Stop()
    watch = GateWatch(gates, stop.request) if gates.all else None
    with (
        open_output(plan.configuration.logs, process_streams(), watch, stop.requested) as output,
        on_signals(stop, output.leave),
    ):
        running = run_test(plan, output, stop)
        if registration is not None:
            running = registration.during(running, stop.request, output.log.warn)
        summary = run_async(running)
        report = report_of(summary, output.samples_path, plan.configuration.results.custom_report_text, gates.all)
        output.show_report(report.text)
        not_posted = _post(plan, summary, report.text, output.log)
    error = error_of(summary, stop.reason, report.failed) or not_posted
    if error is not None:
        raise error


def _post(plan: RunPlan, summary: RunSummary, report: str, log: Log) -> ServerError | None:
    """Post the report where that is wanted; what went wrong is told and returned."""
    if not plan.configuration.results.send_report_to_mm_server:
        return None
    try:
        run_async(post_report(plan.configuration, run_summary.render(summary), report))
    except ServerError as error:
        log.error(str(error))
        return error
    log.info("Posted the report", server_url=plan.configuration.results.results_server_url)
    return None


@click.command("scenarios")
def list_scenarios() -> None:
    """List the scenarios with their mixes: kinds of entity by weight, and the actions of each kind by weight."""
    width = max(map(len, SCENARIOS))
    for name, scenario in SCENARIOS.items():
        click.echo(f"{name:<{width}}  {mix(scenario.kinds)}\n{'':<{width}}  {scenario.summary}")
    click.echo("\nKinds of entity, with the weights of their actions (and how many times slower they act):")
    width = max(map(len, KINDS))
    for name, kind in KINDS.items():
        slower = f" (×{kind.rate_multiplier:g})" if kind.rate_multiplier != 1 else ""
        click.echo(f"{name:<{width}}  {weighted(kind)}{slower}")


def _help(scenario: Scenario) -> str:
    """Return what a scenario is, down to its actions, by weight."""
    kinds = []
    for kind, weight in scenario.kinds.items():
        kinds.append(f"{weight} % {kind}: {weighted(KINDS[kind])}.")
    return "\n\n".join([scenario.summary, *kinds])
