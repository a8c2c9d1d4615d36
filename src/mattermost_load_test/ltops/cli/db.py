"""`ltops db`: the database's own command line."""

import sys

import click

from mattermost_load_test.errors import ClusterError
from mattermost_load_test.loadtest.database.datasource import parse
from mattermost_load_test.ltops.cli.options import OwnHelpCommand, cluster_option, store
from mattermost_load_test.ltops.cluster import ClusterState
from mattermost_load_test.ltops.database_shell import DatabaseLogin, open_mysql, open_psql


@click.command(cls=OwnHelpCommand)
@cluster_option()
@click.argument("arguments", nargs=-1, metavar="[-- ARGUMENT…]")
def db(name: str, arguments: tuple[str, ...]) -> None:
    """Open psql or mysql on the cluster's database; arguments behind -- are theirs.

    The password never stands in a command line.

    \b
    Examples:
      ltops db -c demo
      ltops db -c demo -- -c 'SELECT count(*) FROM posts'
    """  # noqa: D301  # \b is what click wants before lines that it must not wrap
    state = store().load(name).state
    open_shell = open_psql if state.driver == "postgres" else open_mysql
    sys.exit(open_shell(_login(state), arguments))


def _login(state: ClusterState) -> DatabaseLogin:
    """Return where a cluster's database is; raises `ClusterError` where it has none."""
    if not state.driver or not state.data_source.get_secret_value():
        raise ClusterError(
            f"the cluster {state.name} has no database that is known here; the embedded Mattermost keeps all in memory"
        )
    source = parse(state.driver, state.data_source)
    ssl_mode = str(source.arguments.get("sslmode", ""))
    return DatabaseLogin(source.host, source.port, source.database, source.user, source.password, ssl_mode)
