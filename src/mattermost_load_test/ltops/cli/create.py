"""`ltops create`: a new cluster."""

import sys
from typing import Any

import click

from mattermost_load_test.ltops.cli.aws_options import aws_options
from mattermost_load_test.ltops.cli.options import (
    OwnHelpCommand,
    cluster_option,
    dry_run_option,
    store,
    verbose_option,
)
from mattermost_load_test.ltops.cluster import check_name
from mattermost_load_test.ltops.operations import create_cluster, shown_steps, would_create
from mattermost_load_test.ltops.progress import open_progress
from mattermost_load_test.ltops.providers import PROVIDERS, provider_of


@click.command(cls=OwnHelpCommand)
@cluster_option(help="The name of the new cluster.")
@click.option(
    "-t", "--type", "kind", type=click.Choice(list(PROVIDERS)), required=True, help="This machine, AWS, Kubernetes."
)
@click.option("--app-count", type=int, metavar="N", help="Mattermost servers.  [default: 1]")
@click.option("--loadtest-count", type=int, metavar="N", help="Agents that make the load.  [default: 1]")
@click.option("--server-url", metavar="URL", help="Make agents only, for the server that is there.")
@click.option("--port", type=int, metavar="PORT", help="Local: the port of the site.  [default: a free one]")
@click.option("--namespace", metavar="NAME", help="Kubernetes: the namespace.  [default: the cluster's name]")
@click.option("--context", metavar="NAME", help="Kubernetes: the kubeconfig's context.  [default: the current one]")
@aws_options
@dry_run_option
@verbose_option
def create(name: str, kind: str, dry_run: bool, verbose: bool, **given: Any) -> None:
    """Make a cluster: what servers and agents run on. Then `ltops deploy` puts them there.

    A creation that was cut short goes on when the command is repeated.

    \b
    Examples:
      ltops create -c demo --type local
      ltops create -c pair --type local --app-count 2 --loadtest-count 2
      ltops create -c ours --type local --server-url https://chat.example.com
      ltops create -c big --type terraform --app-count 2 --app-type c7i.2xlarge --db-count 2 --max-age 8h
      ltops create -c large --type kubernetes --namespace load --context staging
    """  # noqa: D301  # \b is what click wants before lines that it must not wrap
    check_name(name)
    options = provider_of(kind).check_options({key: value for key, value in given.items() if value not in (None, ())})
    if dry_run:
        click.echo(shown_steps(would_create(store(), name, kind, options)))
        return
    doing = f"create -c {name}"
    with store().locked(name, doing) as directory:
        cluster = store().begin(name, kind, options)
        with open_progress(sys.stderr, directory, verbose=verbose) as progress:
            progress.log.info(f"ltops {doing}")
            create_cluster(cluster, progress)
            progress.say(f"The cluster {name} is made. Next: ltops deploy -c {name}")
