"""`ltops deploy`: servers and agents put into place."""

from pathlib import Path

import click
from pydantic import SecretStr

from mattermost_load_test.cli_support import Number
from mattermost_load_test.ltops.cli.options import (
    OwnHelpCommand,
    changing,
    cluster_option,
    dry_run_option,
    store,
    verbose_option,
)
from mattermost_load_test.ltops.operations import deploy_cluster, shown_steps, would_deploy
from mattermost_load_test.ltops.providers.base import DeployOrder


@click.command(cls=OwnHelpCommand)
@cluster_option()
@click.option(
    "-m",
    "--mattermost",
    metavar="MATTERMOST",
    help="The Mattermost to test: a file, URL, `master`, branch, release or PR number; local default: `embedded`.",
)
@click.option("-l", "--license", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Its licence.")
@click.option(
    "-t",
    "--loadtests",
    metavar="LOADTESTS",
    help="The bundle of the agents, a file or URL; local default: those of this installation, as `installed`.",
)
@click.option(
    "-u",
    "--users",
    type=click.IntRange(1),
    metavar="N",
    help="Size of the population, instead of NumUsers; on Kubernetes as many act, and all is sized for them.",
)
@click.option(
    "--data-source",
    metavar="NAME",
    envvar="LTOPS_DATA_SOURCE",
    show_envvar=True,
    help="A database that is there, as Mattermost's DataSource; with -m.",
)
@click.option(
    "-f",
    "--values",
    "--helm-config",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Kubernetes: values for the chart.",
)
@click.option("--agent-image", metavar="REF", help="Kubernetes: the image of the agents.")
@click.option(
    "--host-timeout",
    type=Number(1),
    metavar="S",
    help="AWS: how long a host may take until it lets us in.  [default: 300]",
)
@click.option("--force", is_flag=True, help="Kubernetes: deploy what a check advises against.")
@dry_run_option
@verbose_option
def deploy(
    name: str,
    mattermost: str | None,
    license: Path | None,
    loadtests: str | None,
    users: int | None,
    data_source: str | None,
    values: Path | None,
    agent_image: str | None,
    host_timeout: float | None,
    force: bool,
    dry_run: bool,
    verbose: bool,
) -> None:
    """Put servers and agents into place, or change what is there to what is asked for.

    What is as it should be is left alone; a deployment that was cut short goes on when the command is repeated.

    \b
    Examples:
      ltops deploy -c demo
      ltops deploy -c demo --users 200
      ltops deploy -c demo -m mattermost-team-11.6.0-linux-amd64.tar.gz
      ltops deploy -c demo -t dist/mattermost-load-test.tar.gz
      ltops deploy -c large --users 5000 -l company.mattermost-license -f values.yaml
    """  # noqa: D301  # likewise
    secret = None if data_source is None else SecretStr(data_source)
    order = DeployOrder(mattermost, license, loadtests, users, secret, values, agent_image, force, host_timeout)
    if dry_run:
        click.echo(shown_steps(would_deploy(store().load(name), order)))
        return
    with changing(name, f"deploy -c {name}", verbose=verbose) as (cluster, progress):
        before = cluster.state.users
        if deploy_cluster(cluster, order, progress):
            progress.say(f"The site is {cluster.state.site_url}. Next: ltops loadtest -c {name}")
        elif cluster.state.users == before:
            progress.say("Nothing to do: everything is as it should be")
        else:
            progress.say(f"The next `ltops loadtest -c {name}` loads a population of {order.users:,} users")
        for sentence in cluster.state.access:
            progress.say(f"Access: {sentence}")
        for missing in cluster.state.missing:
            progress.say(f"Missing: {missing}")
