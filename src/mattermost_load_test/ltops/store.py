"""Where clusters are kept between commands: one folder each, its state file written whole or not at all.

::

    home/                     ~/.mattermost-load-test-ops, or what LTOPS_HOME says; 0700
        demo/                 0700
            clusterinfo.json  the state, 0600
            lock              held by the command that changes the cluster, with what it is
            ltops.log         what was done, command by command
            results/          the current run's
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from pydantic import ValidationError

from mattermost_load_test.errors import ClusterBusyError, ClusterError, ForeignStateError, OutputError, StateFileError
from mattermost_load_test.ltops.cluster import STATE_VERSION, ClusterState, check_name

HOME_VARIABLE = "LTOPS_HOME"
STATE_FILE = "clusterinfo.json"
_LOCK_FILE = "lock"


@dataclass(slots=True)
class Cluster:
    """A cluster in hand: its folder, and its state, which `save` keeps."""

    directory: Path
    state: ClusterState

    @property
    def name(self) -> str:
        """The cluster's name."""
        return self.state.name

    @property
    def results(self) -> Path:
        """The folder of the current run's results."""
        return self.directory / "results"

    def save(self) -> None:
        """Write the state; raises `OutputError` when that fails, and the state before it is kept then."""
        write_private(self.directory / STATE_FILE, self.state.model_dump_json(indent=2) + "\n")


def home_of(environ: Mapping[str, str]) -> Path:
    """Return the folder that holds all clusters of this user."""
    given = environ.get(HOME_VARIABLE)
    return Path(given).expanduser().absolute() if given else Path.home() / ".mattermost-load-test-ops"


class Store:
    """The clusters below a folder."""

    def __init__(self, home: Path) -> None:
        self.home = home

    def names(self) -> list[str]:
        """Return the names of all clusters, broken ones too."""
        if not self.home.is_dir():
            return []
        return sorted(path.name for path in self.home.iterdir() if path.is_dir() and not path.name.startswith("."))

    def directory(self, name: str) -> Path:
        """Return the folder of a cluster, whether it is there or not; raises `ClusterError` for an impossible name."""
        return self.home / check_name(name)

    def load(self, name: str) -> Cluster:
        """Read a cluster's state.

        Raises `ClusterError` when there is no such cluster, `StateFileError` when its state cannot be used.
        """
        directory = self.directory(name)
        if not directory.is_dir():
            raise ClusterError(self._unknown(name))
        return Cluster(directory, _read(directory / STATE_FILE, name))

    def begin(self, name: str, kind: str, options: Mapping[str, Any]) -> Cluster:
        """Make the folder of a new cluster with its first state, or return one whose creation did not end.

        Raises `ClusterError` when the cluster exists, or was begun with other options, `OutputError` when the folder
        cannot be written.
        """
        directory = self.directory(name)
        if (directory / STATE_FILE).exists():
            cluster = self.load(name)
            if cluster.state.phase != "creating" or cluster.state.details:  # else nothing was made: it may be another
                _check_unfinished(cluster.state, kind, options)
                return cluster
        try:
            directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            self.home.chmod(0o700)
            directory.chmod(0o700)
        except OSError as error:
            raise OutputError(f"{directory} cannot be made: {error.strerror}; set {HOME_VARIABLE}") from error
        state = ClusterState(name=name, kind=kind, created_at=datetime.now(UTC), options=dict(options))
        cluster = Cluster(directory, state)
        cluster.save()
        return cluster

    @contextmanager
    def locked(self, name: str, doing: str) -> Iterator[Path]:
        """Keep other commands from changing a cluster meanwhile; `doing` is what they are told.

        The cluster's folder is made if it is not there. Raises `ClusterBusyError` when another command holds it.
        """
        directory = self.directory(name)
        made = not directory.exists()
        try:
            directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise OutputError(f"{directory} cannot be made: {error.strerror}; set {HOME_VARIABLE}") from error
        try:
            with hold(directory / _LOCK_FILE, f"the cluster {name}", doing):
                yield directory
        finally:
            if made and directory.is_dir() and not (directory / STATE_FILE).exists():
                _forget_empty(directory)

    def remove(self, name: str) -> None:
        """Remove a cluster's folder with all in it; raises `OutputError` when some of it stays."""
        try:
            shutil.rmtree(self.directory(name))
        except FileNotFoundError:
            return
        except OSError as error:
            raise OutputError(f"{error.filename} could not be removed: {error.strerror}") from error

    def _unknown(self, name: str) -> str:
        known = ", ".join(self.names())
        return f"there is no cluster {name} in {self.home}; " + (
            f"there are: {known}" if known else f"make one with `ltops create -c {name} --type local`"
        )


def _forget_empty(directory: Path) -> None:
    """Remove a folder that holds nothing but its lock."""
    if [path.name for path in directory.iterdir()] == [_LOCK_FILE]:
        shutil.rmtree(directory, ignore_errors=True)


@contextmanager
def hold(path: Path, what: str, doing: str) -> Iterator[None]:
    """Hold the lock file `path`, with who holds it in it; raises `ClusterBusyError` when somebody else does."""
    lock = FileLock(path, timeout=0, mode=0o600)
    try:
        lock.acquire()
    except Timeout:
        raise ClusterBusyError(
            f"{what} is in use by another command ({_holder(path)}); wait until that has ended"
        ) from None
    except OSError as error:
        raise OutputError(f"{path} cannot be used: {error.strerror}; set {HOME_VARIABLE}") from error
    try:
        path.write_text(f"`ltops {doing}`, process {os.getpid()}, since {datetime.now(UTC):%H:%M:%S} UTC")
        yield
    finally:
        lock.release()


def _holder(path: Path) -> str:
    try:
        return path.read_text() or "just begun"
    except OSError:
        return "unknown"


def _check_unfinished(state: ClusterState, kind: str, options: Mapping[str, Any]) -> None:
    """Let an unfinished creation go on; raises `ClusterError` for a cluster that is there, or was begun otherwise."""
    if state.phase != "creating":
        raise ClusterError(
            f"the cluster {state.name} exists, since {state.created_at:%Y-%m-%d %H:%M} UTC: use it, choose another "
            f"name, or remove it with `ltops delete -c {state.name}`"
        )
    if (state.kind, state.options) != (kind, dict(options)):
        raise ClusterError(
            f"the creation of {state.name} was begun with other options ({_words(state.kind, state.options)}): repeat "
            f"those, or remove what there is with `ltops delete -c {state.name}`"
        )


def _words(kind: str, options: Mapping[str, Any]) -> str:
    """Return options as they are written on the command line, those that say nothing left out."""
    given = [
        f"--{name.replace('_', '-')} {one}"
        for name, value in options.items()
        for one in (value if isinstance(value, list) else [value])
        if one not in (None, "")
    ]
    return " ".join([f"--type {kind}", *given])


def _read(path: Path, name: str) -> ClusterState:
    """Return the state in a file; raises `StateFileError` with what to do when it cannot be used."""
    try:
        data = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise StateFileError(
            f"{path} is missing: the cluster's creation was cut short; remove it with `ltops delete -c {name}`"
        ) from None
    except OSError as error:
        raise StateFileError(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise StateFileError(
            f"{path} is broken ({error}): put a copy back, or remove what is left with `ltops delete -c {name}`"
        ) from None
    version = data.get("version") if isinstance(data, dict) else None
    if not isinstance(version, int):
        raise ForeignStateError(
            f"{path} is not of this ltops; the Go tool of 2018 wrote such files. Remove that cluster with the tool "
            f"that made it (`ltops delete {name}`), or move its folder out of the way"
        )
    if version > STATE_VERSION:
        raise ForeignStateError(
            f"{path} was written by a newer ltops (version {version} of the file, this one knows {STATE_VERSION}): "
            "upgrade mattermost-load-test"
        )
    try:
        return ClusterState.model_validate(data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise StateFileError(
            f"{path} is broken ({place}: {first['msg']}): put a copy back, or remove what is left with "
            f"`ltops delete -c {name}`"
        ) from None


def write_private(path: Path, text: str) -> None:
    """Put `text` into a file of mode 0600 at once; raises `OutputError`."""
    unfinished = None
    try:
        handle, unfinished = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # 0600 by itself
        with os.fdopen(handle, "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(unfinished).replace(path)
        unfinished = None
    except OSError as error:
        raise OutputError(
            f"{path} cannot be written: {error.strerror}; what it held before is still there. "
            "Make room and run the command again"
        ) from error
    finally:
        if unfinished is not None:
            Path(unfinished).unlink(missing_ok=True)
