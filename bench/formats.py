"""Time and memory of `ltparse results` in every format, on a log of five million samples.

    .venv/bin/python -m bench.formats [--samples 5000000] [--format html …]

Each format is a process of its own, so that its memory is its own. `text` is the peer: it needs the reading and the
figures alone. What stands beside it in the last column is what the format costs on top.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
from pathlib import Path

from mattermost_load_test.reporting.formats import FORMATS
from mattermost_load_test.timings.records import TIMINGS_TAG, Sample, timings_line

ROUTES = [f"GET /route/{number}" for number in range(40)]
LENGTH_S = 3600.0
PER_LINE = 100


def write_log(path: Path, samples: int, instance: str, slower: float) -> None:
    """Write the log of a run of one hour, one error in two hundred requests."""
    random_ = random.Random(instance)
    step_s = LENGTH_S / samples
    with path.open("wb") as stream:
        for first in range(0, samples, PER_LINE):
            line = [
                Sample(
                    random_.choice(ROUTES),
                    1.79e12 + 1000 * step_s * number,
                    slower * random_.lognormvariate(3.5, 0.6),
                    "500" if random_.random() < 0.005 else None,
                )
                for number in range(first, first + PER_LINE)
            ]
            stream.write(timings_line(line, TIMINGS_TAG, instance, 1.79e9 + step_s * (first + PER_LINE)) + b"\n")


def measured(arguments: list[str]) -> tuple[float, float]:
    """Run `ltparse results` and return its CPU seconds and its largest memory in MiB."""
    command = [sys.executable, "-c", "from mattermost_load_test.ltparse.cli import main; main()", "results", *arguments]
    child = os.posix_spawn(sys.executable, command, os.environ)
    _, status, usage = os.wait4(child, 0)
    if status:
        sys.exit(f"{' '.join(arguments)} ended with {os.waitstatus_to_exitcode(status)}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def main() -> None:
    """Print a table of the formats."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=5_000_000)
    parser.add_argument("--format", action="append", choices=list(FORMATS), help="default: all")
    parser.add_argument("--baseline", action="store_true", help="compare with a baseline of a tenth as many samples")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        log, before = Path(folder) / "run.log", Path(folder) / "before.log"
        write_log(log, options.samples, "run", 1.0)
        write_log(before, options.samples // 10, "before", 1.1)
        print(f"{options.samples:,} samples, {log.stat().st_size / 1e6:,.0f} MB of log\n")
        print("| format | CPU s | MiB | kB written | of text's time |\n|---|---|---|---|---|")
        text_s = 0.0
        for name in dict.fromkeys(["text", *(options.format or FORMATS)]):
            out = Path(folder) / f"out{FORMATS[name].endings[0]}"
            baseline = ["--baseline", str(before)] if options.baseline else []
            seconds, mib = measured(["--file", str(log), "--output", str(out), *baseline])
            text_s = text_s or seconds
            size_kb = out.stat().st_size / 1000
            print(f"| {name} | {seconds:.1f} | {mib:,.0f} | {size_kb:,.0f} | {seconds / text_s:.2f} |", flush=True)


if __name__ == "__main__":
    main()
