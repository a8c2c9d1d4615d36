"""`ltops status`: what there is of clusters, and how it is."""

import click

from mattermost_load_test.ltops.cli.options import cluster_option, store
from mattermost_load_test.ltops.inspecting import inspect, inspect_all
from mattermost_load_test.ltops.showing import as_json, as_text


@click.command()
@cluster_option(required=False, help="Only this cluster.")
@click.option("--json", "json_wanted", is_flag=True, help="Show it as JSON.")
@click.option("--show-secrets", is_flag=True, help="Show passwords in data sources.")
def status(name: str | None, json_wanted: bool, show_secrets: bool) -> None:
    """Show every cluster: where its site is, what is deployed, whether it is well, its last run.

    \b
    Examples:
      ltops status
      ltops status -c demo --json
    """  # noqa: D301  # \b is what click wants before lines that it must not wrap
    found = inspect_all(store()) if name is None else [inspect(store(), name)]
    render = as_json if json_wanted else as_text
    click.echo(render(found, show_secrets=show_secrets))
