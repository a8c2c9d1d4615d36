"""What every benchmark does: run a load in a process of its own, several times in turn with its peers, take medians."""

from __future__ import annotations

import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import click

Figures = Mapping[str, float]
Name = TypeVar("Name")


@dataclass(frozen=True, slots=True)
class Cost:
    """What a span of time cost this process: CPU of user and system, and time on the wall."""

    cpu_s: float
    wall_s: float


class Meter:
    """Measures what this process costs from its making on."""

    def __init__(self) -> None:
        self._cpu_s = cpu_s()
        self._wall_s = time.perf_counter()

    def read(self) -> Cost:
        """Return the cost until now."""
        return Cost(cpu_s() - self._cpu_s, time.perf_counter() - self._wall_s)


def cpu_s() -> float:
    """Return the CPU seconds, of user and system, that this process has used, all its threads together."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def resident_bytes() -> int:
    """Return how much memory this process holds at this moment."""
    with open("/proc/self/statm", encoding="ascii") as statm:  # noqa: PTH123 — read often, kept cheap
        return int(statm.read().split()[1]) * resource.getpagesize()


def child(module: str, *arguments: object) -> Figures:
    """Run a module of ours as a process and return the figures that it prints as JSON on its last line."""
    command = [sys.executable, "-m", module, *map(str, arguments)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        raise click.ClickException(f"{module} ended with exit code {done.returncode}; what it said stands above")
    figures: Figures = json.loads(done.stdout.splitlines()[-1])
    return figures


def in_turns(loads: Mapping[Name, Callable[[], Figures]], rounds: int) -> dict[Name, dict[str, float]]:
    """Run every load once per round, one after the other, and return the median of each figure by load.

    Taking turns spreads what else the machine does over all of them.
    """
    taken: dict[Name, list[Figures]] = {name: [] for name in loads}
    for turn in range(rounds):
        for name, load in loads.items():
            print(f"  round {turn + 1} of {rounds}: {name}", file=sys.stderr, flush=True)
            taken[name].append(load())
    return {name: medians(runs) for name, runs in taken.items()}


def medians(runs: Sequence[Figures]) -> dict[str, float]:
    """Return the median of each figure over several runs."""
    return {figure: statistics.median(run[figure] for run in runs) for figure in runs[0]}
