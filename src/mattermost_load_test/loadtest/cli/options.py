"""What the commands of `loadtest` have in common: where the configuration comes from, and the process's streams."""

import os
import sys
from pathlib import Path
from typing import Any

import click

from mattermost_load_test.config import MAX_PROCESSES, Flag, LoadedConfiguration, current_folder, load
from mattermost_load_test.loadtest.machine.event_loop import (
    run_async as run_async,  # part of what commands have in common
)
from mattermost_load_test.loadtest.output.streams import Streams

config_option = click.option(
    "--config",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The configuration, instead of ./loadtestconfig.json or ./config/loadtestconfig.json.",
)


class KeyOption(click.Option):
    """A flag that stands for a key of the configuration, above file and environment; see `loaded`."""

    def __init__(self, *args: Any, section: str, key: str, **kwargs: Any) -> None:
        super().__init__(*args, expose_value=False, callback=_remember_flag, **kwargs)
        self.section = section
        self.key = key


def _remember_flag(context: click.Context, option: click.Parameter, value: Any) -> None:
    """Keep a flag that was given until the configuration is loaded."""
    assert isinstance(option, KeyOption)
    if value is not None:
        flags = context.meta.setdefault(_FLAGS, [])
        flags.append(Flag(option.opts[0], option.section, option.key, value))


_FLAGS = f"{__name__}.flags"

agent_index_option = click.option(
    "--agent-index",
    cls=KeyOption,
    section="UserEntitiesConfiguration",
    key="AgentIndex",
    type=click.IntRange(0),
    metavar="N",
    help="Which of several agents this one is, from 0.  [default: that of a Kubernetes job]",
)
agent_count_option = click.option(
    "--agent-count",
    cls=KeyOption,
    section="UserEntitiesConfiguration",
    key="AgentCount",
    type=click.IntRange(1),
    metavar="N",
    help="How many agents run this test together.",
)
bulk_load_method_option = click.option(
    "--bulk-load-method",
    cls=KeyOption,
    section="ConnectionConfiguration",
    key="BulkLoadMethod",
    type=click.Choice(["auto", "rest", "cli", "database"]),
    help="How the population gets onto the server, instead of BulkLoadMethod.",
)


class Processes(click.ParamType[int]):
    """A number of processes, or ``auto``."""

    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read a number; ``auto`` is the key's 0."""
        if value == "auto":
            return 0
        return click.IntRange(1, MAX_PROCESSES).convert(value, param, ctx)


processes_option = click.option(
    "--processes",
    cls=KeyOption,
    section="UserEntitiesConfiguration",
    key="NumProcesses",
    type=Processes(),
    metavar="N|auto",
    help="Worker processes that play the entities; auto: one for each core.  [default: auto]",
)


def loaded(context: click.Context, config: Path | None, *, allow_defaults: bool = False) -> LoadedConfiguration:
    """Load the configuration that the command line names, before or behind the command, with what its flags say.

    Raises `ConfigurationError`.
    """
    flags = context.meta.get(_FLAGS, ())
    return load(config or context.obj, os.environ, current_folder(), allow_defaults=allow_defaults, flags=flags)


def process_streams() -> Streams:
    """Return the streams of this process."""
    return Streams(sys.stdout, sys.stderr, Path.cwd())
