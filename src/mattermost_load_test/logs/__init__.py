"""The structured log: lines of JSON in the original tool's form, to any number of sinks.

A line is ``{"level":"info","ts":1795415390.59,"caller":"loadtest/run.py:57","msg":"…", …fields}``, `ts` in seconds
since 1970. Lines of data (settings and timings, what `ltparse` reads) are JSON always and pass every level; other lines
obey the level and the form of each sink. A line is written whole or not at all, so that a log stays
readable whatever happens to its writer. Secrets are masked here, whoever forgot to.
"""

from .lines import MASK, Level, LogLine, level_named, scrubbed
from .log import Log
from .outflow import FlowingText, Outflow
from .sinks import FdSink, Sink, StreamSink, ViewSink, Wanted, cannot_be_written, keep_earlier, open_file

__all__ = [
    "MASK",
    "FdSink",
    "FlowingText",
    "Level",
    "Log",
    "LogLine",
    "Outflow",
    "Sink",
    "StreamSink",
    "ViewSink",
    "Wanted",
    "cannot_be_written",
    "keep_earlier",
    "level_named",
    "open_file",
    "scrubbed",
]
