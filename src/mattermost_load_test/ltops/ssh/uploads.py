"""Files put on a host: whole or not at all, compared by checksum, left alone when they are there already."""

from __future__ import annotations

import hashlib
import io
import shlex
import tarfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential

from mattermost_load_test.errors import OperationError, OutputError
from mattermost_load_test.ltops.ssh.commands import Ended, as_root, run, run_well
from mattermost_load_test.ltops.ssh.connection import Connection, HostUnreachableError, Tell

UPLOADS = "/var/lib/ltops/uploads"
"""Where archives are kept on a host, by their checksums; owned by who logs in."""

UPLOAD_S = 3600.0
ATTEMPTS = 5
_ALONE = "exec 9>> {part} && flock -w 30 9"
"""Makes sure that nothing writes there any more that a broken connection left behind."""

_NO_SPACE = "No space left on device"


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A small file of a host: where it lies, what is in it, and who may read it."""

    path: str
    content: bytes
    mode: int = 0o644
    owner: str = "root"
    group: str = "root"

    @property
    def digest(self) -> str:
        """The SHA-256 of its content, in hexadecimal."""
        return hashlib.sha256(self.content).hexdigest()


def write_files(connection: Connection, files: Iterable[RemoteFile]) -> None:
    """Put small files into place as root, each replaced at once; folders are made.

    What is in them is not logged. Raises `OutputError` when the host's disk is full, `OperationError`, `HostError`.
    """
    packed, moves = io.BytesIO(), ["umask 077", "stage=$(mktemp -d)", "trap 'rm -rf \"$stage\"' EXIT"]
    moves.append('tar -xpf - -C "$stage" --same-owner')
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for place, file in enumerate(files):
            member = tarfile.TarInfo(str(place))
            member.size, member.mode = len(file.content), file.mode
            member.uname, member.gname = file.owner, file.group
            archive.addfile(member, io.BytesIO(file.content))
            target, unfinished = shlex.quote(file.path), shlex.quote(f"{file.path}.ltops-new")
            folder = shlex.quote(str(Path(file.path).parent))
            moves.append(f"test -d {folder} || install -d -m 755 {folder}")
            moves.append(f'mv -fT "$stage/{place}" {unfinished} || {{ rm -f {unfinished}; exit 1; }}')
            moves.append(f"mv -fT {unfinished} {target}")
    ended = run(connection, as_root("\n".join(moves)), packed.getvalue())
    if ended.code:
        raise _refused(connection, ended, "files could not be written")


def upload(connection: Connection, path: Path, digest: str, tell: Tell, folder: str = UPLOADS) -> str:
    """Bring a file of this machine, whose SHA-256 is `digest`, to a folder of a host, and return where it is there.

    It is left alone when it is there already, goes on where a broken connection cut it off, and appears under its name
    only when its checksum is right. Raises `OutputError` when the host's disk is full, `OperationError`, `HostError`.
    """
    for attempt in Retrying(
        retry=retry_if_exception_type(HostUnreachableError),
        stop=stop_after_attempt(ATTEMPTS),
        wait=wait_exponential(multiplier=0.3, max=10.0),
        reraise=True,
    ):
        with attempt:
            return _uploaded(connection, path, digest, tell, folder)
    raise AssertionError  # the last attempt's error was raised


def _uploaded(connection: Connection, path: Path, digest: str, tell: Tell, folder: str) -> str:
    """Do what is left of an upload."""
    target, part = f"{folder}/{digest}", f"{folder}/{digest}.part"
    size = path.stat().st_size
    made = 'install -d -m 700 -o "${SUDO_UID:-0}" -g "${SUDO_GID:-0}"'
    run_well(connection, as_root(f"{made} {folder}"))
    if _has(connection, target, digest):
        return target
    there = int(run_well(connection, f"{_ALONE.format(part=part)} && stat -c %s {part}").text)
    if there > size:
        run_well(connection, f"rm -f {part}")
        there = 0
    with path.open("rb") as stream:
        stream.seek(there)
        ended = run(
            connection,
            f"{_ALONE.format(part=part)} && cat >&9",
            stream,
            timeout_s=UPLOAD_S,
            sent=_telling(there, size, tell),
        )
    if ended.code:
        run(connection, f"rm -f {part}")
        raise _refused(connection, ended, f"{path.name} ({size / 1e6:,.0f} MB) could not be uploaded")
    if not _has(connection, part, digest):
        run_well(connection, f"rm -f {part}")
        raise OperationError(f"{path.name} arrived on {connection.login.name} damaged; run the command again")
    run_well(connection, f"mv -f {part} {target}")
    return target


def _telling(there: int, size: int, tell: Tell) -> Callable[[int], None]:
    """Return what tells of an upload, at each tenth of it."""
    tenth = there * 10 // max(1, size)

    def sent(size_bytes: int) -> None:
        nonlocal tenth
        if (reached := (there + size_bytes) * 10 // max(1, size)) > tenth:
            tenth = reached
            tell(f"{(there + size_bytes) / 1e6:,.0f} of {size / 1e6:,.0f} MB sent")

    return sent


def _has(connection: Connection, path: str, digest: str) -> bool:
    """Say whether a file is there and whole."""
    return run(connection, f"echo {digest}  {path} | sha256sum -c --status", timeout_s=600.0).code == 0


def _refused(connection: Connection, ended: Ended, what: str) -> OperationError | OutputError:
    """Return the error for something that could not be written."""
    words = f"{what} on {connection.login.name}: {ended.last_words}"
    if _NO_SPACE in f"{ended.complaint}{ended.text}":
        return OutputError(f"{words}; make room there (`df -h` shows where) or take a bigger disk, then again")
    return OperationError(words)
