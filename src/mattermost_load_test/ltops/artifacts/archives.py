"""Looking into an archive before anything is made of it: is it a Mattermost, or a bundle of our agent; which one."""

from __future__ import annotations

import json
import sys
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, BinaryIO

from mattermost_load_test.errors import ArtifactError, OutputError

if TYPE_CHECKING or sys.version_info >= (3, 12):
    import tarfile
else:  # the Python of Debian 12 does not know the filters yet
    from backports import tarfile

GZIP_MAGIC = b"\x1f\x8b"
SERVER_PROGRAMS = ("bin/mattermost", "bin/platform")  # the latter before 5.0
BUNDLE_CARD = "bundle.json"
BUNDLE_FORMAT = 1
GO_AGENT_PROGRAM = "bin/loadtest"


@dataclass(frozen=True, slots=True)
class MattermostArchive:
    """An archive with a Mattermost in it: `top` is the folder that holds it, `program` its server's path below that."""

    path: Path
    top: str
    program: str


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle of our agent: its version, and the Pythons (``3.11``) that it holds wheels for."""

    path: Path
    top: str
    version: str
    pythons: tuple[str, ...]


def open_mattermost(path: Path) -> MattermostArchive:
    """Return what Mattermost an archive holds; raises `ArtifactError` when it holds none or is broken."""
    seen: list[str] = []
    with _opened(path) as archive:
        for member in _members(archive, path):
            top, _, below = member.name.partition("/")
            if below in SERVER_PROGRAMS and member.isfile():
                return MattermostArchive(path, top, below)
            seen.append(member.name)
    if any(name.partition("/")[2] == BUNDLE_CARD for name in seen):
        raise ArtifactError(f"{path} is a bundle of the agent, not a Mattermost: give it to --loadtests (-t)")
    raise ArtifactError(
        f"{path} holds no Mattermost: there is no {SERVER_PROGRAMS[0]} in its top folder ({_some(seen)}). "
        "Name the archive of a release or of a build, as it is downloaded"
    )


def open_bundle(path: Path) -> Bundle:
    """Return what bundle of our agent a file is; raises `ArtifactError` for anything else, the Go tool's by name."""
    names: list[str] = []
    with _opened(path) as archive:
        for member in _members(archive, path):
            names.append(member.name)
            top, _, below = member.name.partition("/")
            if below == BUNDLE_CARD:
                return _bundle(path, top, archive.extractfile(member))
    if any(name.partition("/")[2] == GO_AGENT_PROGRAM for name in names):
        raise ArtifactError(
            f"{path} is a bundle of mattermost-load-test in Go, which this tool succeeds: its agent cannot be used "
            "here. Make a bundle by `make package`; your loadtestconfig.json can go into it as it is"
        )
    raise ArtifactError(f"{path} is no bundle of the agent ({_some(names)}): make one by `make package`")


def member_of(archive: MattermostArchive | Bundle, names: Sequence[str]) -> bytes | None:
    """Return the first file that is there of those of these names below the top folder, None if none is."""
    found: dict[str, bytes] = {}
    with _opened(archive.path) as opened:
        for member in _members(opened, archive.path):
            top, _, below = member.name.partition("/")
            if top == archive.top and below in names and (stream := opened.extractfile(member)) is not None:
                found[below] = stream.read()
                if below == names[0]:
                    break
    return next((found[name] for name in names if name in found), None)


def extract(path: Path, into: Path) -> None:
    """Unpack an archive into a folder; nothing in it can come to lie elsewhere.

    Raises `ArtifactError` when it is broken or would write outside; `OSError` when the disk is full.
    """
    with _opened(path) as archive:
        try:
            archive.extractall(into, filter="data")
        except tarfile.FilterError as error:
            raise ArtifactError(f"{path} is not to be trusted: {error}") from error


def unpack_stream(packed: BinaryIO, into: Path) -> None:
    """Unpack a ``.tar.gz`` from a host of ours into a folder; nothing in it can come to lie elsewhere.

    Raises `OutputError` when it is broken or the disk is full.
    """
    try:
        with tarfile.open(fileobj=packed, mode="r:gz") as archive:
            archive.extractall(into, filter="data")
    except (tarfile.TarError, EOFError, zlib.error, OSError) as error:
        raise OutputError(f"what a host sent cannot be unpacked to {into}: {error}") from error


@contextmanager
def _opened(path: Path) -> Iterator[tarfile.TarFile]:
    """Open an archive; what is wrong with it becomes an `ArtifactError`."""
    with path.open("rb") as file:
        start = file.read(512)
    if not start.startswith(GZIP_MAGIC):
        page = start.lstrip()[:1] == b"<"
        raise ArtifactError(f"{path} is {'a page of HTML or XML' if page else 'no .tar.gz'}, not an archive")
    try:
        with tarfile.open(path, "r:gz") as archive:
            yield archive
    except (tarfile.ReadError, EOFError, zlib.error) as error:
        raise ArtifactError(f"{path} is broken or cut off ({error}): get it again") from error


def _members(archive: tarfile.TarFile, path: Path) -> Iterator[tarfile.TarInfo]:
    """Yield the members by names without a leading ``./``; raises `ArtifactError` for a name that leads outside."""
    for member in archive:
        name = PurePosixPath(member.name)
        if name.is_absolute() or ".." in name.parts:
            raise ArtifactError(f"{path} is not to be trusted: it would write to {member.name}")
        member.name = str(name)
        yield member


def _bundle(path: Path, top: str, card: object) -> Bundle:
    """Return the bundle whose card was found."""
    assert hasattr(card, "read")
    try:
        said = json.loads(card.read())
        if said["format"] > BUNDLE_FORMAT:
            raise ArtifactError(f"{path} is of a newer version ({said['version']}): update ltops to deploy it")
        return Bundle(path, top, said["version"], tuple(said["pythons"]))
    except (ValueError, KeyError, TypeError) as error:
        raise ArtifactError(f"{path}: its {BUNDLE_CARD} is broken; make the bundle again by `make package`") from error


def _some(names: list[str]) -> str:
    """Return a few of the names in an archive, for a message."""
    if not names:
        return "it is empty"
    return "it holds " + ", ".join(names[:3]) + (f" and {len(names) - 3:,} more" if len(names) > 3 else "")
