"""`loadtest server`: a small Mattermost of its own, to try a load on."""

import sys
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any

import click

from mattermost_load_test.cli_support import Number
from mattermost_load_test.config import Configuration
from mattermost_load_test.counts import counted
from mattermost_load_test.embedded.faults import Delay, Fixed, LogNormal, Uniform
from mattermost_load_test.embedded.server import EmbeddedServer, ServerOptions, serve
from mattermost_load_test.embedded.versions import VERSIONS
from mattermost_load_test.errors import InterruptedRunError
from mattermost_load_test.loadtest.cli.options import config_option, loaded, run_async
from mattermost_load_test.loadtest.clock import LoopClock
from mattermost_load_test.loadtest.setup.steps import set_up
from mattermost_load_test.loadtest.stop import Stop, on_signals
from mattermost_load_test.logs import FdSink, Level, Log, Wanted
from mattermost_load_test.mattermost.opening import open_transport
from mattermost_load_test.mattermost.transport import TransportOptions

SHARE = Number(0, 1)


class DelayType(click.ParamType[Delay]):
    """A distribution of delays in milliseconds: ``20``, ``10-50`` (evenly), ``20/400`` (median and 99th percentile)."""

    name = "MS"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Delay:
        """Read a distribution; fails as click's own types do."""
        try:
            delay = _delay(value)
        except ValueError:
            delay = None
        if delay is None:
            self.fail(
                f"{value!r} is no delay: give milliseconds as 20, 10-50 (evenly) or 20/400 (median/p99)", param, ctx
            )
        return delay


def _delay(text: str) -> Delay | None:
    """Return the distribution that a text stands for, None if its numbers make none; raises ValueError likewise."""
    if "/" in text:
        median_ms, p99_ms = map(_finite, text.split("/"))
        return LogNormal(median_ms, p99_ms) if 0 < median_ms <= p99_ms else None
    if "-" in text:
        low_ms, high_ms = map(_finite, text.split("-"))
        return Uniform(low_ms, high_ms) if low_ms <= high_ms else None
    return Fixed(_finite(text))


def _finite(text: str) -> float:
    """Return a number; raises ValueError for a text that is none, and for nan and inf."""
    if not isfinite(number := float(text)):
        raise ValueError(text)
    return number


@dataclass(frozen=True, slots=True)
class Contents:
    """What the server is to hold: the population of `configuration`, or nothing without one."""

    configuration: Configuration | None
    faults: dict[str, Any]


@click.command()
@click.option("--host", metavar="ADDRESS", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--port",
    "ports",
    type=click.IntRange(0, 65535),
    metavar="N",
    multiple=True,
    default=(8065,),
    show_default=True,
    help="The port; several make one server reachable by several addresses. 0 takes a free one.",
)
@click.option("--users", type=click.IntRange(1), metavar="N", help="Users of the population, instead of NumUsers.")
@click.option("--empty", is_flag=True, help="Be a server just installed: the first account becomes system admin.")
@click.option(
    "--server-version",
    type=click.Choice(list(VERSIONS)),
    default="11.6",
    show_default=True,
    help="Which Mattermost to play.",
)
@click.option("--licensed", is_flag=True, help="Play a licensed server (11.6 without a licence stops at 250 users).")
@click.option("--no-metadata", is_flag=True, help="Leave metadata out of posts, as servers before 5.10 do.")
@click.option("--latency", type=DelayType(), help="Answer later: 20, 10-50 (evenly) or 20/400 (median/p99).")
@click.option("--error-rate", type=SHARE, metavar="SHARE", help="Share of requests answered with an error.")
@click.option(
    "--error-status", type=click.IntRange(400, 599), metavar="STATUS", help="The status of those.  [default: 500]"
)
@click.option("--html-rate", type=SHARE, metavar="SHARE", help="Share of requests answered 502 with a page of HTML.")
@click.option("--hang-rate", type=SHARE, metavar="SHARE", help="Share of requests never answered.")
@click.option("--too-many-rate", type=SHARE, metavar="SHARE", help="Share of logins answered 429 with Retry-After.")
@click.option(
    "--retry-after", "retry_after_s", type=click.IntRange(0), metavar="S", help="What Retry-After says.  [default: 1]"
)
@click.option(
    "--drop-sockets", "dropped_sockets_per_minute", type=Number(0), metavar="N", help="Websockets cut a minute."
)
@click.option(
    "--outage-every", "outage_every_s", type=Number(0), metavar="S", help="Refuse connections for a while, this often."
)
@click.option(
    "--outage-for", "outage_s", type=Number(0), metavar="S", help="How long each of these whiles is.  [default: 5]"
)
@config_option
@click.pass_context
def server(
    context: click.Context,
    /,
    host: str,
    ports: tuple[int, ...],
    users: int | None,
    empty: bool,
    server_version: str,
    licensed: bool,
    no_metadata: bool,
    config: Path | None,
    **dials: Any,
) -> None:
    """Run a Mattermost in this one process, in memory, until Ctrl-C.

    It holds the population of the configuration found (else of the built-in defaults), its set-up done, so that an
    agent with the same configuration can begin at once. What it does, it does as the real servers of its version.
    """
    if empty and users is not None:
        raise click.UsageError("--empty and --users exclude each other: an empty server has no users")
    configuration = None if empty else with_users(loaded(context, config, allow_defaults=True).configuration, users)
    options = ServerOptions(host, ports, server_version, licensed, post_metadata=not no_metadata)
    faults = {name: value for name, value in dials.items() if value is not None}
    run_async(_serve(options, Contents(configuration, faults)))


def with_users(configuration: Configuration, users: int | None) -> Configuration:
    """Return a configuration with another number of users."""
    if users is None:
        return configuration
    environment = configuration.environment.model_copy(update={"num_users": users})
    return configuration.model_copy(update={"environment": environment})


async def _serve(options: ServerOptions, contents: Contents) -> None:
    """Serve until a signal comes."""
    stop = Stop()
    with on_signals(stop, lambda: None):
        async with serve(options) as running:
            try:
                await stop.unless(_fill(running, contents.configuration))
            except InterruptedRunError:
                return  # a server has no other end
            await running.faults.turn(**contents.faults)
            click.echo(_description(options, running, contents))
            await stop.wait()


async def _fill(running: EmbeddedServer, configuration: Configuration | None) -> None:
    """Do a set-up on the server, as an agent with this configuration would."""
    if configuration is None:
        return
    log = Log([FdSink(sys.stderr.fileno(), "stderr", Wanted(Level.INFO, as_json=False, data=False))])
    async with open_transport(TransportOptions(running.url)) as transport:
        await set_up(transport, configuration, LoopClock(), log, lambda detail: None)


def _description(options: ServerOptions, running: EmbeddedServer, contents: Contents) -> str:
    """Return what runs where, and what it holds; the first line is the URLs alone, for programs."""
    lines = [f"Mattermost {options.version} (embedded) listens on {' '.join(running.urls)}"]
    if contents.configuration is None:
        lines.append("It has no account yet: the first one made becomes system admin.")
    else:
        environment, connection = contents.configuration.environment, contents.configuration.connection
        channels = environment.num_teams * (
            environment.num_channels_per_team + environment.num_private_channels_per_team
        )
        lines.append(
            f"It holds {counted(environment.num_teams, 'team')}, {counted(channels, 'channel')}, "
            f"{counted(environment.num_users, 'user')}; its system admin is {connection.admin_email}."
        )
    if contents.faults:
        lines.append(f"Faults dialled in: {', '.join(sorted(contents.faults))}.")
    return "\n".join([*lines, "Ctrl-C stops it."])
