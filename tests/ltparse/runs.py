"""Logs made for tests: runs with known durations, errors and times."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from click.testing import CliRunner, Result

from mattermost_load_test.ltparse.cli import cli
from mattermost_load_test.timings.records import LOGIN_TAG, TIMINGS_TAG, Origin, ResultsWriter, Sample

DATA = Path(__file__).parent.parent / "data" / "ltparse"
RUN, BASELINE = DATA / "small-run.log", DATA / "small-baseline.log"
BEGAN_S = 1_795_000_000.0


def run(*arguments: str | Path, stdin: bytes = b"") -> Result:
    """Run `ltparse` with these arguments."""
    return CliRunner().invoke(cli, [*map(str, arguments)], input=stdin, prog_name="ltparse")


def run_as_anybody(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run `ltparse` in a process to which files' permissions apply, as they do not to root."""
    code = "from mattermost_load_test.ltparse.cli import main; main()"
    drop = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--"] if os.geteuid() == 0 else []
    return subprocess.run([*drop, sys.executable, "-c", code, *map(str, arguments)], capture_output=True, text=True)


@dataclass(frozen=True)
class Load:
    """Requests on one route, evenly over a run: log-normal durations about a median, a share of errors."""

    count: int = 400
    median_ms: float = 40.0
    error_share: float = 0.0


class _File:
    """A sink that writes lines to a file."""

    def __init__(self, path: Path) -> None:
        self._stream = path.open("ab")

    def write_line(self, line: bytes) -> None:
        """Write one line."""
        self._stream.write(line + b"\n")

    def close(self) -> None:
        """Close the file."""
        self._stream.close()


def write_run(
    path: Path,
    routes: Mapping[str, Load],
    *,
    instance: str = "one",
    seed: int = 1,
    length_s: float = 60.0,
    began_s: float = BEGAN_S,
    settings: Mapping[str, object] | None = None,
    logins: int = 10,
    origin: Origin | None = None,
) -> Path:
    """Write the log of a run, a login phase before it, by the agent's own writer; return its path."""
    random_ = random.Random(seed)
    now_s = began_s
    sink = _File(path)
    writer = ResultsWriter([sink], instance, lambda: now_s)
    writer.write_settings(settings or {"UserEntitiesConfiguration": {"NumActiveEntities": 100}})
    if origin is not None:
        writer.write_origin(origin)
    writer.begin(LOGIN_TAG)
    for number in range(logins):
        now_s = began_s + number
        writer.add(Sample("POST /users/login", now_s * 1000, 80.0))
    writer.begin(TIMINGS_TAG)
    for start_s, route, duration_ms, error in sorted(_requests(routes, random_, length_s)):
        now_s = began_s + logins + start_s
        writer.add(Sample(route, now_s * 1000, duration_ms, error or None))
    writer.flush()
    sink.close()
    return path


def _requests(
    routes: Mapping[str, Load], random_: random.Random, length_s: float
) -> list[tuple[float, str, float, str]]:
    """Return start, route, duration and error of each request."""
    made = []
    for name, load in routes.items():
        for number in range(load.count):
            duration_ms = load.median_ms * random_.lognormvariate(0, 0.5)
            error = "500" if random_.random() < load.error_share else ""
            made.append((length_s * number / load.count, name, round(duration_ms, 3), error))
    return made
