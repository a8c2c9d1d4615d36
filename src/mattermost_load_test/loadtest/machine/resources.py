"""What the machine that the agent runs on has to give."""

from __future__ import annotations

import math
import os
from pathlib import Path

_CGROUP = Path("/sys/fs/cgroup")  # of a container, version 2
_MEMORY = Path("/proc/meminfo")


def usable_cores() -> int:
    """Return how many cores this process may use, a container's limit included, at least one."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = (_CGROUP / "cpu.max").read_text().split()  # microseconds
        return max(1, min(cores, math.ceil(int(quota) / int(period))))
    except (OSError, ValueError):  # no limit, or no such file
        return max(1, cores)


def available_memory_bytes() -> int | None:
    """Return how much memory can still be taken without swapping, a container's limit included; None if unknown."""
    found = [free for free in (_free_of_machine(), _free_of_container()) if free is not None]
    return min(found, default=None)


def _free_of_machine() -> int | None:
    """Return what the kernel thinks it can still give."""
    try:
        for line in _MEMORY.read_text().splitlines():
            name, _, value = line.partition(":")
            if name == "MemAvailable":
                return int(value.split()[0]) * 1024
    except (OSError, ValueError):  # not Linux
        return None
    return None


def _free_of_container() -> int | None:
    """Return what a container's limit leaves, cgroup v2."""
    try:
        return int((_CGROUP / "memory.max").read_text()) - int((_CGROUP / "memory.current").read_text())
    except (OSError, ValueError):  # no limit ("max"), or no such file
        return None
