"""`ltops forward`: what a cluster serves only within itself, reached from this machine."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from urllib.parse import urlsplit

import click

from mattermost_load_test.errors import ClusterError
from mattermost_load_test.loadtest.database.datasource import parse
from mattermost_load_test.ltops.cli.options import OwnHelpCommand, cluster_option, store
from mattermost_load_test.ltops.cluster import ClusterState
from mattermost_load_test.ltops.providers import provider_of

PARTS = ("metrics", "app", "db")


@click.command(cls=OwnHelpCommand)
@click.argument("part", type=click.Choice(PARTS))
@cluster_option()
@click.option("-i", "--instance", "index", type=click.IntRange(0), default=0, show_default=True, help="Which app.")
@click.option("-p", "--port", type=click.IntRange(0, 65535), default=0, help="Listen there.  [default: a free port]")
def forward(part: str, name: str, index: int, port: int) -> None:
    """Keep a way open to metrics, an app instance or the database, until Ctrl-C, and print the addresses.

    Where the cluster is on this machine there is nothing to keep open: the addresses are printed as they are.

    \b
    Examples:
      ltops forward metrics -c demo
      ltops forward app -c demo -i 1 --port 8065
      ltops forward db -c demo --port 5432
    """  # noqa: D301  # \b is what click wants before lines that it must not wrap
    cluster = store().load(name)
    provider = provider_of(cluster.state.kind)
    with ExitStack() as ways:
        held = False
        for place, (what, prefix, address) in enumerate(_served(cluster.state, part, index)):
            here = ways.enter_context(provider.reach(cluster, address, port + place if port else 0))
            click.echo(f"{what}: {prefix}{here}")
            held |= here != address
        if held:
            click.echo("Ctrl-C ends it", err=True)
            _until_interrupted()


def _served(state: ClusterState, part: str, index: int) -> Iterator[tuple[str, str, str]]:
    """Yield what is to be reached: its name, what stands before its address, and that; raises `ClusterError`."""
    if part == "app":
        yield f"app-{index}", "http://", urlsplit(state.instance("app", index).url).netloc
    elif part == "db":
        if not state.driver or not state.data_source.get_secret_value():
            raise ClusterError(f"the cluster {state.name} has no database that is known here")
        source = parse(state.driver, state.data_source)
        yield f"{state.driver} database {source.database}, user {source.user}", "", f"{source.host}:{source.port}"
    elif not state.metrics_url:
        raise ClusterError(f"the cluster {state.name} has no metrics: `ltops deploy -c {state.name}` says why")
    else:
        yield "Prometheus", "http://", urlsplit(state.metrics_url).netloc
        if state.grafana_url:
            yield "Grafana", "http://", urlsplit(state.grafana_url).netloc


def _until_interrupted() -> None:
    """Wait for Ctrl-C."""
    with suppress(KeyboardInterrupt):
        threading.Event().wait()
