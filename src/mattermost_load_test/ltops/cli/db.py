"""`ltops db`: the database's own command line."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import replace

import click

from mattermost_load_test.errors import ClusterError
from mattermost_load_test.loadtest.database.datasource import parse
from mattermost_load_test.ltops.cli.options import OwnHelpCommand, cluster_option, store
from mattermost_load_test.ltops.cluster import ClusterState
from mattermost_load_test.ltops.database_shell import DatabaseLogin, open_mysql, open_psql
from mattermost_load_test.ltops.providers import provider_of
from mattermost_load_test.ltops.store import Cluster

OpenShell = Callable[[DatabaseLogin, Sequence[str]], int]


@click.command(cls=OwnHelpCommand)
@cluster_option()
@click.argument("arguments", nargs=-1, metavar="[-- ARGUMENT…]")
def db(name: str, arguments: tuple[str, ...]) -> None:
    """Open psql or mysql on the cluster's database; arguments behind -- are theirs.

    The password never stands in a command line. A database that only the cluster's hosts can reach is reached through
    one of them.

    \b
    Examples:
      ltops db -c demo
      ltops db -c demo -- -c 'SELECT count(*) FROM posts'
    """  # noqa: D301  # \b is what click wants before lines that it must not wrap
    cluster = store().load(name)
    provider = provider_of(cluster.state.kind)
    if inside := provider.database_client(cluster):
        instance, command = inside
        sys.exit(provider.attach(cluster, instance, [*command, *arguments]))
    login = _login(cluster.state)
    open_shell = open_psql if cluster.state.driver == "postgres" else open_mysql
    sys.exit(_shell(cluster, login, open_shell, arguments))


def _shell(cluster: Cluster, login: DatabaseLogin, open_shell: OpenShell, arguments: tuple[str, ...]) -> int:
    """Run the shell on the database, from where it can be reached; return its exit code."""
    if login.port is None:  # a socket of this machine
        return open_shell(login, arguments)
    with provider_of(cluster.state.kind).reach(cluster, f"{login.host}:{login.port}") as address:
        host, _, port = address.rpartition(":")
        return open_shell(replace(login, host=host, port=int(port)), arguments)


def _login(state: ClusterState) -> DatabaseLogin:
    """Return where a cluster's database is; raises `ClusterError` where it has none."""
    if not state.driver or not state.data_source.get_secret_value():
        raise ClusterError(
            f"the cluster {state.name} has no database that is known here; the embedded Mattermost keeps all in memory"
        )
    source = parse(state.driver, state.data_source)
    ssl_mode = str(source.arguments.get("sslmode", ""))
    return DatabaseLogin(source.host, source.port, source.database, source.user, source.password, ssl_mode)
