"""A run over time as CSV: one line per interval."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import asdict, fields

from mattermost_load_test.errors import ResultsFileError
from mattermost_load_test.timings.over_time import Interval, OverTime

from .report import Report

COLUMNS = ("run", "start_s", "width_s", *(field.name for field in fields(Interval)))


def render(report: Report, *, verbose: bool = False) -> str:
    """Return the run over time as CSV with a line of column names, and the baseline's below it.

    `start_s` is when the interval began, in seconds since the epoch. Raises `ResultsFileError` where the log tells no
    times.
    """
    pictures = report.pictures
    if pictures is None or pictures.actual.over_time is None:
        raise ResultsFileError(
            "these results cannot be shown over time: their log does not tell when requests began (the original "
            "tool's logs never do); choose another format"
        )
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(_rows("actual", pictures.actual.over_time))
    if pictures.baseline is not None and pictures.baseline.over_time is not None:
        writer.writerows(_rows("baseline", pictures.baseline.over_time))
    return text.getvalue()


def _rows(run: str, over_time: OverTime) -> Iterator[dict[str, object]]:
    """Yield the lines of one run."""
    for interval in over_time.intervals:
        start_s = round(over_time.started_s + interval.offset_s, 3)
        yield {"run": run, "start_s": start_s, "width_s": over_time.width_s, **asdict(interval)}
