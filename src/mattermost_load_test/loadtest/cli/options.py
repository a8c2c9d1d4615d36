"""What the commands of `loadtest` have in common: where the configuration comes from, and the process's streams."""

import asyncio
import os
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

import click

from mattermost_load_test.config import LoadedConfiguration, load
from mattermost_load_test.loadtest.output import Streams

T = TypeVar("T")

config_option = click.option(
    "--config",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The configuration, instead of ./loadtestconfig.json or ./config/loadtestconfig.json.",
)


def loaded(context: click.Context, config: Path | None, *, allow_defaults: bool = False) -> LoadedConfiguration:
    """Load the configuration that the command line names, before or behind the command; raises `ConfigurationError`."""
    return load(config or context.obj, os.environ, Path.cwd(), allow_defaults=allow_defaults)


def process_streams() -> Streams:
    """Return the streams of this process."""
    return Streams(sys.stdout, sys.stderr, Path.cwd())


def run_async(work: Coroutine[Any, Any, T]) -> T:
    """Run `work` in an event loop of its own, uvloop's where it is installed."""
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        return runner.run(work)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Return what makes the fastest event loop there is."""
    try:
        import uvloop
    except ImportError:  # Windows has none
        return None
    return uvloop.new_event_loop
