"""Which results are meant by the files that were named: the instances in them, merged or one chosen.

The rules stand in docs/results.md. One log shows one instance, that whose first timings come last, unless all are asked
for; a folder or several logs mean all instances in them, each counted once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from mattermost_load_test.counts import counted
from mattermost_load_test.errors import ResultsFileError
from mattermost_load_test.reporting.inspection import moment
from mattermost_load_test.timings.reading import Instance, ResultsLog, read_log
from mattermost_load_test.timings.stats import Timings

STANDARD_INPUT = "-"
Watch = Callable[[Path, BinaryIO], BinaryIO]
"""Is given each file before it is read, and returns what is read in its place: the same, with a progress bar on it."""
_STANDARD_INPUT_NAME = "standard input"
_NAMED_INSTANCES = 10  # so many instances stand in a warning, the rest is a count


@dataclass(frozen=True, slots=True)
class Results:
    """What the named files hold: `instances` are all found in them, `shown` those whose samples are in the figures.

    `notes` say what was chosen, `warnings` what looks wrong; both are for the person at the terminal.
    """

    names: tuple[str, ...]
    instances: tuple[Instance, ...]
    shown: tuple[Instance, ...]
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """What messages call these results."""
        return ", ".join(self.names)

    @property
    def settings(self) -> Mapping[str, object] | None:
        """The configuration of the first instance shown that logged one, secrets masked."""
        return next((instance.settings for instance in self.shown if instance.settings is not None), None)

    @property
    def saturation(self) -> tuple[str, ...] | None:
        """The signs that agents shown could not keep up, None where no log tells whether they did."""
        told = [(one.instance_id, one.saturation) for one in self.shown if one.saturation is not None]
        if not told:
            return None
        named = len(self.shown) > 1
        return tuple(f"agent {agent}: {sign}" if named else sign for agent, signs in told for sign in signs)

    @property
    def achieved_share(self) -> float | None:
        """The actions that the agents shown did, of those that were intended; None where one of them does not tell."""
        last = [one.health[-1].activity if one.health else None for one in self.shown]
        told = [activity for activity in last if activity is not None]
        intended = sum(activity.actions_intended for activity in told)
        return sum(activity.actions for activity in told) / intended if intended and len(told) == len(last) else None

    def timings(self) -> Timings:
        """Return the samples of the run over all instances shown."""
        return _merged([instance.timings for instance in self.shown])

    def login(self) -> Timings:
        """Return the samples of the login phase over all instances shown."""
        return _merged([instance.login for instance in self.shown])


def _unwatched(path: Path, stream: BinaryIO) -> BinaryIO:
    """Return `stream` as it is."""
    return stream


def select(sources: Sequence[str], stdin: BinaryIO, *, aggregate: bool, watch: Watch = _unwatched) -> Results:
    """Read `sources` (files, folders, ``-`` for `stdin`) and return what they mean.

    Raises `ResultsFileError` when one of them is missing, unreadable or without timings.
    """
    logs = [log for source in sources for log in logs_of(source, stdin, watch)]
    instances, duplicates = _each_once(logs)
    warnings = [*(text for log in logs for text in log.warnings), *duplicates]
    if aggregate or len(sources) > 1 or (sources[0] != STANDARD_INPUT and Path(sources[0]).is_dir()):
        warnings.extend([*_apart(instances), *_saturated(instances)])
        return Results(tuple(sources), instances, instances, warnings=tuple(warnings))
    last = instances[-1]
    notes = []
    if len(instances) > 1:
        notes.append(
            f"{logs[0].source}: showing 1 of {len(instances)} instances, {last.instance_id}, whose first timings "
            "come last; --aggregate shows all of them merged"
        )
    warnings.extend(_saturated([last]))
    return Results(tuple(sources), instances, (last,), tuple(notes), tuple(warnings))


def logs_of(source: str, stdin: BinaryIO, watch: Watch = _unwatched) -> list[ResultsLog]:
    """Return the logs that `source` names, each with timings in it; raises `ResultsFileError` where there are none."""
    if source == STANDARD_INPUT:
        return [_with_timings(read_log(stdin, _STANDARD_INPUT_NAME))]
    path = Path(source)
    try:
        if path.is_dir():
            return _logs_in(path, watch)
        return [_with_timings(_read(path, watch))]
    except OSError as error:
        raise unreadable(source, error) from error


def read_file(path: Path, watch: Watch = _unwatched) -> ResultsLog:
    """Read one file, timings in it or not; raises `ResultsFileError` when it cannot be read."""
    try:
        return _read(path, watch)
    except OSError as error:
        raise unreadable(str(path), error) from error


def _read(path: Path, watch: Watch) -> ResultsLog:
    """Read one file."""
    with path.open("rb") as stream:
        return read_log(watch(path, stream), str(path))


def unreadable(source: str, error: OSError) -> ResultsFileError:
    """Return what is said of a log that cannot be read."""
    if isinstance(error, FileNotFoundError):
        return ResultsFileError(f"{source}: there is no such file; name a results log or a folder of them")
    return ResultsFileError(f"{error.filename or source} cannot be read: {error.strerror}")


def _logs_in(folder: Path, watch: Watch) -> list[ResultsLog]:
    """Return the logs among the files of `folder`, which are those with timings in them."""
    found = []
    for path in sorted(folder.iterdir()):
        if path.is_file():
            log = _read(path, watch)
            if log.measured():
                found.append(log)
    if not found:
        raise ResultsFileError(
            f"{folder}: no file in this folder holds timings (sub-folders are not searched); "
            "name the folder or the files that a run of loadtest wrote"
        )
    return found


def _with_timings(log: ResultsLog) -> ResultsLog:
    """Return `log`, or raise what is wrong with it if it holds no timings."""
    if log.measured():
        return log
    if not log.lines:
        problem = f"{log.source} is empty"
    elif any(instance.login.routes for instance in log.instances.values()):
        problem = f"{log.source} holds timings of the login phase only: its run ended before it began"
    else:
        problem = "; ".join([f"{log.source}: no timings in its {counted(log.lines, 'line')}", *log.warnings])
    raise ResultsFileError(f"{problem}. Name the log that a run of loadtest wrote.")


def _each_once(logs: Sequence[ResultsLog]) -> tuple[tuple[Instance, ...], list[str]]:
    """Return all instances, one that is in two logs as the fuller has it, and warnings that name those."""
    kept: dict[tuple[str, str], Instance] = {}
    warnings = []
    for log in logs:
        for instance in log.measured():
            # instances without an id cannot be told to be the same
            key = (instance.instance_id, "" if instance.instance_id else log.source)
            other = kept.setdefault(key, instance)
            if other is not instance:
                fuller, lesser = (other, instance) if _size(other) >= _size(instance) else (instance, other)
                warnings.append(
                    f"instance {instance.instance_id} is in two logs and counted once: "
                    f"from {fuller.source} ({_size(fuller):,} requests), not {lesser.source} ({_size(lesser):,})"
                )
                kept[key] = fuller
    return tuple(kept.values()), warnings


def _size(instance: Instance) -> int:
    """Return how many requests a log holds of an instance."""
    return instance.timings.hits + instance.login.hits


def _apart(instances: Sequence[Instance]) -> Iterator[str]:
    """Yield a warning that names the instances that ran at no time together with some other one."""
    spans = [(one, one.started_s, one.ended_s) for one in instances if one.started_s is not None]
    timed = [(one, start_s, end_s) for one, start_s, end_s in spans if start_s is not None and end_s is not None]
    if not timed:
        return
    last_start_s = max(start_s for _, start_s, _ in timed)
    first_end_s = min(end_s for _, _, end_s in timed)
    if last_start_s <= first_end_s:
        return
    apart = [
        f"{one.instance_id} ({moment(start_s)} to {moment(end_s)})"
        for one, start_s, end_s in timed
        if end_s < last_start_s or start_s > first_end_s
    ]
    more = f" and {len(apart) - _NAMED_INSTANCES} more" if len(apart) > _NAMED_INSTANCES else ""
    yield (
        "the merged figures mix runs that did not overlap in time, so that they tell of no single moment: "
        + ", ".join(apart[:_NAMED_INSTANCES])
        + more
    )


def _saturated(instances: Sequence[Instance]) -> Iterator[str]:
    """Yield a warning for each agent that could not keep up."""
    for instance in instances:
        if instance.saturation:
            yield (
                f"{instance.source}: agent {instance.instance_id} was saturated, these figures are not to be trusted: "
                + "; ".join(instance.saturation)
            )


def _merged(parts: Sequence[Timings]) -> Timings:
    """Return all samples of `parts`."""
    if len(parts) == 1:
        return parts[0]
    merged = Timings()
    for part in parts:
        merged.merge(part)
    return merged
