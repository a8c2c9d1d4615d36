"""`ltparse` on a large log: what it costs beside the mere decoding of the log's JSON, which nobody can do without."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import click

from bench.measuring import Figures, in_turns
from bench.tables import Table, show
from mattermost_load_test.timings.records import TIMINGS_TAG, Sample, timings_line

SAMPLES_A_LINE = 100  # as an agent writes them
ROUTES = tuple(f"GET /route/[{number} id]" for number in range(25))
ERROR_SHARE = 0.002
INSTANCE = "benchmarkbenchmarkbenchmar"
PEER = "orjson.loads of each line"

DECODE = """
import sys, orjson
with open(sys.argv[1], "rb") as log:
    for line in log:
        orjson.loads(line)
"""
"""The peer: every line decoded, and forgotten."""

LTPARSE = "from mattermost_load_test.ltparse.cli import main; main()"


def write_log(path: Path, samples: int) -> int:
    """Write the log of one agent with so many samples, and return its size in bytes."""
    chance = random.Random(1)
    now_ms = 1_795_000_000_000.0
    with path.open("wb") as log:
        for _ in range(samples // SAMPLES_A_LINE):
            line = [_sample(chance, now_ms + chance.random() * 500.0) for _ in range(SAMPLES_A_LINE)]
            now_ms += 100.0
            log.write(timings_line(line, TIMINGS_TAG, INSTANCE, now_ms / 1000) + b"\n")
    return path.stat().st_size


def _sample(chance: random.Random, started_ms: float) -> Sample:
    """Return a request as a server answers them, now and then with an error."""
    error = "500" if chance.random() < ERROR_SHARE else None
    return Sample(chance.choice(ROUTES), started_ms, chance.lognormvariate(3.0, 0.8), error)


def cost(*command: str) -> Figures:
    """Run a command; return its CPU and wall time in seconds and the most memory it held, in bytes."""
    begun_s = time.perf_counter()
    process = subprocess.Popen([sys.executable, *command], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise click.ClickException(f"{' '.join(command)[:60]} … ended with exit code {process.returncode}")
    wall_s = time.perf_counter() - begun_s
    return {"wall_s": wall_s, "cpu_s": usage.ru_utime + usage.ru_stime, "peak_bytes": usage.ru_maxrss * 1024.0}


def table_of(title: str, samples: int, figures: Mapping[str, Mapping[str, float]]) -> Table:
    """Return the table."""
    peer = figures[PEER]
    rows = [
        (
            name,
            f"{run['wall_s']:.1f}",
            f"{run['cpu_s']:.1f}",
            f"{run['cpu_s'] / peer['cpu_s']:.1f}",
            f"{samples / run['cpu_s'] / 1e6:.2f}",
            f"{run['peak_bytes'] / 2**20:,.0f}",
        )
        for name, run in figures.items()
    ]
    columns = ("command", "wall s", "CPU s", "CPU beside the peer", "million samples a CPU second", "peak MiB")
    return Table(title, columns, rows)


@click.command()
@click.option("--rounds", default=3, show_default=True, help="How often each command runs; the medians are shown.")
@click.option("--samples", default=5_000_000, show_default=True, help="How many samples the log holds.")
@click.option("--seconds", hidden=True, type=float, help="Of other benchmarks.")
def main(rounds: int, samples: int, seconds: float | None) -> None:
    """Time and memory of `ltparse results` on a log of 5 million samples (goal: 15 s, 500 MiB)."""
    with tempfile.TemporaryDirectory(prefix="bench-ltparse-") as folder:
        log = Path(folder) / "loadtest.log"
        size = write_log(log, samples)
        commands: dict[str, Callable[[], Figures]] = {
            "ltparse results": partial(cost, "-c", LTPARSE, "results", "--file", str(log)),
            "ltparse results --display json": partial(cost, "-c", LTPARSE, "results", "--file", str(log), "-d", "json"),
            PEER: partial(cost, "-c", DECODE, str(log)),
        }
        figures = in_turns(commands, rounds)
    show(table_of(f"A log of {samples:,} samples, {size / 1e6:,.0f} MB", samples, figures))


if __name__ == "__main__":
    main()
