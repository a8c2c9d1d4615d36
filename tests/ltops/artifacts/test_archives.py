"""Looking into archives, and unpacking them."""

from __future__ import annotations

import io
import json
import shutil
import tarfile
from pathlib import Path

import pytest

from mattermost_load_test.errors import ArtifactError
from mattermost_load_test.ltops.artifacts.archives import extract, open_bundle, open_mattermost
from mattermost_load_test.ltops.artifacts.bundling import TOP, pack

CARD = {"format": 1, "version": "0.1.0", "pythons": ["3.11"], "platform": "linux-x86_64"}


def archive(path: Path, *names: str, **contents: str) -> Path:
    """Write an archive of files by these names."""
    with tarfile.open(path, "w:gz") as file:
        for name in names:
            body = contents.get(name.rpartition("/")[2].partition(".")[0], "").encode()
            member = tarfile.TarInfo(name)
            member.size = len(body)
            file.addfile(member, io.BytesIO(body))
    return path


@pytest.mark.parametrize(
    ("names", "top", "program"),
    [
        (("mattermost/bin/mattermost", "mattermost/config/config.json"), "mattermost", "bin/mattermost"),
        (("./mattermost-team/README", "./mattermost-team/bin/platform"), "mattermost-team", "bin/platform"),
    ],
)
def test_a_mattermost_is_known(tmp_path: Path, names: tuple[str, ...], top: str, program: str) -> None:
    """Whatever its top folder is called, and with the program of old servers, too."""
    found = open_mattermost(archive(tmp_path / "mm.tar.gz", *names))
    assert (found.top, found.program) == (top, program)


def test_a_bundle_is_known(tmp_path: Path) -> None:
    """By its card, from which its Pythons are read."""
    found = open_bundle(archive(tmp_path / "lt.tar.gz", f"{TOP}/bundle.json", bundle=json.dumps(CARD)))
    assert (found.version, found.pythons) == ("0.1.0", ("3.11",))


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (("mattermost/README.txt",), "holds no Mattermost.*it holds mattermost/README.txt"),
        ((), "it is empty"),
        (("mattermost-load-test/bundle.json",), "is a bundle of the agent"),
        (("../bin/mattermost",), "is not to be trusted"),
        (("/bin/mattermost",), "is not to be trusted"),
    ],
)
def test_an_archive_without_a_mattermost(tmp_path: Path, names: tuple[str, ...], message: str) -> None:
    """Is refused with what it holds instead."""
    with pytest.raises(ArtifactError, match=message):
        open_mattermost(archive(tmp_path / "mm.tar.gz", *names))


@pytest.mark.parametrize(
    ("names", "card", "message"),
    [
        ((f"{TOP}/bin/loadtest", f"{TOP}/loadtestconfig.json"), "", "mattermost-load-test in Go"),
        ((f"{TOP}/bundle.json",), json.dumps(CARD | {"format": 99}), "of a newer version"),
        ((f"{TOP}/bundle.json",), "{", "its bundle.json is broken"),
        (("mattermost/bin/mattermost",), "", "is no bundle of the agent"),
    ],
)
def test_a_file_that_is_no_bundle(tmp_path: Path, names: tuple[str, ...], card: str, message: str) -> None:
    """The Go tool's is refused by name."""
    with pytest.raises(ArtifactError, match=message):
        open_bundle(archive(tmp_path / "lt.tar.gz", *names, bundle=card))


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"<!DOCTYPE html>", "a page of HTML"),
        (b"PK\x03\x04", "no .tar.gz"),
        (b"", "no .tar.gz"),
        (b"\x1f\x8b!", "broken"),
    ],
)
def test_a_file_that_is_no_archive(tmp_path: Path, body: bytes, message: str) -> None:
    """An error page is not taken for an archive, nor anything else."""
    path = tmp_path / "mm.tar.gz"
    path.write_bytes(body)
    with pytest.raises(ArtifactError, match=message):
        open_mattermost(path)


def test_an_archive_that_was_cut_off(tmp_path: Path) -> None:
    """Is broken, whatever its beginning says."""
    path = archive(tmp_path / "mm.tar.gz", *(f"mattermost/{n}-{'x' * n}" for n in range(90)))
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(ArtifactError, match="broken or cut off"):
        open_mattermost(path)


def test_nothing_is_unpacked_elsewhere(tmp_path: Path) -> None:
    """A link that leads outside is refused before anything is written through it."""
    path = tmp_path / "mm.tar.gz"
    with tarfile.open(path, "w:gz") as file:
        link = tarfile.TarInfo("mattermost/out")
        link.type, link.linkname = tarfile.SYMTYPE, "../../outside"
        file.addfile(link)
    with pytest.raises(ArtifactError, match="not to be trusted"):
        extract(path, tmp_path / "into")


def test_a_bundle_can_be_unpacked_edited_and_packed_again(tmp_path: Path) -> None:
    """As users do with their configuration; and the same files make the same bytes."""
    top = tmp_path / TOP
    (top / "wheels").mkdir(parents=True)
    (top / "bundle.json").write_text(json.dumps(CARD))
    (top / "loadtestconfig.json").write_text("{}")
    (top / "install.sh").write_text("#!/bin/sh\n")
    one, two = tmp_path / "one.tar.gz", tmp_path / "two.tar.gz"
    pack(top, one)
    extract(one, tmp_path / "unpacked")
    pack(tmp_path / "unpacked" / TOP, two)
    assert one.read_bytes() == two.read_bytes()
    assert (tmp_path / "unpacked" / TOP / "install.sh").stat().st_mode & 0o111
    (tmp_path / "unpacked" / TOP / "loadtestconfig.json").write_text('{"edited": true}')
    by_tar = Path(shutil.make_archive(str(tmp_path / "three"), "gztar", tmp_path / "unpacked", TOP))
    assert open_bundle(by_tar).version == "0.1.0"
