"""What the machine that the agent runs on has to give."""

from __future__ import annotations

import math
import os
from pathlib import Path

_CPU_QUOTA = Path("/sys/fs/cgroup/cpu.max")  # of a container, cgroup v2: "<quota> <period>" in microseconds, or "max …"


def usable_cores() -> int:
    """Return how many cores this process may use, a container's limit included, at least one."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = _CPU_QUOTA.read_text().split()
        return max(1, min(cores, math.ceil(int(quota) / int(period))))
    except (OSError, ValueError):  # no limit, or no such file
        return max(1, cores)
