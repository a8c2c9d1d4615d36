"""All benchmarks that know ``--rounds``, one after the other: ``python -m bench``.

`bench.formats` and `bench.comparing`, which simulates, are run by themselves.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from importlib.metadata import version

import click

BENCHMARKS = (
    "bench.cpu_per_request",
    "bench.memory",
    "bench.events",
    "bench.growth",
    "bench.twenty_thousand",
    "bench.genbulkload",
    "bench.loadposts",
    "bench.ltparse",
    "bench.embedded",
)
LIBRARIES = ("uvloop", "httptools", "aiohttp", "websockets", "orjson", "locust")


def machine() -> str:
    """Return what the figures were made with, in one line."""
    versions = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    return f"{os.cpu_count()} cores, {platform.platform()}, Python {platform.python_version()}, {versions}"


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("options", nargs=-1, type=click.UNPROCESSED)
def main(options: tuple[str, ...]) -> None:
    """Run the benchmarks; options such as --rounds are handed to each of them."""
    print(machine(), flush=True)
    for module in BENCHMARKS:
        subprocess.run([sys.executable, "-m", module, *options], check=True)


if __name__ == "__main__":
    main()
