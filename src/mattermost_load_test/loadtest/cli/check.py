"""`loadtest check`: what a run would find and change."""

import os
import random
from pathlib import Path

import click

from mattermost_load_test.loadtest.cli.options import (
    agent_count_option,
    agent_index_option,
    bulk_load_method_option,
    config_option,
    loaded,
    run_async,
)
from mattermost_load_test.loadtest.coordination import probable_place
from mattermost_load_test.loadtest.plan import RunPlan, new_instance_id, plan_run
from mattermost_load_test.loadtest.setup.check import check_server

WIDTH = 10  # of the longest subject


@click.command()
@config_option
@bulk_load_method_option
@agent_index_option
@agent_count_option
@click.pass_context
def check(context: click.Context, config: Path | None) -> None:
    """Say what a run would find and change, and change nothing.

    Server version and reachability, licence, admin, the population and what of it is missing, each server setting that
    would be changed. Exits with 3 when the server cannot be reached or refuses the admin.
    """
    configuration = loaded(context, config)
    place = probable_place(configuration.configuration, os.environ)
    plan = plan_run("all", configuration, place, new_instance_id(random.SystemRandom()))
    if configuration.path is not None:
        _say("File", str(configuration.path))
    for warning in configuration.warnings:
        _say("Note", warning)
    run_async(_check(plan))


async def _check(plan: RunPlan) -> None:
    """Show each line as it is found."""
    async for subject, text in check_server(plan):
        _say(subject, text)


def _say(subject: str, text: str) -> None:
    """Show one line."""
    click.echo(f"{subject:<{WIDTH}}  {text}")
