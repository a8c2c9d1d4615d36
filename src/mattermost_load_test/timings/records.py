"""Writing what was measured into the structured log, in lines that this tool's reader and the original's understand.

docs/results.md describes the form; `timings.reading` reads it. A line of timings holds at most `SAMPLES_PER_LINE`
samples and is written at the latest `FLUSH_INTERVAL_S` after the one before it: that much is lost when an agent is
killed, and that much is held in memory, however long the run.

Writing a run's results::

    results = ResultsWriter([log], instance_id, time.time)    # log: a `logs.Log`, or anything with its `write_line`
    results.write_settings(configuration.model_dump(mode="json", by_alias=True))
    results.write_origin(Origin("all", tool_version, server_version))    # once the server has answered
    results.begin(LOGIN_TAG)
    ...                       # results.add(sample) for each request, results.flush_if_due() about once a second
    results.begin(TIMINGS_TAG)
    ...
    results.flush()
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Protocol

import orjson

from mattermost_load_test.logs import scrubbed

from .stats import RouteTimings

TIMINGS_TAG = "timings"
LOGIN_TAG = "timings-login"  # readers that know only "timings" pass these lines by: both give a run the same figures
SETTINGS_TAG = "report"  # the line that holds the run's configuration, under the key "configuration"
ORIGIN_TAG = "run"  # the line that tells what ran against what; written once the server has told its version

SAMPLES_PER_LINE = 100
FLUSH_INTERVAL_S = 5.0
_MS_DECIMALS = 3  # microseconds
_SECONDS_DECIMALS = 6  # likewise
_FIGURE_DECIMALS = 6  # of figures made of samples


@dataclass(frozen=True, slots=True)
class Sample:
    """One request as it was measured.

    `started_ms` counts from the Unix epoch; `duration_ms` runs from the call to the last byte of the answer's body.
    `error` is None for an answer with status 2xx, else the status (``"404"``) or the kind of failure (``"timeout"``).
    """

    route: str
    started_ms: float
    duration_ms: float
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the figures of a run come from: which scenario, played by which version of this tool, on which server's."""

    scenario: str
    tool_version: str
    server_version: str


class LineSink(Protocol):
    """Something that takes lines of data, such as `logs.Log`."""

    def write_line(self, line: bytes) -> None:
        """Write one whole line, given without its end."""
        ...


class ResultsWriter:
    """Writes samples as lines to every sink, at most `SAMPLES_PER_LINE` or `FLUSH_INTERVAL_S` at a time.

    `clock` tells the seconds since the Unix epoch. Should a sink raise, the samples stay in hand and no further ones
    are taken until a later call succeeds in writing them.
    """

    def __init__(self, sinks: Sequence[LineSink], instance_id: str, clock: Callable[[], float]) -> None:
        self._sinks = tuple(sinks)
        self._instance_id = instance_id
        self._clock = clock
        self._tag = TIMINGS_TAG
        self._samples: list[Sample] = []
        self._flushed_s = clock()

    def begin(self, tag: str) -> None:
        """Write what is in hand and put `tag` on the lines from here on: `LOGIN_TAG` or `TIMINGS_TAG`."""
        self.flush()
        self._tag = tag

    def add(self, sample: Sample) -> None:
        """Take one sample, and write a line if that makes one."""
        if len(self._samples) >= SAMPLES_PER_LINE:
            self.flush()  # an earlier attempt failed
        self._samples.append(sample)
        if len(self._samples) >= SAMPLES_PER_LINE:
            self.flush()
        else:
            self.flush_if_due()

    def flush_if_due(self) -> None:
        """Write what is in hand if the last line is `FLUSH_INTERVAL_S` old; to be called now and then by the run."""
        since_s = self._clock() - self._flushed_s
        if not 0 <= since_s < FLUSH_INTERVAL_S:  # a clock that was set back must not hold samples up
            self.flush()

    def flush(self) -> None:
        """Write what is in hand, if anything."""
        now_s = self._clock()
        if self._samples:
            self._write(timings_line(self._samples, self._tag, self._instance_id, now_s))
            self._samples.clear()
        self._flushed_s = now_s

    def write_settings(self, configuration: Mapping[str, object]) -> None:
        """Write the line that tells readers the run's configuration, secrets masked."""
        fields = {"configuration": scrubbed(configuration), "instance_id": self._instance_id}
        self._write(orjson.dumps({**_head("Settings", SETTINGS_TAG, self._clock()), **fields}))

    def write_origin(self, origin: Origin) -> None:
        """Write the line that tells readers where the run's figures come from."""
        fields = {**asdict(origin), "instance_id": self._instance_id}
        self._write(orjson.dumps({**_head("Run", ORIGIN_TAG, self._clock()), **fields}))

    def _write(self, line: bytes) -> None:
        """Give `line` to every sink."""
        for sink in self._sinks:
            sink.write_line(line)


def timings_line(samples: Iterable[Sample], tag: str, instance_id: str, now_s: float) -> bytes:
    """Return the line of the log, without its end, that holds `samples` (at least one) by route."""
    by_route: dict[str, list[Sample]] = {}
    for sample in samples:
        by_route.setdefault(sample.route, []).append(sample)
    start_ms = min(sample.started_ms for group in by_route.values() for sample in group)
    routes = {route: _route_entry(route, by_route[route], start_ms) for route in sorted(by_route)}
    return orjson.dumps(
        {
            **_head("Timings", tag, now_s),
            "start": round(start_ms / 1000, _SECONDS_DECIMALS),
            "timings": {"Routes": routes},
            "instance_id": instance_id,
        }
    )


def _head(message: str, tag: str, now_s: float) -> dict[str, object]:
    """Return the fields that a line of data begins with."""
    moment_s = round(now_s, _SECONDS_DECIMALS)
    return {"level": "info", "ts": moment_s, "caller": "timings/records.py", "msg": message, "tag": tag}


def _route_entry(route: str, samples: Sequence[Sample], start_ms: float) -> dict[str, object]:
    """Return what a line says of one route: the original's fields, filled in, and ours."""
    timings = RouteTimings()
    for sample in samples:
        timings.add(round(sample.duration_ms, _MS_DECIMALS), sample.error)
    figures = timings.statistics()
    return {
        "Name": route,
        "NumHits": figures.hits,
        "NumErrors": figures.errors,
        "ErrorRate": round(figures.error_rate, _FIGURE_DECIMALS),
        "Duration": timings.durations_ms.tolist(),
        "Started": [round(sample.started_ms - start_ms, _MS_DECIMALS) for sample in samples if sample.error is None],
        "Errors": timings.error_kinds,
        "Max": figures.max_ms,
        "Min": figures.min_ms,
        "Mean": round(figures.mean_ms, _FIGURE_DECIMALS),
        "Median": round(figures.median_ms, _FIGURE_DECIMALS),
        "Percentile90": round(figures.p90_ms, _FIGURE_DECIMALS),
        "Percentile95": round(figures.p95_ms, _FIGURE_DECIMALS),
        "InterQuartileRange": round(figures.inter_quartile_range_ms, _FIGURE_DECIMALS),
    }
