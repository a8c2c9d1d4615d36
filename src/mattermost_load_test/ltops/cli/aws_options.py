"""The options of `ltops create` that are for clusters on AWS."""

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])

_type = partial(click.option, metavar="TYPE")
_count = partial(click.option, type=int, metavar="N")

OPTIONS = (
    _type("--app-type", help="AWS: instance type of the Mattermost servers.  [default: c7i.xlarge]"),
    _type("--proxy-type", help="AWS: instance type of the proxies.  [default: c7i.large]"),
    _count("--proxy-count", help="AWS: proxies.  [default: 1]"),
    _type("--db-type", help="AWS: instance type of the database.  [default: db.r6g.large]"),
    _count("--db-count", help="AWS: database instances, one writer and readers.  [default: 1]"),
    click.option(
        "--db-engine", metavar="ENGINE", help="AWS: aurora-postgresql, or aurora-mysql.  [default: aurora-postgresql]"
    ),
    _type("--loadtest-type", help="AWS: instance type of the agents.  [default: c7i.xlarge]"),
    _type("--metrics-type", help="AWS: instance type of Prometheus and Grafana.  [default: t3.large]"),
    click.option("--region", metavar="REGION", help="AWS: the region.  [default: the profile's]"),
    click.option("--profile", metavar="NAME", help="AWS: the profile.  [default: ltops, if there is one]"),
    click.option("--zone", metavar="ZONE", multiple=True, help="AWS, twice: hosts stand in the first."),
    click.option(
        "--allow-cidr",
        metavar="CIDR",
        multiple=True,
        help="AWS: who reaches it; repeatable.  [default: your own address]",
    ),
    click.option("--vpc-id", metavar="ID", help="AWS: a network that is there.  [default: one is made]"),
    click.option(
        "--subnet-id", metavar="ID", multiple=True, help="AWS, with --vpc-id, twice: hosts stand in the first."
    ),
    click.option("--owner", metavar="WHO", help="AWS: a tag on everything.  [default: your account's name here]"),
    click.option("--max-age", metavar="AGE", help="AWS: such as 8h: then `ltops delete --expired` removes it."),
)


def aws_options(command: F) -> F:
    """Give a command the options of AWS clusters."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command
