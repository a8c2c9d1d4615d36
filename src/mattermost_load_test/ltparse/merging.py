"""Making one log of several: the lines of results in the order they were written, each instance once.

Memory does not grow with the logs. They are read twice: to find an instance that is in two of them, then to be copied.
"""

from __future__ import annotations

import heapq
import stat
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import orjson

from mattermost_load_test.errors import ResultsFileError
from mattermost_load_test.logs import scrubbed
from mattermost_load_test.ltparse.selection import Watch, unreadable
from mattermost_load_test.timings.reading import whole_lines
from mattermost_load_test.timings.records import LOGIN_TAG, SETTINGS_TAG, TIMINGS_TAG

_TIMINGS = (TIMINGS_TAG, LOGIN_TAG)
Key = tuple[str, str]
"""An instance: its id, and the log's path where it has none."""


@dataclass(frozen=True, slots=True)
class Merged:
    """What was put into the merged log, and `warnings` about what was not."""

    lines: int
    instances: int
    warnings: tuple[str, ...]


def logs_in(sources: Sequence[Path]) -> list[Path]:
    """Return the files that `sources`, files and folders, mean; raises `ResultsFileError` for one that is not there."""
    paths: list[Path] = []
    for source in sources:
        try:
            paths += _files_in(source) if stat.S_ISDIR(source.stat().st_mode) else [source]
        except OSError as error:
            raise unreadable(str(source), error) from error
    return list(dict.fromkeys(paths))


def _files_in(folder: Path) -> list[Path]:
    """Return the files of a folder by name; raises `ResultsFileError` where there are none."""
    if not (found := sorted(path for path in folder.iterdir() if path.is_file())):
        raise ResultsFileError(f"{folder}: there is no file in this folder (sub-folders are not searched)")
    return found


def merge_logs(paths: Sequence[Path], into: BinaryIO, watch: Watch) -> Merged:
    """Write the results of every log to `into`; raises `ResultsFileError` for none, or a log that is unreadable."""
    hits = {path: _hits(path, watch) for path in paths}
    kept, warnings = _fullest(hits)
    if not kept:
        raise ResultsFileError(f"no timings in {', '.join(map(str, paths))}: name logs that runs of loadtest wrote")
    lines = 0
    with ExitStack() as stack:
        streams = [_opened(path, stack, watch) for path in paths if path in kept.values()]
        for _, _, line in heapq.merge(*(_lines(stream, path, kept) for path, stream in streams)):
            into.write(line)
            lines += 1
    return Merged(lines, len(kept), tuple(warnings))


def _hits(path: Path, watch: Watch) -> dict[Key, int]:
    """Count the requests of every instance in a log."""
    counted: dict[Key, int] = {}
    with ExitStack() as stack:
        _, stream = _opened(path, stack, watch)
        for fields in _tagged(stream):
            if fields.get("tag") in _TIMINGS:
                key = _key(fields, path)
                counted[key] = counted.get(key, 0) + _hits_of(fields)
    return counted


def _hits_of(fields: dict[str, object]) -> int:
    """Return how many requests a line of timings tells of."""
    timings = fields.get("timings")
    routes = timings.get("Routes") if isinstance(timings, dict) else None
    entries = routes.values() if isinstance(routes, dict) else ()
    counts = (entry.get("NumHits") for entry in entries if isinstance(entry, dict))
    return sum(count for count in counts if isinstance(count, int))


def _fullest(hits: dict[Path, dict[Key, int]]) -> tuple[dict[Key, Path], list[str]]:
    """Return, for each instance, the log that has most of it, and what to say of those that are in two."""
    kept: dict[Key, Path] = {}
    warnings = []
    for path, counted in hits.items():
        for key, count in counted.items():
            other = kept.setdefault(key, path)
            if other != path:
                fuller, lesser = (path, other) if count > hits[other][key] else (other, path)
                kept[key] = fuller
                warnings.append(f"instance {key[0]} is in two logs and taken from {fuller}, not from {lesser}")
    return kept, warnings


def _lines(stream: BinaryIO, path: Path, kept: dict[Key, Path]) -> Iterator[tuple[float, str, bytes]]:
    """Yield the lines to be copied from a log, with the time they were written (else that of the line before)."""
    written_s = 0.0
    for fields in _tagged(stream):
        moment_s = fields.get("ts")
        if isinstance(moment_s, int | float):
            written_s = max(written_s, float(moment_s))
        if kept.get(_key(fields, path)) == path:
            if fields["tag"] == SETTINGS_TAG:
                fields["configuration"] = scrubbed(fields.get("configuration"))  # the original logged passwords
            yield written_s, str(path), orjson.dumps(fields) + b"\n"


def _tagged(stream: BinaryIO) -> Iterator[dict[str, object]]:
    """Yield the lines that hold results or tell of a run, which are those with a tag."""
    for raw in whole_lines(stream):
        if b'"tag"' not in raw:
            continue
        try:
            fields = orjson.loads(raw)
        except ValueError:
            continue
        if isinstance(fields, dict) and isinstance(fields.get("tag"), str):
            yield fields


def _key(fields: dict[str, object], path: Path) -> Key:
    """Return the instance that a line is of."""
    instance_id = str(fields.get("instance_id") or "")
    return instance_id, "" if instance_id else str(path)


def _opened(path: Path, stack: ExitStack, watch: Watch) -> tuple[Path, BinaryIO]:
    """Open a log until `stack` is left."""
    try:
        return path, watch(path, stack.enter_context(path.open("rb")))
    except OSError as error:
        raise ResultsFileError(f"{path} cannot be read: {error.strerror}") from error
