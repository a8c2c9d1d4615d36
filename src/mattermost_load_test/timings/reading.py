"""Reading the structured results log, ours and the original tool's: a stream of lines, each looked at once.

docs/results.md describes the form. What is not a line of the log (output of other programs, a last line cut off when
the agent was killed) is left out and named in a warning; fields this tool does not know are ignored. Memory holds the
samples, sixteen bytes each, and one line.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, BinaryIO

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mattermost_load_test.counts import counted
from mattermost_load_test.logs import scrubbed

from .health import HEALTH_TAG, Activity, HealthPoint, WorkerHealth
from .records import LOGIN_TAG, ORIGIN_TAG, SETTINGS_TAG, TIMINGS_TAG, Origin
from .stats import Timings

# No line of a log is longer: a hundred samples on a hundred routes make some 50 kB. Longer ones are no lines of ours.
MAX_LINE_BYTES = 16 * 1024 * 1024
_NAMED_LINES = 3  # so many line numbers stand in a warning, the rest is a count
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_TAGS = (TIMINGS_TAG, LOGIN_TAG)

_Count = Annotated[int, Field(ge=0)]
_Duration = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class RouteEntry(BaseModel):
    """What one line says of one route; `started_ms` counts from the line's start and goes with `durations_ms`."""

    model_config = ConfigDict(frozen=True)

    hits: _Count = Field(alias="NumHits")
    errors: _Count = Field(alias="NumErrors")
    durations_ms: list[_Duration] | None = Field(None, alias="Duration")  # null where Go had an empty list
    started_ms: list[float] | None = Field(None, alias="Started")
    error_kinds: dict[str, _Count] | None = Field(None, alias="Errors")


class LineTimings(BaseModel):
    """The timings of one line, by route name."""

    model_config = ConfigDict(frozen=True)

    routes: dict[str, RouteEntry] | None = Field(alias="Routes")


class TimingsLine(BaseModel):
    """A line of timings. Times are seconds since the Unix epoch; the original's lines have no start."""

    model_config = ConfigDict(frozen=True)

    tag: str
    instance_id: str = ""
    written_s: float | None = Field(None, alias="ts", allow_inf_nan=False)
    start_s: float | None = Field(None, alias="start", allow_inf_nan=False)
    timings: LineTimings


class HealthLine(BaseModel):
    """The line that tells how an agent kept up since its run began; the last one counts."""

    model_config = ConfigDict(frozen=True)

    instance_id: str = ""
    written_s: float | None = Field(None, alias="ts", allow_inf_nan=False)
    saturated: list[str]
    lateness_p99_ms: float = 0.0
    workers: tuple[WorkerHealth, ...] = ()
    entities: _Count | None = None
    actions: _Count = 0
    actions_intended: float = 0.0
    skipped: _Count = 0

    def point(self, moment_s: float) -> HealthPoint:
        """Return what the line tells of the agent at its moment."""
        told = self.entities is not None
        activity = Activity(self.entities or 0, self.actions, self.actions_intended, self.skipped) if told else None
        return HealthPoint(moment_s, self.lateness_p99_ms, self.workers, activity)


class SettingsLine(BaseModel):
    """The line that holds a run's configuration."""

    model_config = ConfigDict(frozen=True)

    instance_id: str = ""
    configuration: dict[str, object]


class OriginLine(BaseModel):
    """The line that tells where a run's figures come from."""

    model_config = ConfigDict(frozen=True)

    instance_id: str = ""
    scenario: str
    tool_version: str
    server_version: str


Line = TimingsLine | SettingsLine | HealthLine | OriginLine
"""A line of the log that means something to a reader."""


@dataclass(slots=True)
class Instance:
    """What one log holds of one agent.

    `timings` are those of the run, `login` those of the phase before it. `first_line` is the number of its first line
    of run timings in the log, 0 without any; `started_s` and `ended_s` span those lines, in seconds since the epoch.
    `saturation` holds the signs that the agent could not keep up, and is None where the log does not tell; `health`
    is how it kept up, in the order of the log. `settings` and `origin` are None where the log has none.
    """

    instance_id: str
    source: str
    timings: Timings = field(default_factory=Timings)
    login: Timings = field(default_factory=Timings)
    first_line: int = 0
    started_s: float | None = None
    ended_s: float | None = None
    settings: Mapping[str, object] | None = None
    origin: Origin | None = None
    saturation: tuple[str, ...] | None = None
    health: list[HealthPoint] = field(default_factory=list)

    def add(self, line: TimingsLine, number: int) -> None:
        """Count what `line`, the log's line `number`, holds."""
        into = self.login if line.tag == LOGIN_TAG else self.timings
        for name, entry in (line.timings.routes or {}).items():
            into.route(name).add_many(
                entry.hits,
                entry.errors,
                entry.durations_ms or (),
                entry.error_kinds or {},
                _moments_s(line.start_s, entry),
                [line.written_s] * entry.errors if line.written_s is not None else (),
            )
        if line.tag == TIMINGS_TAG:
            self.first_line = self.first_line or number
            self._span(line)

    def _span(self, line: TimingsLine) -> None:
        """Widen the time this instance is known to have run by that of `line`."""
        for moment_s in (line.start_s, line.written_s):
            if moment_s is not None:
                self.started_s = moment_s if self.started_s is None else min(self.started_s, moment_s)
                self.ended_s = moment_s if self.ended_s is None else max(self.ended_s, moment_s)


def _moments_s(start_s: float | None, entry: RouteEntry) -> list[float] | tuple[()]:
    """Return when the requests that `entry` has durations of began, or nothing where the line does not tell it."""
    if start_s is None or not entry.started_ms or len(entry.started_ms) != len(entry.durations_ms or ()):
        return ()
    return [start_s + started_ms / 1000.0 for started_ms in entry.started_ms]


@dataclass(frozen=True, slots=True)
class ResultsLog:
    """What a log holds: its instances by id, in the order of their first line, and what had to be left out."""

    source: str
    lines: int
    instances: Mapping[str, Instance]
    warnings: tuple[str, ...]

    def measured(self) -> list[Instance]:
        """Return the instances that have timings of a run, in the order of the first of them in the log."""
        found = [instance for instance in self.instances.values() if instance.timings.routes]
        return sorted(found, key=lambda instance: instance.first_line)


def read_log(stream: BinaryIO, source: str) -> ResultsLog:
    """Read a whole log; `source` is what warnings call it. Raises OSError when the stream does."""
    reader = LineReader(source)
    instances: dict[str, Instance] = {}
    for number, line in reader.lines(stream):
        instance = instances.get(line.instance_id)
        if instance is None:
            instance = instances[line.instance_id] = Instance(line.instance_id, source)
        if isinstance(line, TimingsLine):
            instance.add(line, number)
        elif isinstance(line, HealthLine):
            instance.saturation = tuple(line.saturated)
            if line.written_s is not None:
                instance.health.append(line.point(line.written_s))
        elif isinstance(line, OriginLine):
            instance.origin = Origin(line.scenario, line.tool_version, line.server_version)
        else:
            masked = scrubbed(line.configuration)
            instance.settings = masked if isinstance(masked, Mapping) else None
    return ResultsLog(source, reader.count, instances, tuple(reader.warnings()))


class LineReader:
    """Finds the lines of timings, settings, origin and health in a log, and remembers what it left out.

    `count` is the number of lines read so far.
    """

    def __init__(self, source: str) -> None:
        self.count = 0
        self._source = source
        self._foreign: list[int] = []
        self._foreign_count = 0
        self._unusable: list[str] = []
        self._unusable_count = 0
        self._cut_off = 0

    def lines(self, stream: BinaryIO) -> Iterator[tuple[int, Line]]:
        """Yield each line that means something with its number, counted from 1."""
        for raw in whole_lines(stream):
            self.count += 1
            if found := self._line(raw):
                yield self.count, found

    def warnings(self) -> Iterator[str]:
        """Yield what the reader of the figures must know about the lines read so far."""
        if self._foreign_count:
            numbers = ", ".join(map(str, self._foreign))
            yield f"{self._source}: left out {_lines(self._foreign_count, numbers)} that no load test wrote"
        if self._unusable_count:
            reasons = "; ".join(self._unusable)
            yield f"{self._source}: left out {counted(self._unusable_count, 'broken line')} of results: {reasons}"
        if self._cut_off:
            yield f"{self._source}: line {self._cut_off}, the last one, is cut off; everything before it was read"

    def _line(self, raw: bytes) -> Line | None:
        """Return the line `raw` if it is one that means something."""
        if self.count == 1:
            raw = raw.removeprefix(_BYTE_ORDER_MARK)
        if not raw.strip():
            return None
        try:
            fields = orjson.loads(raw)
        except ValueError:
            fields = None
        if isinstance(fields, dict):
            return self._parsed(fields)
        if raw.endswith(b"\n") or len(raw) == MAX_LINE_BYTES:
            self._foreign_count += 1
            self._foreign += [self.count][: _NAMED_LINES - len(self._foreign)]
        else:
            self._cut_off = self.count
        return None

    def _parsed(self, fields: dict[str, object]) -> Line | None:
        """Return the line that holds `fields` if its tag is one of ours and its fields are whole."""
        tag = fields.get("tag")
        try:
            if tag in _TAGS:
                return TimingsLine.model_validate(fields)
            if tag == SETTINGS_TAG:
                return SettingsLine.model_validate(fields)
            if tag == HEALTH_TAG:
                return HealthLine.model_validate(fields)
            if tag == ORIGIN_TAG:
                return OriginLine.model_validate(fields)
        except ValidationError as error:
            self._unusable_count += 1
            if len(self._unusable) < _NAMED_LINES:
                first = error.errors(include_url=False)[0]
                place = ".".join(map(str, first["loc"]))
                self._unusable.append(f"line {self.count}, {place}: {first['msg']}")
        return None


def whole_lines(stream: BinaryIO) -> Iterator[bytes]:
    """Yield the lines of `stream` with their ends, of overlong ones only the beginning."""
    while line := stream.readline(MAX_LINE_BYTES):
        yield line
        while len(line) == MAX_LINE_BYTES and not line.endswith(b"\n"):
            line = stream.readline(MAX_LINE_BYTES)


def _lines(count: int, numbers: str) -> str:
    """Return words for `count` lines, the first of which have these `numbers`."""
    if count == 1:
        return f"line {numbers}"
    return f"{count:,} lines ({numbers}{', …' if count > _NAMED_LINES else ''})"
